"""Everything wrong at once: each check finds it, and says the problem, its cause and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from edgeguard.broker.authority import Authority
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.runtime.assembly import doctoring
from edgeguard.runtime.assembly.doctoring import Patient, admit, checks
from edgeguard.runtime.doctor import Check, Finding, Verdict, examine
from edgeguard.runtime.doctor import elements as elements_module
from edgeguard.runtime.doctor.gpu import gpu
from tests.runtime.doctor.test_box import no_gpu, systemd
from tests.runtime.doctor.trees import plant
from tests.support.broker import free_port
from tests.support.daemon import settings

SICK_BOX = {
    "etc/nv_tegra_release": "# R35 (release), REVISION: 4.1",
    "var/lib/nvpmodel/status": "pmode:0000",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave",
    "sys/class/thermal/thermal_zone0/temp": "98000",
    "sys/class/rtc/rtc0/name": None,
    "proc/meminfo": "MemTotal:        7800000 kB\nMemAvailable:    39000 kB",
}


def sick_site(folder: Path) -> Path:
    """A configuration that is valid, and nothing of it there."""
    year_ago = ManualClock(0, SystemClock().utc_ns() - 365 * 86_400 * 10**9)
    authority = Authority.create(folder / "pki", "Depot", year_ago)
    issued = authority.client("depot/gate-1", 30)
    (folder / "password").write_text("hunter2\n")
    (folder / "password").chmod(0o666)
    detector = {"model": "yolox-nano-416", "fallback": "none"}
    config = settings(
        free_port(),
        {
            "gone": {"url": f"rtsp://127.0.0.1:{free_port()}/x", "connect_s": 2},
            "locked": {
                "url": f"rtsp://127.0.0.1:{free_port()}/x",
                "username": "guard",
                "password_file": str(folder / "password"),
            },
        },
        [],
        detector=detector,
        microphones={"hall": {"url": "alsa://plughw:77,0"}},
        log={"observations": True, "observations_max_bytes": 10**15},
    )
    config["mqtt"] |= {
        "host": "localhost",
        "tls": {
            "enabled": True,
            "ca_file": str(folder / "pki" / "ca.crt"),
            "cert_file": str(issued.certificate),
            "key_file": str(issued.key),
        },
    }
    path = folder / "edgeguard.yaml"
    path.write_text(yaml.safe_dump(config))
    path.chmod(0o666)
    return path


@pytest.fixture
def sick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    for name in ("EDGEGUARD_STATE_DIR", "EDGEGUARD_MODELS", "EDGEGUARD_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(elements_module, "available", lambda _names: frozenset[str]())
    # Another test of this process may have loaded a fake driver, which then is found by its name.
    monkeypatch.setattr(doctoring, "gpu", lambda root: gpu(root, no_gpu))
    root = systemd(plant(tmp_path / "root", **SICK_BOX))
    return replace(admit(sick_site(tmp_path), SystemClock()), root=root)


def asked(patient: Patient) -> list[Check]:
    """All but one that would load the real libEGL, in whose place other tests of this process put a fake."""
    return [check for check in checks(patient) if check.name != "zero_copy"]


def bad(found: list[Finding]) -> dict[str, list[Finding]]:
    by_check: dict[str, list[Finding]] = {}
    for finding in found:
        if not finding.ok:
            by_check.setdefault(finding.check, []).append(finding)
    return by_check


def test_each_check_finds_what_is_wrong_and_says_what_to_do(sick: Patient) -> None:
    every = asked(sick)
    found = list(examine(every, sick.clock))
    wrong = bad(found)
    expected = {check.name for check in every} - {"engine", "clock"}
    assert expected <= wrong.keys()
    for finding in (one for several in wrong.values() for one in several):
        assert all(text and text.strip() == text for text in (finding.said, finding.cause, finding.fix))
        assert "the check itself failed" not in finding.said, finding
        assert "hunter2" not in f"{finding.said} {finding.cause} {finding.fix}"
    assert {one.about for one in wrong["camera"]} == {"gone", "locked"}


def test_every_check_comes_to_its_end_in_time_and_says_something(sick: Patient) -> None:
    for check in asked(sick):
        found = list(examine([check], sick.clock))
        assert found, f"{check.name} says nothing"
        assert not any("did not end within" in finding.said for finding in found)
        assert all(finding.took_ms is not None for finding in found)


def test_without_a_configuration_the_box_is_looked_at(tmp_path: Path) -> None:
    every = checks(Patient(SystemClock(), root=plant(tmp_path)))
    assert every[0].name == "config"
    found = list(examine([check for check in every if check.quick], SystemClock()))
    assert found[0].verdict is Verdict.SKIPPED
    assert "no configuration was named" in found[0].said


def test_what_the_daemon_does_needs_no_device_and_no_network(sick: Patient) -> None:
    quick = {check.name for check in checks(sick) if check.quick}
    assert not quick & {"camera", "microphone", "broker", "gpu", "zero_copy", "model", "engine", "decoder"}
    assert {"permissions", "certificate", "disk", "config", "clock"} <= quick
