from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeguard.errors import ModelError
from edgeguard.models import Archive, ModelCard, ModelFile, ModelStore, default_root, load_catalog, store
from tests.models.conftest import Upstream

MODEL, TOKENS = b"weights" * 100, b"one\ntwo\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


CARD = ModelCard(
    name="m",
    title="M",
    task="asr",
    licence="MIT",
    licence_url="https://example.org/licence",
    files=(
        ModelFile("m.onnx", sha256=sha256(MODEL), size_bytes=len(MODEL), mirror="models/asr/m.onnx"),
        ModelFile("tokens.txt", role="tokens", sha256=sha256(TOKENS), size_bytes=len(TOKENS)),
    ),
)


def without_checksums(card: ModelCard) -> ModelCard:
    return replace(card, files=tuple(replace(file, sha256=None) for file in card.files))


def published(card: ModelCard, upstream: Upstream) -> ModelCard:
    """The card with upstream addresses that work."""
    upstream.files |= {"/m.onnx": MODEL, "/tokens.txt": TOKENS}
    return replace(card, files=tuple(replace(file, url=upstream.url(f"/{file.name}")) for file in card.files))


def packed(card: ModelCard, upstream: Upstream, known: bool = True) -> ModelCard:
    """The card with its files in an archive upstream."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:bz2") as tar:
        for name, data in {"m.onnx": MODEL, "tokens.txt": TOKENS}.items():
            info = tarfile.TarInfo(f"m-2024/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    url = upstream.add("/m-2024.tar.bz2", buffer.getvalue())
    return replace(card, archive=Archive(url, "m-2024", sha256(buffer.getvalue()) if known else None))


@pytest.fixture
def shelf(tmp_path: Path) -> ModelStore:
    shelf = ModelStore(tmp_path / "store")
    shelf.accept(CARD)
    return shelf


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


# ---- what is here -----------------------------------------------------------------------------------------


def test_an_empty_store_says_how_to_fill_it(shelf: ModelStore) -> None:
    assert not shelf.installed(CARD)
    assert not shelf.present(CARD)
    with pytest.raises(ModelError, match=r"m is not installed.*`edgeguard models pull m`"):
        shelf.path(CARD)


def test_finds_a_file_by_role_or_name(shelf: ModelStore) -> None:
    fill(shelf.root / "m", {"m.onnx": MODEL, "tokens.txt": TOKENS})
    assert shelf.installed(CARD)
    assert shelf.path(CARD) == shelf.path(CARD, "m.onnx") == shelf.root / "m" / "m.onnx"
    assert shelf.path(CARD, "tokens").name == "tokens.txt"
    with pytest.raises(ModelError, match=r"no file encoder, only m\.onnx \(model\), tokens\.txt \(tokens\)"):
        shelf.path(CARD, "encoder")


def test_hands_out_nothing_that_differs(shelf: ModelStore) -> None:
    fill(shelf.root / "m", {"m.onnx": b"evil", "tokens.txt": TOKENS})
    with pytest.raises(ModelError, match=r"is not the m\.onnx that m needs"):
        shelf.path(CARD)
    assert len(shelf.faults(CARD)) == 1


@pytest.mark.parametrize("data", [MODEL + b"!", MODEL.swapcase()], ids=["size", "time"])
def test_looks_again_when_a_file_changes(shelf: ModelStore, data: bytes) -> None:
    fill(shelf.root / "m", {"m.onnx": MODEL})
    path = shelf.path(CARD)
    path.write_bytes(data)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(ModelError, match="is not the"):
        shelf.path(CARD)


def test_reads_a_file_once_as_long_as_it_stays(shelf: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(shelf.root / "m", {"m.onnx": MODEL})
    shelf.path(CARD)
    monkeypatch.setattr(store, "sha256_of", lambda _: pytest.fail("read again"))
    shelf.path(CARD)


@pytest.mark.parametrize("where", ["models/asr/m.onnx", "m/m.onnx"])
def test_uses_a_mirror_in_place(tmp_path: Path, where: str) -> None:
    mirror = fill(tmp_path / "mirror", {where: MODEL})
    assert ModelStore(tmp_path / "store", [tmp_path / "no", mirror]).path(CARD) == mirror / where


def test_passes_over_a_mirror_with_another_file(tmp_path: Path) -> None:
    bad = fill(tmp_path / "bad", {"m/m.onnx": b"evil"})
    good = fill(tmp_path / "good", {"m/m.onnx": MODEL})
    assert ModelStore(tmp_path / "store", [bad, good]).path(CARD) == good / "m" / "m.onnx"


def test_accepts_another_copy_that_the_catalog_names(shelf: ModelStore) -> None:
    file = replace(CARD.files[0], sha256="0" * 64, also=(sha256(MODEL),))
    fill(shelf.root / "m", {"m.onnx": MODEL})
    assert shelf.path(replace(CARD, files=(file,)))


def test_hands_out_nothing_without_a_checksum_to_compare(tmp_path: Path) -> None:
    mirror = fill(tmp_path / "mirror", {"m/m.onnx": MODEL})
    with pytest.raises(ModelError, match="nobody publishes a checksum"):
        ModelStore(tmp_path / "store", [mirror]).path(without_checksums(CARD))


def test_labels_come_from_the_card_or_from_its_file(shelf: ModelStore) -> None:
    fill(shelf.root / "m", {"tokens.txt": TOKENS})
    labelled = replace(CARD, files=(replace(CARD.files[1], role="labels"),))
    assert shelf.labels(labelled) == ("one", "two")
    assert shelf.labels(replace(CARD, labels=("cat",))) == ("cat",)


# ---- licences ---------------------------------------------------------------------------------------------


def test_pulls_nothing_before_the_licence_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"licence of m \(MIT\) is not accepted: see https://example"):
        ModelStore(tmp_path).pull(CARD)


def test_remembers_an_accepted_licence_until_it_changes(tmp_path: Path) -> None:
    ModelStore(tmp_path).accept(CARD)
    assert ModelStore(tmp_path).accepted(CARD)
    assert not ModelStore(tmp_path).accepted(replace(CARD, licence="GPL-3.0"))
    assert not ModelStore(tmp_path).accepted(replace(CARD, name="other"))


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_damaged_record_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "licences.json").write_text(content)
    with pytest.raises(ModelError, match=r"licences\.json is damaged: remove it"):
        ModelStore(tmp_path).accepted(CARD)


# ---- from upstream ----------------------------------------------------------------------------------------


def test_fetches_what_is_missing_and_only_that(shelf: ModelStore, upstream: Upstream) -> None:
    card = published(CARD, upstream)
    fill(shelf.root / "m", {"tokens.txt": TOKENS, "m.onnx": b"damaged"})
    shelf.pull(card)
    assert shelf.installed(card)
    assert upstream.requests == [("/m.onnx", None)]


def test_a_broken_pull_goes_on(shelf: ModelStore, upstream: Upstream) -> None:
    card = published(CARD, upstream)
    upstream.cuts = [300, 0]
    with pytest.raises(ModelError, match="broke off"):
        shelf.pull(card)
    assert not shelf.installed(card)
    shelf.pull(card)
    assert ("/m.onnx", "bytes=300-") in upstream.requests
    assert shelf.installed(card)


def test_refuses_what_upstream_changed(shelf: ModelStore, upstream: Upstream) -> None:
    card = published(CARD, upstream)
    upstream.files["/m.onnx"] = b"evil" * 175
    with pytest.raises(ModelError, match="thrown away"):
        shelf.pull(card)
    assert not (shelf.root / "m" / "m.onnx").exists()


def test_takes_from_a_mirror_before_it_asks_upstream(tmp_path: Path) -> None:
    mirror = fill(tmp_path / "mirror", {"models/asr/m.onnx": MODEL, "m/tokens.txt": TOKENS})
    shelf = ModelStore(tmp_path / "store", [mirror])
    shelf.accept(CARD)
    shelf.pull(CARD)
    assert (shelf.root / "m" / "m.onnx").read_bytes() == MODEL


def test_says_that_a_form_is_published_nowhere(shelf: ModelStore) -> None:
    with pytest.raises(ModelError, match=r"m\.onnx is published nowhere in this form: bring it.*Ask Ann"):
        shelf.pull(replace(CARD, notes="Ask Ann."))


# ---- on first use -----------------------------------------------------------------------------------------


def test_asks_before_it_trusts_a_file_without_a_checksum(shelf: ModelStore, upstream: Upstream) -> None:
    card = without_checksums(published(CARD, upstream))
    with pytest.raises(ModelError, match=r"checksum of m\.onnx: `--accept-unverified`"):
        shelf.pull(card)
    assert upstream.requests == []


def test_compares_ever_after_with_what_it_trusted(shelf: ModelStore, upstream: Upstream) -> None:
    card = without_checksums(published(CARD, upstream))
    shelf.pull(card, accept_unverified=True)
    assert shelf.trusted_on_first_use(card)
    assert shelf.path(card).read_bytes() == MODEL
    fill(shelf.root / "m", {"m.onnx": b"evil"})
    with pytest.raises(ModelError, match="is not the"):
        ModelStore(shelf.root).path(card)
    upstream.files["/m.onnx"] = b"evil"
    with pytest.raises(ModelError, match=f"expected {sha256(MODEL)}"):
        shelf.pull(card, accept_unverified=True)


@pytest.mark.parametrize("in_archive", [False, True])
def test_remembers_that_it_trusted_when_it_fetches_again(
    shelf: ModelStore, upstream: Upstream, in_archive: bool
) -> None:
    card = without_checksums(published(CARD, upstream))
    card = packed(card, upstream, known=False) if in_archive else card
    shelf.pull(card, accept_unverified=True)
    (shelf.root / "m" / "m.onnx").unlink()
    shelf.pull(card)
    assert shelf.installed(card)
    assert shelf.trusted_on_first_use(card)


def test_a_checksum_published_later_overrules_the_recorded_one(shelf: ModelStore, upstream: Upstream) -> None:
    unknown = without_checksums(published(CARD, upstream))
    upstream.files["/m.onnx"] = b"evil"
    shelf.pull(unknown, accept_unverified=True)
    assert shelf.installed(unknown)
    assert not shelf.installed(CARD)


# ---- archives ---------------------------------------------------------------------------------------------


def test_unpacks_an_archive_and_keeps_only_the_files(shelf: ModelStore, upstream: Upstream) -> None:
    card = packed(CARD, upstream)
    shelf.pull(card)
    assert shelf.installed(card)
    assert sorted(path.name for path in (shelf.root / "m").iterdir()) == ["m.onnx", "tokens.txt"]


def test_a_verified_archive_vouches_for_its_files(shelf: ModelStore, upstream: Upstream) -> None:
    card = packed(without_checksums(CARD), upstream)
    shelf.pull(card)
    assert shelf.installed(card)
    assert not shelf.trusted_on_first_use(card)
    fill(shelf.root / "m", {"m.onnx": b"evil"})
    assert not shelf.installed(card)


def test_an_archive_without_a_checksum_is_trusted_on_first_use(shelf: ModelStore, upstream: Upstream) -> None:
    card = packed(without_checksums(CARD), upstream, known=False)
    with pytest.raises(ModelError, match=r"checksum of m-2024\.tar\.bz2"):
        shelf.pull(card)
    shelf.pull(card, accept_unverified=True)
    assert shelf.installed(card)
    assert shelf.trusted_on_first_use(card)


def test_checks_the_files_of_an_archive_too(shelf: ModelStore, upstream: Upstream) -> None:
    wrong = replace(CARD, files=(replace(CARD.files[0], sha256="0" * 64),))
    with pytest.raises(ModelError, match=f"expected {'0' * 64}"):
        shelf.pull(packed(wrong, upstream))
    assert list((shelf.root / "m").iterdir()) == []


# ---- from a folder ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [
        {"models/asr/m.onnx": MODEL, "m/tokens.txt": TOKENS},
        {"m.onnx": MODEL, "tokens.txt": TOKENS},
        {"deep/down/m.onnx": MODEL, "renamed (1).txt": TOKENS},
        {"other/m.onnx": b"evil", "other/tokens.txt": b"evil", "m.onnx": MODEL, "tokens.txt": TOKENS},
    ],
    ids=["mirror", "flat", "renamed", "namesakes"],
)
def test_finds_the_files_on_a_stick(shelf: ModelStore, tmp_path: Path, files: dict[str, bytes]) -> None:
    shelf.pull(CARD, from_dir=fill(tmp_path / "stick", files))
    assert shelf.installed(CARD)
    lock = json.loads((shelf.root / "lock.json").read_text())
    assert lock["m/m.onnx"]["source"].startswith(str(tmp_path / "stick"))


def test_finds_the_archive_on_a_stick(shelf: ModelStore, upstream: Upstream, tmp_path: Path) -> None:
    card = packed(CARD, upstream)
    stick = fill(tmp_path / "stick", {"m-2024.tar.bz2": upstream.files["/m-2024.tar.bz2"]})
    shelf.pull(card, from_dir=stick)
    assert shelf.installed(card)
    assert upstream.requests == []
    assert (stick / "m-2024.tar.bz2").exists()


def test_stays_off_the_network_with_a_folder(shelf: ModelStore, upstream: Upstream, tmp_path: Path) -> None:
    stick = fill(tmp_path / "stick", {"m.onnx": MODEL, "tokens.txt": b"evil"})
    with pytest.raises(ModelError, match=r"stick does not have tokens\.txt of m"):
        shelf.pull(published(CARD, upstream), from_dir=stick)
    assert upstream.requests == []


def test_a_common_name_is_not_enough_to_be_trusted(shelf: ModelStore, tmp_path: Path) -> None:
    card = without_checksums(CARD)
    stick = fill(tmp_path / "stick", {"m.onnx": MODEL, "tokens.txt": TOKENS})
    with pytest.raises(ModelError, match="does not have"):
        shelf.pull(card, from_dir=stick, accept_unverified=True)
    shelf.pull(
        card, from_dir=fill(stick, {"m/m.onnx": MODEL, "m/tokens.txt": TOKENS}), accept_unverified=True
    )
    assert shelf.trusted_on_first_use(card)


def test_says_that_the_folder_is_not_there(shelf: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        shelf.pull(CARD, from_dir=tmp_path / "no")


def test_leaves_nothing_half_done(shelf: ModelStore, tmp_path: Path) -> None:
    shelf.pull(CARD, from_dir=fill(tmp_path / "stick", {"m.onnx": MODEL, "tokens.txt": TOKENS}))
    assert sorted(path.name for path in shelf.root.rglob("*") if path.is_file()) == [
        "licences.json",
        "lock.json",
        "m.onnx",
        "tokens.txt",
    ]


# ---- the real ones ----------------------------------------------------------------------------------------


def test_the_root_is_the_machine_s_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_SYSTEM_ROOT", tmp_path / "none")
    assert default_root() == Path.home() / ".cache" / "edgeguard" / "models"
    monkeypatch.setattr(store, "_SYSTEM_ROOT", tmp_path)
    assert default_root() == tmp_path


# ---- closed doors -----------------------------------------------------------------------------------------


@pytest.fixture
def close(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """What a folder of another user's does to everything below it (root would not notice its mode)."""
    stat, opened = Path.stat, Path.open

    def close(folder: Path) -> None:
        def refuse(path: Path) -> None:
            if folder in path.parents:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

        def closed_stat(path: Path, **options: bool) -> os.stat_result:
            refuse(path)
            return stat(path, **options)

        def closed_open(path: Path, *mode: Any, **options: Any) -> Any:
            refuse(path)
            return opened(path, *mode, **options)

        monkeypatch.setattr(Path, "stat", closed_stat)
        monkeypatch.setattr(Path, "open", closed_open)

    return close


