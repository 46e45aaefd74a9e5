"""Boxes as trees of files: what the kernel and the package manager of a Jetson would show."""

from __future__ import annotations

from pathlib import Path

ORIN = {
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64",
    "proc/device-tree/compatible": "nvidia,p3767-0005-super\0nvidia,tegra234\0",
    "var/lib/dpkg/status": (
        "Package: nvidia-l4t-core\nStatus: install ok installed\nVersion: 36.4.3-20250107174145\n"
        "Description: NVIDIA Core Package\n long: and told over\n several lines\n\n"
        "Package: libnvinfer10\nStatus: install ok installed\nVersion: 10.3.0.30-1+cuda12.5\n\n"
        "Package: cuda-cudart-12-6\nStatus: install ok installed\nVersion: 12.6.68-1\n\n"
        "Package: cuda-cudart-13-0\nStatus: deinstall ok config-files\nVersion: 13.0.1-1\n"
    ),
    "etc/nvpmodel.conf": (
        "< POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=1 NAME=25W >\n"
        "< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n< PM_CONFIG DEFAULT=1 >"
    ),
    "var/lib/nvpmodel/status": "pmode:0001",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "51500",
    "sys/class/thermal/thermal_zone0/trip_point_1_type": "passive",
    "sys/class/thermal/thermal_zone0/trip_point_1_temp": "99000",
    "sys/class/hwmon/hwmon2/oc1_event_cnt": "0",
    "sys/class/rtc/rtc0/name": "tegra-rtc",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "schedutil",
    "proc/meminfo": "MemTotal:        7800000 kB\nMemAvailable:    3900000 kB",
}


def plant(root: Path, **changes: str | None) -> Path:
    """The tree of an Orin with JetPack 6.2 that is well; a change of None leaves a file out."""
    for name, text in {**ORIN, **changes}.items():
        if text is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(f"{text}\n")
    return root
