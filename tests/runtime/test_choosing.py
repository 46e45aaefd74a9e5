"""What a start begins with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.config.proposal import propose, state_dir_of
from edgeguard.errors import ConfigError
from edgeguard.runtime.choosing import ENDED_EARLY, Chosen, choose
from edgeguard.runtime.config_store import ConfigStore, Kept

Write = Callable[[str], Path]


def text(fps: int) -> str:
    return (
        "site: depot\ndevice: gate-1\nstate_dir: state\nmqtt: {host: 127.0.0.1}\n"
        f"cameras: {{one: {{url: 'scene://yard', analyse_fps: {fps}}}}}\n"
    )


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(said: str) -> Path:
        path = tmp_path / "edgeguard.yaml"
        path.write_text(said)
        return path

    return to_file


@pytest.fixture
def store(tmp_path: Path) -> ConfigStore:
    return ConfigStore(tmp_path / "state")


def start(path: Path, store: ConfigStore) -> Chosen:
    return choose(path, store, ManualClock())


def fps(chosen: Chosen) -> float:
    return chosen.config.cameras["one"].analyse_fps


def settle(path: Path, store: ConfigStore) -> None:
    store.settle(Kept(propose(path), 0))


def test_without_a_good_one_the_file_runs_and_has_to_prove_itself(write: Write, store: ConfigStore) -> None:
    path = write(text(1))
    assert start(path, store).kept.state == "pending"
    write(text(2))
    assert fps(start(path, store)) == 2, "the file, not what was on trial before"


def test_without_a_good_one_a_wrong_file_is_told(write: Write, store: ConfigStore) -> None:
    with pytest.raises(ConfigError, match="fsp"):
        start(write(text(1) + "fsp: 1\n"), store)
    assert not store.folder.exists()


def test_what_proved_itself_runs_again(write: Write, store: ConfigStore) -> None:
    path = write(text(1))
    settle(path, store)
    chosen = start(path, store)
    assert (fps(chosen), chosen.kept.state, chosen.given_up) == (1, "applied", None)


def test_an_edited_file_is_tried(write: Write, store: ConfigStore) -> None:
    settle(write(text(1)), store)
    chosen = start(write(text(2)), store)
    assert (fps(chosen), chosen.kept.state) == (2, "pending")


def test_a_wrong_file_leaves_the_good_one(write: Write, store: ConfigStore) -> None:
    settle(write(text(1)), store)
    chosen = start(write("cameras: ["), store)
    assert fps(chosen) == 1
    assert chosen.given_up is not None
    assert chosen.given_up.state == "refused"


def test_a_file_that_is_gone_leaves_the_good_one(write: Write, store: ConfigStore) -> None:
    path = write(text(1))
    settle(path, store)
    path.unlink()
    assert fps(start(path, store)) == 1


def test_one_that_ran_and_did_not_prove_itself_is_not_tried_again(write: Write, store: ConfigStore) -> None:
    settle(write(text(1)), store)
    path = write(text(2))
    start(path, store)
    for _ in range(2):
        chosen = start(path, store)
        assert fps(chosen) == 1
        assert chosen.given_up is not None
        assert (chosen.given_up.state, chosen.given_up.reason) == ("rolled_back", ENDED_EARLY)
    assert fps(start(write(text(3)), store)) == 3, "another edit is another try"


def test_half_a_file_leaves_the_good_one(write: Write, store: ConfigStore) -> None:
    rule = "rules: [{kind: blind, name: blind, after_s: 5%s}]\n"
    settle(write(text(1) + rule % ""), store)
    chosen = start(write(text(2)), store)
    assert fps(chosen) == 1
    assert chosen.given_up is not None
    assert "no alert would be raised" in (chosen.given_up.reason or "")
    assert fps(start(write(text(3) + rule % ", enabled: false"), store)) == 3, "so it is meant"


def test_one_that_waits_for_its_first_start_is_tried_once(write: Write, store: ConfigStore) -> None:
    settle(write(text(1)), store)
    path = write(text(2))
    store.try_out(Kept(propose(path), 0, started=False))
    assert fps(start(path, store)) == 2
    assert fps(start(path, store)) == 1


def test_what_was_sent_holds_until_the_file_is_changed(write: Write, store: ConfigStore) -> None:
    path = write(text(1))
    sent = "cameras: {one: {url: 'scene://yard', analyse_fps: 9}}\n"
    store.settle(Kept(replace(propose(path), sent=sent, sent_id="x", sent_by="fleet"), 0))
    assert fps(start(path, store)) == 9
    assert fps(start(write(text(3)), store)) == 3


def test_a_disk_that_refuses_keeps_nothing_from_watching(
    write: Write, store: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(write(text(1)), store)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgeguard.runtime.config_store.write_private", refuse)
    assert fps(start(write(text(2)), store)) == 2


def test_a_good_one_that_is_not_understood_any_more_leaves_the_file(write: Write, store: ConfigStore) -> None:
    path = write(text(1))
    sent = "cameras: {one: {url: 'scene://yard', of_another_version: 9}}\n"
    store.settle(Kept(replace(propose(path), sent=sent, sent_id="x", sent_by="fleet"), 0))
    chosen = start(path, store)
    assert (fps(chosen), chosen.kept.state) == (1, "pending")
    assert chosen.given_up is not None
    assert "of_another_version" in (chosen.given_up.reason or "")
    assert chosen.given_up.proposal.sent_id == "x"


def test_one_that_proved_itself_and_was_killed_before_it_was_tidied_up_is_no_failure(
    write: Write, store: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(text(1))
    sent = "cameras: {one: {url: 'scene://yard', analyse_fps: 9}}\n"
    kept = Kept(replace(propose(path), sent=sent, sent_id="x", sent_by="fleet"), 0, started=True)
    store.try_out(kept)
    with monkeypatch.context() as killed:
        killed.setattr(store, "_forget", lambda *_: None)
        store.settle(kept)
    chosen = start(path, store)
    assert (fps(chosen), chosen.kept.state, chosen.given_up) == (9, "applied", None)
    assert store.pending() is None


@pytest.mark.parametrize("damage", ["", "{}", "[]", "\x00", '{"version": 1, "proposal": {}}'])
def test_a_damaged_record_is_none_and_the_log_says_so(
    store: ConfigStore, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    store.folder.mkdir(parents=True)
    assert store.good() is None
    assert not caplog.records, "that there is none yet is no news"
    (store.folder / "good.json").write_text(damage)
    assert store.good() is None
    assert "good.json cannot be read" in caplog.text


def test_others_cannot_read_what_is_kept(write: Write, store: ConfigStore) -> None:
    settle(write(text(1)), store)
    assert (store.folder / "good.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("said", "folder"),
    [
        ("state_dir: here\n", "here"),
        ("state_dir: 'here'\ncameras: [\n", "here"),
        ("state_dir: /there # so\n: :", "/there"),
        ("cameras: {}", "/var/lib/edgeguard"),
        ("state_dir: [1]\n", "/var/lib/edgeguard"),
    ],
)
def test_the_state_folder_of_a_wrong_file_is_found(write: Write, said: str, folder: str) -> None:
    path = write(said)
    assert state_dir_of(path) == path.parent / folder
