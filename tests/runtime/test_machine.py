"""The box's own health, on trees that look like those of a Jetson and of a PC."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.machine import BoxWatch, look


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")


SECOND_NS = 1_000_000_000
ORIN = {
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "51500",
    "sys/class/thermal/thermal_zone0/trip_point_0_type": "active",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp": "35000",
    "sys/class/thermal/thermal_zone0/trip_point_1_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_1_temp": "99000",
    "sys/class/thermal/thermal_zone0/trip_point_2_type": "critical",
    "sys/class/thermal/thermal_zone0/trip_point_2_temp": "104500",
    "sys/class/thermal/thermal_zone1/type": "gpu-thermal",
    "sys/class/thermal/thermal_zone1/temp": "49000",
    "sys/class/thermal/thermal_zone2/type": "cv0-thermal",
    "sys/class/thermal/thermal_zone2/temp": "-256000",
    "sys/class/hwmon/hwmon2/oc1_event_cnt": "0",
    "sys/class/hwmon/hwmon2/oc3_event_cnt": "2",
    "sys/devices/platform/gpu.0/load": "437",
    "sys/class/hwmon/hwmon3/in1_label": "VDD_IN",
    "sys/class/hwmon/hwmon3/in1_input": "5040",
    "sys/class/hwmon/hwmon3/curr1_input": "1536",
    "sys/class/hwmon/hwmon3/in2_label": "VDD_CPU_GPU_CV",
    "sys/class/hwmon/hwmon3/in2_input": "5040",
    "sys/class/hwmon/hwmon3/curr2_input": "400",
    "var/lib/nvpmodel/status": "pmode:0002",
    "proc/meminfo": "MemTotal:        7800000 kB\nMemFree: 100 kB\nMemAvailable:    3900000 kB",
}


@pytest.fixture
def orin(tmp_path: Path) -> Path:
    write(tmp_path, ORIN)
    return tmp_path


@pytest.fixture
def part() -> Part:
    return HealthBoard(ManualClock(100 * SECOND_NS)).part("box")


def test_a_jetson_tells_all(orin: Path) -> None:
    reading = look(orin, orin)
    values = reading.values()
    assert values.pop("disk_free_bytes") > 0
    assert values == {
        "temperature_c": 51.5,
        "hottest": "cpu-thermal",
        "throttle_events": 2,
        "power_mode": "0002",
        "power_w": 7.74,
        "gpu_load": 0.437,
        "memory_available": 0.5,
    }
    assert [zone.trip_c for zone in reading.zones] == [99.0, None]


def test_the_power_mode_has_the_name_that_the_module_gives_it(orin: Path) -> None:
    write(orin, {"etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >"})
    assert look(orin, orin).power_mode == "MAXN_SUPER"
    write(orin, {"var/lib/nvpmodel/status": "pmode:0000"})
    assert look(orin, orin).power_mode == "15W"


def test_the_load_of_the_gpu_is_found_where_newer_kernels_have_it(orin: Path) -> None:
    (orin / "sys/devices/platform/gpu.0/load").unlink()
    write(orin, {"sys/class/devfreq/17000000.gpu/device/load": "120"})
    assert look(orin, orin).gpu_load == 0.12


def test_a_box_without_any_of_it_says_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "none", tmp_path).values() == {}


def test_all_is_well(orin: Path, part: Part) -> None:
    BoxWatch(part, orin, orin).refresh()
    assert part.state is State.OK
    assert part.report()["temperature_c"] == 51.5


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("sys/class/thermal/thermal_zone0/temp", "94500", "cpu-thermal is at 94 C, the limit is 99 C"),
        ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 20 kB", "2% of the memory is left"),
        ("sys/class/hwmon/hwmon2/oc3_event_cnt", "3", "the clocks are being cut"),
    ],
)
def test_a_worry_is_told_and_gone_when_it_is_over(
    orin: Path, part: Part, file: str, text: str, told: str
) -> None:
    watch = BoxWatch(part, orin, orin)
    watch.refresh()
    write(orin, {file: text})
    watch.refresh()
    assert part.state is State.DEGRADED
    assert told in (part.reason or "")
    write(orin, ORIN)
    assert isinstance(part.clock, ManualClock)
    part.clock.advance(61)
    watch.refresh()
    assert part.state is State.OK


@given(st.dictionaries(st.sampled_from(sorted(ORIN)), st.text(max_size=40)))
def test_nonsense_in_the_files_is_left_out(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("sys")
    write(root, {name: text.encode("utf-8", "ignore").decode() for name, text in files.items()})
    look(root, root)