CLOSED = r"cannot read .* \(Permission denied\): check its permissions"


def test_a_store_that_is_closed_to_us_says_so(shelf: ModelStore, close: Callable[[Path], None]) -> None:
    fill(shelf.root / "m", {"m.onnx": MODEL, "tokens.txt": TOKENS})
    close(shelf.root)
    for look in (shelf.present, shelf.path, shelf.accepted, shelf.trusted_on_first_use, shelf.pull):
        with pytest.raises(ModelError, match=CLOSED):
            look(CARD)
    assert not shelf.installed(CARD)
    assert len(shelf.faults(CARD)) == 2


def test_a_stick_that_is_closed_to_us_says_so(
    shelf: ModelStore, close: Callable[[Path], None], tmp_path: Path
) -> None:
    stick = fill(tmp_path / "stick", {"m.onnx": MODEL, "tokens.txt": TOKENS})
    close(stick)
    with pytest.raises(ModelError, match=CLOSED):
        shelf.pull(CARD, from_dir=stick)


def test_a_closed_mirror_does_not_matter_where_the_store_has_the_file(
    tmp_path: Path, close: Callable[[Path], None]
) -> None:
    shelf = ModelStore(tmp_path / "store", [tmp_path / "mirror"])
    fill(shelf.root / "m", {"m.onnx": MODEL, "tokens.txt": TOKENS})
    close(tmp_path / "mirror")
    assert shelf.installed(CARD)


def test_a_machine_s_store_that_is_closed_to_us_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(store, "_SYSTEM_ROOT", tmp_path / "edgeguard" / "models")
    close(tmp_path / "edgeguard")
    with pytest.raises(ModelError, match=CLOSED):
        default_root()


MIRRORED = [card for card in load_catalog().cards if all(file.mirror for file in card.files)]


@pytest.mark.parametrize("card", MIRRORED, ids=lambda card: card.name)
def test_the_mirror_has_what_the_catalog_says(card: ModelCard, mirror: Path, tmp_path: Path) -> None:
    shelf = ModelStore(tmp_path, [mirror])
    assert shelf.faults(card) == []
    for file in card.files:
        if not file.also:
            assert shelf.path(card, file.name).stat().st_size == file.size_bytes


def test_the_mirror_s_labels_fit_yamnet(mirror: Path, tmp_path: Path) -> None:
    labels = ModelStore(tmp_path, [mirror]).labels(load_catalog().card("yamnet"))
    assert len(labels) == 521
    assert labels[0] == "Speech"
