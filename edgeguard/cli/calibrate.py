"""`edgeguard calibrate`: pictures of the site's own cameras, for the ranges of INT8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.cli._output import fail
from edgeguard.cli._progress import steps
from edgeguard.clock import Clock, SystemClock
from edgeguard.config import Config, load
from edgeguard.config.cameras import Camera
from edgeguard.errors import EndOfStreamError, UnavailableError
from edgeguard.runtime.assembly.sources import frame_source
from edgeguard.vision.calibration import LIGHTS, CalibrationFolder
from edgeguard.wording import counted

_READ_S = 1.0


def calibrate(
    config_file: Annotated[Path, typer.Option("--from", metavar="CONFIG", help="Whose cameras to look at.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the pictures.")] = Path(
        "calibration"
    ),
    pictures: Annotated[
        int, typer.Option(min=1, max=10_000, help="Pictures of each camera by day, and as many by night.")
    ] = 200,
    every_s: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds from one to the next.")
    ] = 5.0,
    minutes: Annotated[float, typer.Option(min=0.01, help="Time for each camera at most.")] = 60.0,
    camera: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this camera; may be repeated.")
    ] = None,
) -> None:
    """Collect pictures to calibrate a model on: masked, by day and by night. Run it once in each."""
    cameras = _cameras(load(config_file), camera or [])
    folder = CalibrationFolder(out, pictures)
    faults = []
    with steps() as show:
        for name, settings in cameras.items():
            try:
                collect(name, settings, folder, SystemClock(), every_s, minutes * 60, show)
            except UnavailableError as error:
                faults.append(f"camera {name}: {error}")
            for light in LIGHTS:
                print(f"{name}: {counted(folder.count(name, light), 'pictures')} by {light}")
    count, digest = folder.finish()
    if count:
        print(f"{counted(count, 'pictures')} in {out}, data set {digest}")
        print(f"next: python -m export.quantise MODEL --calibration {out}")
    else:
        faults.append("no camera gave a picture: check them with `edgeguard check`")
    if faults:
        fail("\n".join(faults))


def collect(
    name: str,
    camera: Camera,
    folder: CalibrationFolder,
    clock: Clock,
    every_s: float,
    limit_s: float,
    show: Callable[[str, int, int], None],
) -> None:
    """Pictures of one camera until there are enough in this light, its clip ends, or `limit_s` is over.

    Raises SourceError if the camera fails, and StorageError if the disk does.
    """
    source = frame_source(name, camera, clock, 1 / every_s)
    end_ns = clock.monotonic_ns() + round(limit_s * 1e9)
    kept = 0
    try:
        source.open()
        while kept < folder.per_light and clock.monotonic_ns() < end_ns:
            frame = source.read(_READ_S)
            if frame is None:
                continue
            if not folder.add(frame, camera.masks):
                return
            kept += 1
            show(name, kept, folder.per_light)
    except EndOfStreamError:
        return
    finally:
        source.close()


def _cameras(config: Config, names: list[str]) -> dict[str, Camera]:
    """The cameras of that name, or all that are enabled."""
    for name in names:
        if name not in config.cameras:
            fail(f"the configuration has no camera {name}, only {', '.join(sorted(config.cameras))}", code=2)
    return {
        name: camera
        for name, camera in config.cameras.items()
        if (name in names if names else camera.enabled)
    }
