"""Pictures that a model is calibrated on: a folder of PNG files, masked before they are written.

`<camera>/day/000000.png`, `<camera>/night/000000.png`, ... and `calibration.json`, which lists them. The
same pictures give the same digests, whatever machine counts them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import StorageError
from edgeguard.files import write_whole
from edgeguard.models.files import sha256_of
from edgeguard.types import Frame, Polygon
from edgeguard.vision.colour import bgr
from edgeguard.vision.snapshot import mask

LIGHTS = ("day", "night")
LIST = "calibration.json"
DARK = 50
"""Mean brightness (0..255) below which it is night."""
GREY = 4
"""Mean difference of colours (0..255) below which a camera sees by infrared."""


class CalibrationFolder:
    """Takes up to `per_light` pictures of each camera by day, and as many by night; a later run goes on.

    Only its owner may enter the folder: the pictures show people. StorageError if the disk refuses.
    """

    def __init__(self, folder: Path, per_light: int) -> None:
        self.folder = folder
        self.per_light = per_light
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(
                f"cannot make the folder {folder} ({error.strerror}): choose another"
            ) from error

    def add(self, frame: Frame, masks: Sequence[Polygon]) -> bool:
        """Keep the frame, unless there are enough of its camera in this light; whether it was kept."""
        picture = bgr(frame)
        light = light_of(picture)
        count = self.count(frame.source, light)
        if count >= self.per_light:
            return False
        mask(picture, masks)
        self._write(self.folder / frame.source / light / f"{count:06}.png", picture)
        return True

    def count(self, camera: str, light: str) -> int:
        """Pictures of a camera in this light."""
        return sum(1 for _ in (self.folder / camera / light).glob("*.png"))

    def finish(self) -> tuple[int, str]:
        """Write the list; how many pictures there are, and the digest of them all."""
        paths = sorted(self.folder.rglob("*.png"))
        digests = [sha256_of(path) for path in paths]
        names = [path.relative_to(self.folder).as_posix() for path in paths]
        content = {
            "dataset_sha256": digest_of(digests),
            "list_sha256": digest_of(names),
            "pictures": [
                {"name": name, "sha256": digest} for name, digest in zip(names, digests, strict=True)
            ],
        }
        self._put(self.folder / LIST, (json.dumps(content, indent=1) + "\n").encode())
        return len(paths), digest_of(digests)

    def _write(self, path: Path, picture: NDArray[np.uint8]) -> None:
        encoded, data = cv2.imencode(".png", picture)
        if not encoded:
            raise StorageError(f"{path} could not be encoded as PNG")
        self._put(path, bytes(data))

    def _put(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            raise StorageError(f"cannot write {path} ({error.strerror}): free space on that disk") from error


def light_of(picture: NDArray[np.uint8]) -> str:
    """`night` for a dark picture and for a colourless one, which infrared makes; else `day`."""
    small = cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA).astype(np.int16)
    colour = float((small.max(axis=2) - small.min(axis=2)).mean())
    return "night" if small.mean() < DARK or colour < GREY else "day"


def digest_of(lines: Iterable[str]) -> str:
    """SHA-256 over lines: of the pictures' digests for the data set, of their names for the list."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
