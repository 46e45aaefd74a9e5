"""A disk that loses what was not synced, tried at any point of what a process did to one folder.

What a file was given since its last fsync is lost or kept sector by sector, at random; names that were made,
changed or removed since the folder's last fsync are kept up to a random one of them.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_HEADER = struct.Struct("<B7xQqII")
_SECTOR = 512


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done.

    `op`: a file was made (c), written (w), truncated (t), synced (s), renamed (r), removed (u); or the folder
    was synced (d).
    """

    op: str
    inode: int
    offset: int
    name: str
    data: bytes


@dataclass(slots=True)
class _File:
    content: bytearray = field(default_factory=bytearray)
    """Synced."""
    pending: list[Act] = field(default_factory=list)


class Disk:
    """The files of one folder, as the acts so far left them."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._names: dict[str, _File] = {}
        """Synced."""
        self._live: dict[str, _File] = {}
        self._changes: list[tuple[str, _File | None]] = []

    def do(self, act: Act) -> None:
        if act.op == "c":
            self._files[act.inode] = file = _File()
            self._name(act.name, file)
        elif act.op == "r":
            self._name(Path(act.data.decode()).name, self._live.pop(Path(act.name).name))
            self._changes.append((Path(act.name).name, None))
        elif act.op == "u":
            self._live.pop(Path(act.name).name, None)
            self._changes.append((Path(act.name).name, None))
        elif act.op == "d":
            _apply(self._names, self._changes)
            self._changes.clear()
        elif act.op == "s":
            self._files[act.inode].content = _written(self._files[act.inode], None)
            self._files[act.inode].pending.clear()
        else:
            self._files[act.inode].pending.append(act)

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files after a power cut now."""
        names = dict(self._names)
        _apply(names, self._changes[: chance.randint(0, len(self._changes))])
        return {name: bytes(_written(file, chance)) for name, file in names.items()}

    def _name(self, path: str, file: _File) -> None:
        name = Path(path).name
        self._live[name] = file
        self._changes.append((name, file))


def record(folder: Path, program: str, *args: str) -> list[Act]:
    """Run a Python program and write down what it does to the files of `folder`, which is made."""
    log, shim = folder.with_suffix(".log"), folder.with_suffix(".so")
    compile_ = [
        "gcc",
        "-shared",
        "-fPIC",
        "-O1",
        "-o",
        str(shim),
        str(Path(__file__).with_suffix(".c")),
        "-ldl",
    ]
    if shutil.which("gcc") is None:
        pytest.skip("the power-cut model needs gcc: apt install gcc")
    subprocess.run(compile_, check=True)
    folder.mkdir()
    watching = {"LD_PRELOAD": str(shim), "POWERCUT_DIR": str(folder), "POWERCUT_LOG": str(log)}
    command = [sys.executable, "-c", program, str(folder), *args]
    subprocess.run(command, check=True, env={**os.environ, **watching}, timeout=60)
    return list(_acts(log.read_bytes()))


def cuts(acts: Sequence[Act], count: int, seed: int) -> Iterator[tuple[Sequence[Act], dict[str, bytes]]]:
    """`count` power cuts: what had been done before each, and the files after it."""
    chance, disk, done = random.Random(seed), Disk(), 0
    for point in sorted(chance.randint(0, len(acts)) for _ in range(count)):
        for act in acts[done:point]:
            disk.do(act)
        done = point
        yield acts[:point], disk.cut(chance)


def _acts(log: bytes) -> Iterator[Act]:
    at = 0
    while at < len(log):
        op, inode, offset, name_size, data_size = _HEADER.unpack_from(log, at)
        at += _HEADER.size
        name = log[at : at + name_size].decode()
        data = log[at + name_size : at + name_size + data_size]
        at += name_size + data_size
        yield Act(chr(op), inode, offset, name, data)


def _apply(names: dict[str, _File], changes: Sequence[tuple[str, _File | None]]) -> None:
    for name, file in changes:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _written(file: _File, chance: random.Random | None) -> bytearray:
    """The content with what is pending, all of it or, by `chance`, some of it."""
    content = bytearray(file.content)
    for act in file.pending:
        if act.op == "t":
            if chance is None or chance.random() < 0.5:
                content = content[: act.offset].ljust(act.offset, b"\0")
            continue
        for start in range(0, len(act.data), _SECTOR):
            if chance is None or chance.random() < 0.5:
                _put(content, act.offset + start, act.data[start : start + _SECTOR])
    return content


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
