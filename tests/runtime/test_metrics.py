from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from edgeguard import __version__
from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.metric_names import COUNTERS, GAUGES, is_counter
from edgeguard.runtime.metrics import exposition


def samples(board: HealthBoard) -> dict[tuple[str, str | None, str | None], float]:
    text = exposition(lambda: {"state": board.state.value, "parts": board.report()}).decode()
    return {
        (
            sample.name,
            sample.labels.get("part", sample.labels.get("stage")),
            sample.labels.get("state", sample.labels.get("code", sample.labels.get("quantile"))),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_number_of_every_part_is_there() -> None:
    board = HealthBoard(ManualClock())
    camera = board.part("camera/gate")
    camera.set(State.OK)
    camera.note(frames_replaced=3, tier="cpu", share=0.5, on=True)
    board.part("camera/dock").set(State.DEGRADED, "no picture")
    board.part("camera/dock").note(frames_replaced=4)
    found = samples(board)
    assert found["edgeguard_frames_replaced_total", "camera/gate", None] == 3
    assert found["edgeguard_frames_replaced_total", "camera/dock", None] == 4
    assert found["edgeguard_share", "camera/gate", None] == 0.5
    assert found["edgeguard_part_state", "camera/dock", "degraded"] == 1
    assert found["edgeguard_part_state", "camera/dock", "ok"] == 0
    assert found["edgeguard_part_state_since_seconds", "camera/gate", None] == 1_700_000_000
    assert found["edgeguard_ok", None, None] == 0
    assert not [name for name, *_ in found if name in ("edgeguard_tier", "edgeguard_on", "edgeguard_reason")]


def test_names_that_prometheus_would_refuse_are_made_ones_that_it_takes() -> None:
    board = HealthBoard(ManualClock())
    board.part('odd "part"\n').note(**{"per-cent": 1})
    assert samples(board)["edgeguard_per_cent", 'odd "part"\n', None] == 1


def test_what_is_wrong_has_its_word_and_the_latencies_have_their_stages() -> None:
    board = HealthBoard(ManualClock())
    board.part("camera/gate").set(State.DEGRADED, "no frame came", "no_frames")
    board.part("latency").note(infer_p95_ms=12.5, infer_samples=7, listen_wait_p50_ms=1)
    found = samples(board)
    assert found["edgeguard_part_code", "camera/gate", "no_frames"] == 1
    assert found["edgeguard_stage_latency_seconds", "infer", "0.95"] == 0.0125
    assert found["edgeguard_stage_latency_seconds", "listen_wait", "0.5"] == 0.001
    assert found["edgeguard_stage_latency_samples", "infer", None] == 7
    assert not [name for name, *_ in found if "p95" in name]


def test_what_only_rises_is_a_counter_and_what_rises_and_falls_is_a_gauge() -> None:
    board = HealthBoard(ManualClock())
    board.part("outbox").note(committed=5, pending=2, shed_info=1, refused_unheard=3, of_no_name=4)
    text = exposition(lambda: {"state": board.state.value, "parts": board.report()}).decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["edgeguard_committed"].type == "counter"
    assert families["edgeguard_shed_info"].type == "counter"
    assert families["edgeguard_refused_unheard"].type == "counter"
    assert families["edgeguard_pending"].type == "gauge"
    assert families["edgeguard_of_no_name"].type == "gauge"
    assert "written to the disk" in families["edgeguard_committed"].documentation
    assert families["process_resident_memory_bytes"].samples[0].value > 1e6
    (build,) = families["edgeguard_build_info"].samples
    assert build.labels == {"version": __version__}


def test_no_number_is_both() -> None:
    assert not set(COUNTERS) & set(GAUGES)
    assert not [name for name in GAUGES if is_counter(name)]
