from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from edgeguard.cli.demo_run import fresh_folder
from edgeguard.cli.demo_site import choose_site
from edgeguard.config import parse
from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.models import ModelCard, ModelStore
from edgeguard.models.download import Progress


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(*_: object, **__: object) -> None:
        raise ModelError("cannot reach anybody")

    monkeypatch.setattr("edgeguard.cli.demo_site.default_root", lambda: tmp_path / "models")
    monkeypatch.setattr(ModelStore, "pull", offline)


def quiet(name: str, done: int, total: int | None) -> None:
    """Nobody watches the download."""


def valid(config: dict[str, object]) -> bool:
    return bool(parse(yaml.safe_dump(config | {"mqtt": {"host": "127.0.0.1"}}), "demo").cameras)


def test_without_clips_and_models_scenes_play_and_the_demo_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    site = choose_site(None, tmp_path, said.append, quiet)
    assert site.title == "drawn scenes"
    assert site.config["detector"] == {"model": "motion"}
    assert any("motion" in text for text in said)
    assert valid(site.config)


def test_a_licence_is_shown_before_it_is_accepted_and_the_download_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def pull(store: ModelStore, card: ModelCard, *, progress: Progress) -> None:
        assert store.accepted(card)
        assert card.licence_url in said[0]
        assert said[1].startswith("By running the demo you accept this licence")
        assert progress is quiet

    monkeypatch.setattr(ModelStore, "pull", pull)
    site = choose_site(None, tmp_path, said.append, quiet)
    assert site.config["detector"] == {"model": "yolox-nano-416"}
    assert len(said) == 2


def test_a_store_that_is_closed_to_us_ends_in_the_model_free_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed() -> Path:
        raise ModelError("cannot read /var/lib/edgeguard/models")

    monkeypatch.setattr("edgeguard.cli.demo_site.default_root", closed)
    said: list[str] = []
    assert choose_site(None, tmp_path, said.append, quiet).config["detector"] == {"model": "motion"}
    assert said[0] == "cannot read /var/lib/edgeguard/models"


def test_real_clips_with_a_model_of_the_mirror(tmp_path: Path, mirror: Path) -> None:
    said: list[str] = []
    site = choose_site(mirror, tmp_path, said.append, quiet)
    assert site.title == "real clips"
    assert site.config["detector"]["model"] == "yolox-nano-416"
    assert said == []
    assert (tmp_path / "hall.wav").stat().st_size > 1_000_000
    assert valid(site.config)


def test_drawn_scenes_can_be_watched_by_a_model_of_the_mirror(tmp_path: Path, mirror: Path) -> None:
    site = choose_site(mirror, tmp_path, print, quiet, drawn=True)
    assert (site.title, site.config["detector"]["model"]) == ("drawn scenes", "yolox-nano-416")


def test_a_fresh_folder_replaces_its_own_and_nobody_elses(tmp_path: Path) -> None:
    folder = fresh_folder(tmp_path / "out")
    (folder / "old.jpg").touch()
    assert not (fresh_folder(folder) / "old.jpg").exists()
    with pytest.raises(EdgeGuardError, match="not the demo's"):
        fresh_folder(_with_a_file(tmp_path / "mine"))


def _with_a_file(folder: Path) -> Path:
    folder.mkdir()
    (folder / "thesis.txt").touch()
    return folder
