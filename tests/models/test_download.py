from __future__ import annotations

import errno
import fcntl
import hashlib
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from edgeguard import files
from edgeguard.errors import ModelError
from edgeguard.models.download import download
from tests.models.conftest import Upstream

DATA = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model" / "a.onnx"


def part(target: Path) -> Path:
    return target.with_name("a.onnx.part")


def started(target: Path, data: bytes) -> None:
    """What an earlier try left behind."""
    target.parent.mkdir()
    part(target).write_bytes(data)


def fetch(upstream: Upstream, target: Path, **options: Any) -> str:
    return download(upstream.add("/a.onnx", DATA), target, **{"digests": {SHA256}, **options})


def test_brings_the_file_and_says_its_digest(upstream: Upstream, target: Path) -> None:
    assert fetch(upstream, target) == SHA256
    assert target.read_bytes() == DATA
    assert list(target.parent.iterdir()) == [target]


def test_tells_how_far_it_is(upstream: Upstream, target: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    fetch(upstream, target, progress=lambda *now: told.append(now))
    assert told[-1] == ("a.onnx", len(DATA), len(DATA))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_goes_on_where_an_earlier_try_stopped(upstream: Upstream, target: Path) -> None:
    started(target, DATA[:1000])
    fetch(upstream, target)
    assert upstream.requests == [("/a.onnx", "bytes=1000-")]
    assert target.read_bytes() == DATA


def test_goes_on_by_itself_when_the_line_breaks(upstream: Upstream, target: Path) -> None:
    upstream.cuts = [100_000, 200_000]
    fetch(upstream, target)
    assert [wanted for _, wanted in upstream.requests] == [None, "bytes=100000-", "bytes=300000-"]
    assert target.read_bytes() == DATA


def test_gives_up_when_nothing_comes_any_more_and_keeps_what_came(upstream: Upstream, target: Path) -> None:
    upstream.cuts = [100_000, 0]
    with pytest.raises(ModelError, match="broke off: run the pull again"):
        fetch(upstream, target)
    assert part(target).read_bytes() == DATA[:100_000]
    assert not target.exists()


def test_starts_anew_if_the_server_cannot_go_on(upstream: Upstream, target: Path) -> None:
    started(target, b"x" * 1000)
    upstream.ranges = False
    assert fetch(upstream, target) == SHA256


@pytest.mark.parametrize("left", [DATA + b"more", DATA], ids=["too long", "complete"])
@pytest.mark.parametrize("size_bytes", [None, len(DATA)])
def test_copes_with_a_part_that_is_not_short(
    upstream: Upstream, target: Path, left: bytes, size_bytes: int | None
) -> None:
    started(target, left)
    assert fetch(upstream, target, size_bytes=size_bytes) == SHA256
    assert target.read_bytes() == DATA


def test_throws_away_what_is_not_the_file_and_leaves_the_old_one(upstream: Upstream, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(ModelError, match=f"has SHA-256 {SHA256}, expected 0000"):
        fetch(upstream, target, digests={"0" * 64})
    assert target.read_bytes() == b"old"
    assert not part(target).exists()


def test_a_damaged_part_costs_one_more_try(upstream: Upstream, target: Path) -> None:
    started(target, b"damaged")
    with pytest.raises(ModelError, match="thrown away"):
        fetch(upstream, target)
    assert fetch(upstream, target) == SHA256


def test_without_a_digest_never_joins_halves(upstream: Upstream, target: Path) -> None:
    started(target, DATA[:1000])
    upstream.cuts = [5000]
    with pytest.raises(ModelError, match="broke off"):
        fetch(upstream, target, digests=())
    assert fetch(upstream, target, digests=()) == SHA256
    assert [wanted for _, wanted in upstream.requests] == [None, None]


def test_stops_when_more_comes_than_it_should(upstream: Upstream, target: Path) -> None:
    with pytest.raises(ModelError, match="more than 1000 bytes"):
        fetch(upstream, target, size_bytes=1000)


@pytest.mark.parametrize(("code", "word"), [(404, "--from DIR"), (410, "gone"), (503, "try again later")])
def test_says_what_the_server_refused(upstream: Upstream, target: Path, code: int, word: str) -> None:
    upstream.refusals["/a.onnx"] = code
    with pytest.raises(ModelError, match=f"{code}.*{word}|{word}.*{code}"):
        fetch(upstream, target)


def test_says_how_to_do_without_the_network(target: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match=r"cannot reach 127\.0\.0\.1.*--from DIR"):
        download(f"http://127.0.0.1:{port}/a.onnx", target, digests={SHA256})


def test_follows_a_redirect(upstream: Upstream, target: Path) -> None:
    upstream.add("/real", DATA)
    upstream.redirects["/a.onnx"] = upstream.url("/real")
    assert fetch(upstream, target) == SHA256


@pytest.mark.parametrize("where", ["http://example.org/a", "ftp://example.org/a", "file:///etc/passwd"])
def test_goes_nowhere_but_to_https(upstream: Upstream, target: Path, where: str) -> None:
    with pytest.raises(ModelError, match="HTTPS"):
        download(where, target, digests={SHA256})
    upstream.redirects["/a.onnx"] = where
    with pytest.raises(ModelError, match=r"not HTTPS|not allowed"):
        fetch(upstream, target)


def test_two_do_not_write_the_same_file(upstream: Upstream, target: Path) -> None:
    started(target, b"")
    with part(target).open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="another process"):
            fetch(upstream, target)


def test_asks_for_space_before_it_fetches(
    upstream: Upstream, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(ModelError, match=f"10 bytes free, {len(DATA)} are needed"):
        fetch(upstream, target, size_bytes=len(DATA))
    assert upstream.requests == []


@pytest.mark.parametrize(("code", "word"), [(errno.ENOSPC, "is full"), (errno.EACCES, "--store")])
def test_the_disk_s_refusal_is_a_sentence(
    upstream: Upstream, target: Path, monkeypatch: pytest.MonkeyPatch, code: int, word: str
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr(files, "sync", refuse)
    with pytest.raises(ModelError, match=word):
        fetch(upstream, target)
