"""The checks of the box itself, on trees of files."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import DependencyError
from edgeguard.runtime.doctor import Finding, Verdict
from edgeguard.runtime.doctor.box import memory, thermal
from edgeguard.runtime.doctor.clocks import clocks
from edgeguard.runtime.doctor.disk import disk, size_of
from edgeguard.runtime.doctor.gpu import gpu as look_for_gpu
from edgeguard.runtime.doctor.jetpack import installed, jetpack
from edgeguard.runtime.doctor.power import power
from edgeguard.runtime.doctor.service import service
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.machine import BoxWatch
from tests.runtime.doctor.trees import ORIN, plant
from tests.support.gpu import FakeGpu

STATUS = "var/lib/dpkg/status"
RELEASE = "etc/nv_tegra_release"
TODAY = ManualClock(0, int(datetime(2026, 6, 1, tzinfo=timezone.utc).timestamp()) * 10**9)


def worst(findings: list[Finding]) -> Finding:
    order = [Verdict.SKIPPED, Verdict.OK, Verdict.WARNING, Verdict.FAULT]
    return max(findings, key=lambda finding: order.index(finding.verdict))


def jetson(root: Path) -> list[Finding]:
    return list(jetpack(root, "aarch64", (3, 10)))


def test_a_jetson_that_is_a_row_of_the_matrix_is_named(tmp_path: Path) -> None:
    (found,) = jetson(plant(tmp_path))
    assert found.verdict is Verdict.OK
    assert found.said.startswith("JetPack 6.1 to 6.2.2 (L4T 36.4)")
    assert found.figures == {"l4t": "36.4", "cuda": "12.6", "tensorrt": "10.3", "python": "3.10"}


def test_cuda_is_told_by_its_own_file_before_packages(tmp_path: Path) -> None:
    root = plant(tmp_path, **{"usr/local/cuda/version.json": '{"cuda": {"version": "12.9.1"}}'})
    assert installed(root).cuda == "12.9"


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        ({RELEASE: "# R35 (release), REVISION: 4.1"}, Verdict.FAULT, "JetPack 5 (L4T 35.4) is not supported"),
        ({RELEASE: "# R32 (release), REVISION: 7.4"}, Verdict.FAULT, "JetPack 4 (L4T 32.7)"),
        ({RELEASE: "# R36 (release), REVISION: 3.0"}, Verdict.FAULT, "JetPack 6.0 (L4T 36.3)"),
        ({RELEASE: "# R41 (release), REVISION: 1.0"}, Verdict.WARNING, "no row of the support matrix"),
        ({RELEASE: None}, Verdict.FAULT, "which L4T release runs is not told"),
        ({STATUS: ""}, Verdict.WARNING, "TensorRT is not installed"),
        ({STATUS: ORIN[STATUS].replace("10.3.0.30", "10.7.0.1")}, Verdict.WARNING, "TensorRT is 10.7"),
        ({"usr/local/cuda/version.json": '{"cuda": {"version": "13.1"}}'}, Verdict.WARNING, "CUDA is 13.1"),
        ({"usr/local/cuda/version.json": "damaged"}, Verdict.OK, "CUDA"),
    ],
)
def test_what_differs_from_the_matrix_is_said(
    tmp_path: Path, changes: dict[str, str | None], verdict: Verdict, said: str
) -> None:
    found = worst(jetson(plant(tmp_path, **changes)))
    assert found.verdict is verdict
    assert said.lower() in found.said.lower()


def test_another_python_than_the_system_s_is_said(tmp_path: Path) -> None:
    found = list(jetpack(plant(tmp_path), "aarch64", (3, 12)))
    assert [one.about for one in found] == [None, "python"]


def test_a_pc_is_no_row_and_that_is_said(tmp_path: Path) -> None:
    (found,) = jetpack(tmp_path, "x86_64", (3, 11))
    assert found.verdict is Verdict.SKIPPED
    assert "does not apply" in found.said


def no_gpu() -> CtypesCuda:
    raise DependencyError("libcuda.so.1 is missing")


def no_tensorrt() -> object:
    raise DependencyError("TensorRT is not installed: apt install python3-libnvinfer")


def test_a_gpu_is_missed_only_where_there_is_one(tmp_path: Path, gpu: FakeGpu) -> None:
    assert [one.verdict for one in look_for_gpu(tmp_path, no_gpu)] == [Verdict.SKIPPED]
    device = {"sys/bus/pci/devices/0/vendor": "0x10de", "sys/bus/pci/devices/0/class": "0x030000"}
    for name, text in device.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert [one.verdict for one in look_for_gpu(tmp_path, no_gpu)] == [Verdict.FAULT]
    found = list(look_for_gpu(tmp_path, lambda: CtypesCuda(gpu.libcuda), no_tensorrt))  # type: ignore[arg-type]
    assert [one.verdict for one in found] == [Verdict.OK, Verdict.WARNING]
    assert "Fake Orin" in found[0].said


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        ({}, Verdict.OK, "power mode 25W, of 15W, 25W, MAXN_SUPER"),
        ({"var/lib/nvpmodel/status": "pmode:0002"}, Verdict.OK, "MAXN_SUPER"),
        ({"var/lib/nvpmodel/status": "pmode:0000"}, Verdict.WARNING, "15W, below the module's usual 25W"),
        ({"var/lib/nvpmodel/status": "pmode:0009"}, Verdict.WARNING, "does not name"),
    ],
)
def test_a_power_mode_below_the_usual_one_is_said(
    tmp_path: Path, changes: dict[str, str], verdict: Verdict, said: str
) -> None:
    found = next(iter(power(plant(tmp_path, **changes))))
    assert (found.verdict, said in found.said) == (verdict, True)


def test_a_governor_that_stays_slow_is_said_and_intel_s_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq"
    folder.mkdir(parents=True)
    (folder / "scaling_governor").write_text("powersave\n")
    assert [one.verdict for one in power(tmp_path)] == [Verdict.WARNING]
    (folder / "scaling_driver").write_text("intel_pstate\n")
    assert [one.verdict for one in power(tmp_path)] == [Verdict.OK]


def test_heat_is_said_before_the_kernel_acts(tmp_path: Path) -> None:
    assert thermal(plant(tmp_path)).verdict is Verdict.OK
    plant(tmp_path, **{"sys/class/thermal/thermal_zone0/temp": "96000"})
    assert "96 C, and the kernel acts at 99 C" in thermal(tmp_path).said
    plant(tmp_path, **{"sys/class/hwmon/hwmon2/oc1_event_cnt": "3"})
    assert "cut 3 times" in thermal(tmp_path).said


@pytest.mark.parametrize(
    ("available", "verdict"), [(3_900_000, Verdict.OK), (400_000, Verdict.OK), (380_000, Verdict.FAULT)]
)
def test_memory_is_too_little_where_the_guards_own_health_says_so(
    tmp_path: Path, available: int, verdict: Verdict
) -> None:
    text = f"MemTotal:        7800000 kB\nMemAvailable:    {available} kB"
    box = plant(tmp_path, **{"proc/meminfo": text})
    part = HealthBoard(ManualClock()).part("box")
    BoxWatch(part, box, box).refresh()
    assert memory(box).verdict is verdict
    assert (part.state is State.DEGRADED) is (verdict is Verdict.FAULT)


def test_a_clock_that_was_never_set_is_a_fault(tmp_path: Path) -> None:
    never = ManualClock(0, 0)
    assert [one.verdict for one in clocks(never, plant(tmp_path))] == [Verdict.FAULT]
    assert [one.verdict for one in clocks(TODAY, tmp_path, lambda: True)] == [Verdict.OK]
    assert [one.verdict for one in clocks(TODAY, tmp_path, lambda: False)] == [Verdict.WARNING]
    assert [one.verdict for one in clocks(TODAY, tmp_path, lambda: None)] == [Verdict.SKIPPED]


def test_a_box_without_a_battery_is_told(tmp_path: Path) -> None:
    assert "rtc" in {one.check for one in clocks(TODAY, tmp_path, lambda: True)}


def test_room_on_the_disk_is_held_against_the_bounds(tmp_path: Path) -> None:
    assert disk(tmp_path / "not" / "yet", 1, 1).verdict is Verdict.OK
    assert disk(tmp_path, 1, 10**18).verdict is Verdict.WARNING
    assert disk(tmp_path, 10**18, 1).verdict is Verdict.FAULT


def test_the_size_of_what_is_kept_is_counted(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.jpg").write_bytes(b"x" * 1000)
    assert size_of(tmp_path) == 1000
    assert size_of(tmp_path / "none") == 0


UNITS = (
    *("edgeguard.service", "edgeguard-engines.service"),
    *("edgeguard-retention.timer", "edgeguard-drill.timer"),
)


def systemd(root: Path, *enabled: str) -> Path:
    (root / "run/systemd/system").mkdir(parents=True)
    folder = root / "etc/systemd/system"
    for name in UNITS:
        wants = folder / ("timers.target.wants" if name.endswith("timer") else "multi-user.target.wants")
        wants.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("[Unit]\n")
        if name in enabled:
            (wants / name).symlink_to(folder / name)
    return root


def test_units_that_are_not_enabled_are_said(tmp_path: Path) -> None:
    well, lazy = systemd(tmp_path / "well", *UNITS), systemd(tmp_path / "lazy", *UNITS[1:])
    assert [one.verdict for one in service(well, running=True)] == [Verdict.OK]
    found = list(service(lazy, running=True))
    assert found[0].said == "edgeguard.service is not enabled: the guard does not start with the box"
    assert found[0].fix == "sudo systemctl enable --now edgeguard.service"
    assert worst(list(service(well, running=False))).verdict is Verdict.FAULT


def test_without_systemd_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert [one.verdict for one in service(tmp_path)] == [Verdict.SKIPPED]


def test_a_box_on_which_nothing_was_installed_says_so(tmp_path: Path) -> None:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert [one.said for one in service(tmp_path)] == ["edgeguard.service is not installed"]
