from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgeguard.errors import ModelError
from edgeguard.models import ModelCard, load_catalog
from edgeguard.models.store import BUILTIN

CATALOG = load_catalog()
CARDS = pytest.mark.parametrize("card", CATALOG.cards, ids=lambda card: card.name)


@CARDS
def test_a_card_is_whole(card: ModelCard) -> None:
    assert card.title
    assert re.fullmatch(r"[A-Za-z0-9.-]+", card.licence)
    assert card.licence_url.startswith("https://")
    assert card.decoding
    assert (card.input is None) != (card.audio is None)
    assert (
        len({file.name for file in card.files}) == len({file.role for file in card.files}) == len(card.files)
    )


@CARDS
def test_a_checksum_is_one(card: ModelCard) -> None:
    digests = {digest for file in card.files for digest in file.digests}
    if card.archive and card.archive.sha256:
        digests.add(card.archive.sha256)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)
    assert card.checksums_known


@CARDS
def test_a_file_has_a_source_that_does_not_move(card: ModelCard) -> None:
    for file in card.files:
        assert file.url or file.mirror or card.archive or (BUILTIN / card.name / file.name).is_file()
        if file.url:
            assert file.url.startswith("https://")
            assert re.search(r"/releases/download/|[0-9a-f]{40}/", file.url), "the address is not pinned"


@CARDS
def test_a_picture_is_described_in_known_words(card: ModelCard) -> None:
    if spec := card.input:
        assert spec.layout in ("nchw", "nhwc")
        assert spec.order in ("bgr", "rgb")
        assert spec.mode in ("top_left", "stretch")
        assert all(deviation > 0 for deviation in spec.std)
        assert len(spec.mean) == len(spec.std) == 3


@CARDS
def test_a_recogniser_has_all_its_parts(card: ModelCard) -> None:
    roles = {file.role for file in card.files}
    expected = {
        "asr": {"encoder", "decoder", "joiner", "tokens"},
        "keywords": {"encoder", "decoder", "joiner", "tokens"},
    }
    if card.decoding == "sherpa-nemo-ctc":
        expected["asr"] = {"model", "tokens"}
    assert roles >= expected.get(card.task, {"model"})


def test_detectors_know_the_classes_of_coco() -> None:
    labels = CATALOG.card("yolox-nano-416").labels
    assert len(labels) == len(set(labels)) == 80
    assert (labels[0], labels[2], labels[16], labels[67]) == ("person", "car", "dog", "cell phone")


def test_an_unknown_name_gets_a_hint() -> None:
    with pytest.raises(ModelError, match=r"'yolox-tny': did you mean yolox-tiny\?"):
        CATALOG.card("yolox-tny")
    with pytest.raises(ModelError, match="`edgeguard models list`"):
        CATALOG.card("???")


GOOD = "models: {m: {title: M, task: vad, licence: MIT, licence_url: u, files: [{name: m.onnx}]}}"


def test_reads_another_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(GOOD)
    card = load_catalog(path).card("m")
    assert not card.checksums_known
    assert card.size_bytes is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("task: vad", "task: fly", "m: the task is 'fly'"),
        ("title: M", "titel: M", "m: unknown field titel"),
        ("title: M, ", "", "m: .*title"),
        ("name: m.onnx", "nam: m.onnx", "m: unknown field nam"),
        ("name: m.onnx", "name: ../m.onnx", r"'\.\./m\.onnx' is not a plain file name"),
        ("{m: ", "{a/b: ", "'a/b' is not a plain file name"),
        ("models: ", "cards: ", "'models'"),
        (GOOD, "[", "wrong"),
        (GOOD, "models: {m: 3}", "wrong"),
    ],
)
def test_says_what_is_wrong_in_a_catalog(tmp_path: Path, old: str, new: str, word: str) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ModelError, match=rf"(?s)catalog\.yaml is wrong.*{word}|{word}.*"):
        load_catalog(path)


def test_says_that_a_catalog_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        load_catalog(tmp_path / "no.yaml")


def test_the_configuration_spells_classes_as_the_detectors_do() -> None:
    from edgeguard.config.labels import COCO

    assert load_catalog().card("yolox-nano-416").labels == COCO
