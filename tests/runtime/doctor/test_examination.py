"""How checks are run: in time, in order, and whatever they do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.clock import SystemClock
from edgeguard.runtime.doctor import Check, Finding, Verdict, examine, healthy
from edgeguard.runtime.doctor.finding import fault, fine, skipped, warning

CLOCK = SystemClock()


@pytest.mark.parametrize("verdict", [Verdict.WARNING, Verdict.FAULT])
@pytest.mark.parametrize(("said", "cause", "fix"), [("", "c", "f"), ("p", None, "f"), ("p", "c", "")])
def test_what_is_wrong_has_a_problem_a_cause_and_a_fix(
    verdict: Verdict, said: str, cause: str | None, fix: str
) -> None:
    with pytest.raises(ValueError, match="lacks its problem, cause or fix"):
        Finding("disk", verdict, said, None, cause, fix)


def test_a_check_that_raises_is_a_finding() -> None:
    def look() -> Iterator[Finding]:
        yield fine("disk", "there is room")
        raise RuntimeError("no such thing")

    first, second = examine([Check("disk", look)], CLOCK)
    assert first.ok
    assert second.verdict is Verdict.FAULT
    assert second.said == "the check itself failed: no such thing"
    assert "RuntimeError in" in (second.cause or "")


def test_a_check_that_hangs_is_left_behind_with_what_it_found() -> None:
    held = threading.Event()

    def look() -> Iterator[Finding]:
        yield fine("disk", "there is room")
        held.wait(30)

    found = list(examine([Check("disk", look, limit_s=0.3), Check("memory", list)], CLOCK))
    held.set()
    assert [one.verdict for one in found] == [Verdict.OK, Verdict.FAULT]
    assert "did not end within" in found[1].said


def test_what_waits_waits_together_and_is_told_in_order() -> None:
    barrier = threading.Barrier(3, timeout=20)

    def check(name: str) -> Check:
        def look() -> list[Finding]:
            barrier.wait()
            return [fine("camera", "seen", name)]

        return Check("camera", look, name, together=True)

    found = examine([check("a"), check("b"), check("c")], CLOCK)
    assert [one.about for one in found] == ["a", "b", "c"]


def closed(path: Path) -> Check:
    def look() -> list[Finding]:
        if path.exists():
            return [fine("permissions", "it is there", "state")]

        def mend() -> str:
            path.mkdir()
            return "made it"

        return [replace(warning("permissions", "missing", "never made", "make it", "state"), mend=mend)]

    return Check("permissions", look)


def test_what_is_mended_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "state"
    (before,) = examine([closed(path)], CLOCK)
    assert (before.verdict, path.exists()) == (Verdict.WARNING, False)
    (after,) = examine([closed(path)], CLOCK, fix=True)
    assert (after.verdict, after.mended) == (Verdict.OK, "made it")


def test_what_cannot_be_mended_stays_as_it_was_found(tmp_path: Path) -> None:
    (found,) = examine([closed(tmp_path / "no" / "state")], CLOCK, fix=True)
    assert (found.verdict, found.mended) == (Verdict.WARNING, None)


def test_only_a_fault_is_unhealthy() -> None:
    good = [fine("a", "x"), skipped("b", "x"), warning("c", "p", "c", "f")]
    assert healthy(good)
    assert not healthy([*good, fault("d", "p", "c", "f")])


def test_json_has_every_member_whatever_was_found() -> None:
    members = {"check", "about", "verdict", "ok", "said", "cause", "fix", "mended", "took_ms", "figures"}
    for found in (fine("a", "x"), fault("d", "p", "c", "f")):
        assert set(found.as_json()) == members
