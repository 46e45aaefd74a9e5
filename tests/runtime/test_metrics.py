from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.metrics import exposition


def samples(board: HealthBoard) -> dict[tuple[str, str | None, str | None], float]:
    text = exposition(lambda: {"state": board.state.value, "parts": board.report()}).decode()
    return {
        (sample.name, sample.labels.get("part"), sample.labels.get("state")): sample.value
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
    assert found["edgeguard_frames_replaced", "camera/gate", None] == 3
    assert found["edgeguard_frames_replaced", "camera/dock", None] == 4
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
