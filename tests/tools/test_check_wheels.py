"""What the check of wheels asks, without asking: `make check` runs it for real."""

from __future__ import annotations

import check_wheels
import pytest


def test_a_box_takes_the_wheels_of_its_own_c_library_and_of_older_ones() -> None:
    tags = check_wheels.platforms("3.10")
    assert tags[0] == "manylinux_2_35_aarch64"
    assert "manylinux_2_17_aarch64" in tags
    assert "manylinux_2_39_aarch64" not in tags
    assert "manylinux_2_39_aarch64" in check_wheels.platforms("3.12")


def test_markers_are_judged_by_the_box_and_not_by_this_machine() -> None:
    lines = [
        "a>=1; python_version < '3.11'",
        "b; platform_machine == 'x86_64'",
        "c; platform_machine == 'aarch64'",
        "d; extra == 'fast'",
        "e",
    ]
    names = {str(one) for one in check_wheels.applying(lines, "3.10", ())}
    assert names == {"a>=1", "c", "e"}
    assert {str(one) for one in check_wheels.applying(lines, "3.12", ("fast",))} == {"c", "d", "e"}


def test_what_is_declared_holds_the_extras_of_a_box() -> None:
    declared = " ".join(check_wheels.declared())
    for name in ("numpy", "prometheus-client", "fastapi", "sentencepiece", "cryptography"):
        assert name in declared
    assert "pycuda" not in declared


def report(name: str, *requires: str) -> dict[str, object]:
    url = f"https://files.example/{name}-1.0-cp310-cp310-manylinux_2_17_aarch64.whl"
    return {"metadata": {"name": name, "requires_dist": list(requires)}, "download_info": {"url": url}}


def test_what_only_the_box_needs_is_asked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip itself would leave it out, as this machine's Python does not need it."""
    asked: list[list[str]] = []

    def answer(_python: str, wanted: list[str]) -> list[dict[str, object]]:
        asked.append(list(wanted))
        names = [report("anyio", "exceptiongroup>=1; python_version < '3.11'")]
        return [*names, report("exceptiongroup")] if len(asked) > 1 else names

    monkeypatch.setattr(check_wheels, "declared", lambda: ["anyio"])
    monkeypatch.setattr(check_wheels, "_asked", answer)
    assert set(check_wheels.resolve("3.10")) == {"anyio", "exceptiongroup"}
    assert asked == [["anyio"], ["anyio", "exceptiongroup>=1"]]


def test_what_has_no_wheel_is_named_and_no_network_is_no_fault() -> None:
    said = "ERROR: Could not find a version\nERROR: No matching distribution found for pycuda>=2024.1"
    failure = check_wheels._failure(said)
    assert isinstance(failure, check_wheels.NoWheelError)
    assert str(failure) == "No matching distribution found for pycuda>=2024.1"
    offline = check_wheels._failure("NewConnectionError: Temporary failure in name resolution")
    assert isinstance(offline, check_wheels.OfflineError)


def test_a_wheel_for_another_machine_is_none() -> None:
    item = report("numpy")
    item["download_info"] = {"url": "https://files.example/numpy-1.0-cp310-cp310-win_amd64.whl"}
    with pytest.raises(check_wheels.NoWheelError):
        check_wheels._wheel(item)


def test_what_is_lacking_is_told_though_the_network_goes_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def resolve(python: str) -> dict[str, str]:
        if python == "3.10":
            raise check_wheels.NoWheelError("No matching distribution found for numpy")
        raise check_wheels.OfflineError("no index of packages answers")

    monkeypatch.setattr(check_wheels, "resolve", resolve)
    assert check_wheels.main() == 1
    assert '"ok": false' in capsys.readouterr().out
