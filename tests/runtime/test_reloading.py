"""The way of another configuration, with premises that only note what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgeguard.alerts.configured import ConfigReport
from edgeguard.clock import ManualClock
from edgeguard.config import Config, fingerprint
from edgeguard.config.proposal import Proposal
from edgeguard.errors import ConfigError, StorageError
from edgeguard.runtime.assembly.changing import beyond
from edgeguard.runtime.choosing import choose
from edgeguard.runtime.config_store import ConfigStore
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.reloading import BUSY, ReloadStage


def text(fps: int = 5, keepalive_s: int = 20) -> str:
    return (
        "site: depot\ndevice: gate-1\nstate_dir: state\n"
        f"mqtt: {{host: 127.0.0.1, keepalive_s: {keepalive_s}}}\n"
        f"cameras: {{one: {{url: 'scene://yard', analyse_fps: {fps}}}}}\n"
    )


@dataclass
class Pretended:
    config: Config
    board: HealthBoard
    lacks: str | None = None
    breaks: bool = False
    harm: bool = False
    """Whether every change makes the camera worse."""
    done: list[str] = field(default_factory=list)

    def try_on(self, config: Config) -> None:
        if self.lacks:
            raise ConfigError(self.lacks)

    def beyond(self, config: Config) -> list[str]:
        return beyond(self.config, config)

    def refit(self, config: Config) -> Iterator[None]:
        yield
        if self.breaks:
            raise RuntimeError("boom")
        back = len(self.done) % 2 == 1
        self.done.append(f"refit {config.cameras['one'].analyse_fps:.0f}")
        self.config = config
        worse = self.harm and not back
        self.board.part("camera/one").set(
            State.DEGRADED if worse else State.OK, "cannot connect" if worse else None
        )

    def renew(self) -> Iterator[None]:
        self.done.append("renew")
        return iter(())

    def touched(self, before: Config) -> Callable[[str], bool]:
        return lambda name: name == "camera/one"


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.path = folder / "edgeguard.yaml"
        self.path.write_text(text())
        self.store = ConfigStore(folder / "state")
        self.told: list[ConfigReport] = []
        self.restarts = 0
        self.begin()

    def begin(self) -> None:
        """As a start does."""
        self.board = HealthBoard(self.clock)
        self.board.part("camera/one").set(State.OK)
        chosen = choose(self.path, self.store, self.clock)
        self.premises = Pretended(chosen.config, self.board)
        self.stage = ReloadStage(
            self.path,
            chosen,
            self.store,
            self.premises,
            self.board,
            self.clock,
            self.told.append,
            self._restart,
            20,
        )
        self.stage._pause.wait = lambda _=None: self.clock.advance(0.5) or False  # type: ignore[method-assign]
        self.stage.open()
        self.settle()

    def _restart(self) -> None:
        self.restarts += 1

    def settle(self) -> None:
        for _ in range(200):
            if self.stage._work is None and not len(self.stage._wishes):
                return
            self.stage.step()
        raise AssertionError("it does not come to an end")

    def reload(self, said: str) -> ConfigReport:
        self.path.write_text(said)
        self.stage.reload()
        self.settle()
        return self.told[-1]

    @property
    def part(self) -> tuple[State, str | None]:
        part = self.board.part("config")
        return part.state, part.reason


def raising(reason: str) -> Iterator[None]:
    raise RuntimeError(reason)
    yield


def raising_full() -> None:
    raise StorageError("no space left")


def kept_fps(bench: Bench) -> float:
    good = bench.store.good()
    assert good is not None
    return good.proposal.config().cameras["one"].analyse_fps


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_first_one_proves_itself(bench: Bench) -> None:
    assert [report.state for report in bench.told] == ["pending", "applied"]
    assert bench.store.good() is not None
    assert bench.store.pending() is None
    assert bench.told[-1].sha256 == fingerprint(bench.premises.config)


def test_another_one_is_put_in_effect_and_kept(bench: Bench) -> None:
    report = bench.reload(text(9))
    assert (report.state, bench.premises.done, bench.restarts) == ("applied", ["refit 9"], 0)
    good = bench.store.good()
    assert good is not None
    assert good.proposal.config().cameras["one"].analyse_fps == 9


def test_what_does_harm_is_rolled_back_with_the_reason(bench: Bench) -> None:
    before = bench.told[-1].sha256
    bench.premises.harm = True
    report = bench.reload(text(9))
    assert (report.state, report.sha256) == ("rolled_back", before)
    assert report.reason == "camera/one is degraded: cannot connect"
    assert bench.premises.done == ["refit 9", "refit 5"]
    assert bench.part[0] is State.DEGRADED
    assert bench.store.pending() is None
    bench.begin()
    assert bench.premises.config.cameras["one"].analyse_fps == 5


def test_what_cannot_be_had_is_refused_before_anything_is_touched(bench: Bench) -> None:
    bench.premises.lacks = "the model yolox-nano-416 is not here"
    report = bench.reload(text(9))
    assert (report.state, report.reason) == ("refused", "the model yolox-nano-416 is not here")
    assert bench.premises.done == []


def test_a_wrong_file_is_refused_and_mended_by_the_right_one(bench: Bench) -> None:
    assert bench.reload(text() + "fsp: 1\nsitte: x\n").state == "refused"
    reason = bench.told[-1].reason or ""
    assert "fsp" in reason
    assert "sitte" in reason
    assert bench.part[0] is State.DEGRADED
    assert bench.reload(text()).state == "applied"
    assert bench.part == (State.OK, None)


def test_the_same_file_means_that_passwords_are_read_again(bench: Bench) -> None:
    bench.reload(text())
    assert bench.premises.done == ["renew"]


def test_what_a_process_cannot_change_begins_anew_and_is_proved_then(bench: Bench) -> None:
    assert bench.reload(text(keepalive_s=30)).state == "pending"
    assert bench.restarts == 1
    assert bench.premises.done == []
    bench.begin()
    assert bench.told[-1].state == "applied"
    assert bench.premises.config.mqtt.keepalive_s == 30


def test_what_does_harm_after_it_began_anew_goes_back_by_beginning_anew(bench: Bench) -> None:
    bench.reload(text(keepalive_s=30))
    chosen = choose(bench.path, bench.store, bench.clock)
    assert chosen.kept.started
    again = choose(bench.path, bench.store, bench.clock)
    assert again.config.mqtt.keepalive_s == 20, "it ended before it had proved itself"
    assert again.given_up is not None


def test_a_change_that_breaks_half_way_goes_back_by_beginning_anew(bench: Bench) -> None:
    bench.premises.breaks = True
    report = bench.reload(text(9))
    assert report.state == "rolled_back"
    assert "boom" in (report.reason or "")
    assert bench.restarts == 1
    bench.begin()
    assert bench.premises.config.cameras["one"].analyse_fps == 5


def test_one_that_is_sent_is_told_with_who_sent_it(bench: Bench) -> None:
    sent = "cameras: {one: {url: 'scene://yard', analyse_fps: 9}}"
    assert bench.stage.offer(sent, "an-id", "fleet") is None
    assert bench.stage.offer(sent, "another", "fleet") == BUSY
    bench.settle()
    report = bench.told[-1]
    assert (report.state, report.origin, report.config_id, report.by) == (
        "applied",
        "broker",
        "an-id",
        "fleet",
    )
    assert bench.reload(text()).origin == "file", "a reload lets the file hold again"


def test_one_that_is_sent_with_faults_is_answered_with_all_of_them(bench: Bench) -> None:
    said = bench.stage.offer("mqtt: {host: x}\ncameras: {one: {url: 'scene://yard', fsp: 9}}", "id", "fleet")
    assert said is not None
    assert len(said.splitlines()) == 2
    assert bench.told[-1].state == "applied", "nothing has changed"


def test_whatever_is_sent_who_asks_is_answered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proposal, "config", lambda _: next(raising("boom")))
    assert "boom" in (bench.stage.offer("cameras: {}", "id", "fleet") or "")


def test_one_that_is_sent_and_does_harm_leaves_the_file_in_peace(bench: Bench) -> None:
    bench.premises.harm = True
    assert bench.stage.offer("cameras: {one: {url: 'scene://yard', analyse_fps: 9}}", "id", "fleet") is None
    bench.settle()
    assert bench.told[-1].state == "rolled_back"
    assert bench.part == (State.OK, None), "what the file says is in effect"
    bench.begin()
    assert bench.told[-1].state == "rolled_back"


def test_a_way_back_that_breaks_off_begins_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.premises.harm = True
    there = bench.premises.refit

    def only_there(config: Config) -> Iterator[None]:
        return raising("camera one does not stop") if bench.premises.done else there(config)

    monkeypatch.setattr(bench.premises, "refit", only_there)
    report = bench.reload(text(9))
    assert report.state == "rolled_back"
    assert "cannot connect" in (report.reason or ""), "the first reason, not the second"
    assert bench.restarts == 1, "else the camera stays closed and what does harm stays in effect"
    bench.begin()
    assert bench.premises.config.cameras["one"].analyse_fps == 5


def test_a_source_that_cannot_be_opened_with_another_password_begins_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.premises, "renew", lambda: raising("camera one does not stop"))
    assert bench.reload(text()).state == "applied", "nothing is wrong with the configuration"
    assert bench.restarts == 1


def test_whatever_goes_wrong_when_it_is_tried_on_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.premises, "try_on", lambda _: next(raising("boom")))
    assert bench.stage.offer("cameras: {one: {url: 'scene://yard', analyse_fps: 9}}", "id", "fleet") is None
    bench.settle()
    report = bench.told[-1]
    assert (report.state, report.config_id) == ("refused", "id")
    assert "boom" in (report.reason or "")
    assert bench.restarts == 0


def test_a_disk_that_was_full_keeps_it_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        full.setattr(bench.store, "settle", lambda _: raising_full())
        assert bench.reload(text(9)).state == "applied"
        assert kept_fps(bench) == 5
    bench.clock.advance(60)
    bench.stage.step()
    assert kept_fps(bench) == 9
    assert bench.store.pending() is None
