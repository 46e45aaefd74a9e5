"""Pictures for calibration and measurement: from a folder or a video, as the tensors that a model takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec
from edgeguard.models.files import reading, sha256_of
from edgeguard.types import Frame, PixelFormat
from edgeguard.vision.calibration import digest_of
from edgeguard.vision.compact import letterbox_of

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
VIDEO_SUFFIXES = {".mp4", ".mkv", ".avi", ".mov"}


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures in a fixed order: the same files give the same list, wherever they lie."""

    source: str
    names: tuple[str, ...]
    frames: tuple[NDArray[np.uint8], ...]
    """Each (height, width, 3), BGR."""
    dataset_sha256: str
    """Over the content of every picture, in order."""

    @property
    def list_sha256(self) -> str:
        return digest_of(self.names)

    def card(self) -> dict[str, Any]:
        """What the model's card says of it."""
        return {
            "images": len(self.names),
            "dataset_sha256": self.dataset_sha256,
            "list_sha256": self.list_sha256,
            "source": self.source,
        }


def open_pictures(place: Path, limit: int | None = None) -> PictureSet:
    """From a folder of pictures (and those below it), or from a video file.

    `limit` of them, spread evenly over all. ModelError for an empty set or an unreadable picture.
    """
    with reading(place):
        is_folder = place.is_dir()
    if not is_folder and place.suffix.lower() in VIDEO_SUFFIXES:
        return _from_video(place, limit)
    paths = [path for path in sorted(place.rglob("*")) if path.suffix.lower() in SUFFIXES]
    return from_files(place, spread(paths, limit))


def from_files(folder: Path, paths: Sequence[Path]) -> PictureSet:
    """These files, in this order; `folder` is what their names are relative to."""
    if not paths:
        raise ModelError(
            f"{folder} has no pictures ({', '.join(sorted(SUFFIXES))}): give a folder with some, or collect "
            f"them with `edgeguard calibrate --from CONFIG`"
        )
    digests = [sha256_of(path) for path in paths]
    names = tuple(path.relative_to(folder).as_posix() for path in paths)
    return PictureSet(folder.name, names, tuple(read_picture(path) for path in paths), digest_of(digests))


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(height, width, 3), BGR, its EXIF orientation ignored as COCO's boxes do."""
    with reading(path):
        data = np.fromfile(path, np.uint8)
    pixels: Any = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    if pixels is None:
        raise ModelError(f"{path} is not a picture that can be read: remove it or replace it")
    return np.asarray(pixels, np.uint8)


def spread(items: Sequence[Any], limit: int | None) -> list[Any]:
    """`limit` items at even distances, the first among them; all where there are no more."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]


class Feeder:
    """Turns pictures into the tensor that one model takes, with the product's own letterbox."""

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._letterbox = letterbox_of(spec)

    def tensor(self, picture: NDArray[np.uint8]) -> NDArray[Any]:
        """(1, ...), in the layout and type of the model."""
        out = np.zeros((1, *self._letterbox.shape), np.float32)
        self._letterbox.into(frame_of(picture), out[0])
        if self._spec.layout == "nhwc":
            out = np.ascontiguousarray(out.transpose(0, 2, 3, 1))
        return out.round().astype(np.uint8) if self._spec.dtype == "uint8" else out

    def feeds(self, pictures: PictureSet) -> list[dict[str, NDArray[Any]]]:
        return [{self._spec.tensor: self.tensor(picture)} for picture in pictures.frames]


def frame_of(picture: NDArray[np.uint8]) -> Frame:
    height, width = picture.shape[:2]
    return Frame("export", 0, 0, 0, 0, width, height, PixelFormat.BGR, (picture,))


def _from_video(path: Path, limit: int | None) -> PictureSet:
    total = sum(1 for _ in _video(path))
    wanted = set(spread(range(total), limit))
    chosen = [(index, frame) for index, frame in enumerate(_video(path)) if index in wanted]
    if not chosen:
        raise ModelError(f"{path} has no picture that can be decoded: give another video")
    digest = hashlib.sha256()
    for _, frame in chosen:
        digest.update(frame.tobytes())
    names = tuple(f"{path.name}#{index}" for index, _ in chosen)
    return PictureSet(path.name, names, tuple(frame for _, frame in chosen), digest.hexdigest())


def _video(path: Path) -> Iterator[NDArray[np.uint8]]:
    video = cv2.VideoCapture(str(path))
    try:
        while True:
            there, frame = video.read()
            if not there:
                return
            yield np.asarray(frame, np.uint8)
    finally:
        video.release()
