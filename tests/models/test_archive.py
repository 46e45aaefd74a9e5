from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeguard.errors import ModelError
from edgeguard.models import archive as module
from edgeguard.models.archive import extract


def pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:bz2") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def plain(name: str, data: bytes = b"data") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), data


def link(name: str, kind: bytes, where: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, where
    return info, b""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("prefix", ["", "./"])
def test_takes_what_is_wanted_and_nothing_else(tmp_path: Path, out: Path, prefix: str) -> None:
    names = ("m/readme.md", "m/model.onnx", "m/test/0.wav", "m/tokens.txt", "model.onnx")
    packed = pack(tmp_path / "m.tar.bz2", *(plain(prefix + name, name.encode()) for name in names))
    extract(packed, "m", ["tokens.txt", "model.onnx"], out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        "tokens.txt": b"m/tokens.txt",
        "model.onnx": b"m/model.onnx",
    }


@pytest.mark.parametrize(
    "member",
    [
        plain("/m/model.onnx"),
        plain("../m/model.onnx"),
        plain("m/../model.onnx"),
        link("m/model.onnx", tarfile.SYMTYPE, "/etc/passwd"),
        link("m/model.onnx", tarfile.LNKTYPE, "m/other"),
        link("m/model.onnx", tarfile.FIFOTYPE, ""),
        link("m/model.onnx", tarfile.CHRTYPE, ""),
    ],
    ids=["absolute", "above", "dots", "symlink", "hard link", "fifo", "device"],
)
def test_takes_no_file_that_is_not_plainly_there(
    tmp_path: Path, out: Path, member: tuple[tarfile.TarInfo, bytes]
) -> None:
    packed = pack(tmp_path / "m.tar.bz2", plain("m/other", b"secret"), member)
    with pytest.raises(ModelError, match=r"no plain file m/model\.onnx"):
        extract(packed, "m", ["model.onnx"], out)
    assert list(out.iterdir()) == []


def test_stops_at_a_bomb(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT_BYTES", 1000)
    packed = pack(tmp_path / "m.tar.bz2", plain("m/junk", bytes(2000)), plain("m/model.onnx"))
    with pytest.raises(ModelError, match="unpacks to more than 1000"):
        extract(packed, "m", ["model.onnx"], out)


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: b"not an archive", lambda data: data[: len(data) // 2]]
)
def test_a_damaged_archive_is_a_sentence(tmp_path: Path, out: Path, damage: Callable[[bytes], bytes]) -> None:
    packed = pack(tmp_path / "m.tar.bz2", plain("m/model.onnx", bytes(range(256)) * 100))
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(ModelError, match=r"m\.tar\.bz2 is damaged"):
        extract(packed, "m", ["model.onnx"], out)
