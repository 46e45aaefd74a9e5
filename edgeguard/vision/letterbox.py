"""From a frame of any size and layout to the tensor that a network takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Frame, PixelFormat
from edgeguard.vision.colour import bgr_matrix

T = TypeVar("T", bound=np.generic)

_STEPS = 256


@dataclass(frozen=True, slots=True)
class Transform:
    """How a frame was scaled: tensor pixels per frame pixel."""

    scale_x: float
    scale_y: float

    def to_frame(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 4) corners in the tensor as corners in the frame, which they may exceed."""
        scale = [self.scale_x, self.scale_y] * 2
        return np.divide(xyxy, scale, dtype=np.float32)


class Letterbox:
    """Scales frames to `width_px` x `height_px` and normalises them: (value 0..255 - mean) / std.

    `mode` is `top_left` (proportions kept, `pad` to the right and below) or `stretch`. `order` is `bgr` or
    `rgb`; `mean` and `std` follow it. Y'CbCr planes are scaled before they are converted, and in 16 bits: the
    matrix would make up to two and a half levels of the 8-bit roundings of three planes. For one thread: the
    working memory is reused.
    """

    def __init__(
        self,
        width_px: int,
        height_px: int,
        pad: int = 114,
        mode: str = "top_left",
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        order: str = "bgr",
    ) -> None:
        if mode not in ("top_left", "stretch") or order not in ("bgr", "rgb"):
            raise ValueError(
                f"mode is {mode!r} and order {order!r}: expected top_left or stretch, bgr or rgb"
            )
        self.shape = (3, height_px, width_px)
        self._keep_proportions = mode == "top_left"
        self._rows = [0, 1, 2] if order == "bgr" else [2, 1, 0]
        self._mean, self._std = np.array(mean), np.array(std)
        self.pad, self.low, self.high = (self._normalised(value) for value in (pad, 0, 255))
        """(3,): the normalised values of what no picture covers, of black and of white."""
        area = height_px * width_px
        self._pixels = np.empty(3 * area, np.uint8), *np.empty((2, 3 * area), np.float32)
        self._levels = np.empty((3, area), np.uint16)
        self._wide = np.empty(0, np.uint16)
        self._third = np.empty(area, np.float32)

    def into(self, frame: Frame, out: NDArray[np.float32]) -> Transform:
        """Fill `out` (3, height_px, width_px), a slot of the network's input, with the frame."""
        if out.shape != self.shape or out.dtype != np.float32:
            raise ValueError(f"out is {out.dtype}{out.shape}, expected float32{self.shape}")
        width, height = self.size(frame)
        picture = out[:, :height, :width]
        if frame.format is PixelFormat.BGR:
            self._convert(frame, picture)
        else:
            self._mix(frame, picture)
        for plane, pad, low, high in zip(out, self.pad, self.low, self.high, strict=True):
            np.clip(plane[:height, :width], low, high, out=plane[:height, :width])
            plane[height:] = pad
            plane[:height, width:] = pad
        return Transform(width / frame.width, height / frame.height)

    def size(self, frame: Frame) -> tuple[int, int]:
        """Width and height that the picture takes up in the tensor, from its upper left corner."""
        _, height, width = self.shape
        if not self._keep_proportions:
            return width, height
        if frame.width * height >= frame.height * width:
            return width, max(1, frame.height * width // frame.width)
        return max(1, frame.width * height // frame.height), height

    def matrix(self, frame: Frame) -> NDArray[np.float64]:
        """(3, 4): from the frame's channels straight to normalised values in the network's order."""
        matrix = np.eye(3, 4) if frame.format is PixelFormat.BGR else bgr_matrix(frame.colour)
        matrix = matrix[self._rows]
        matrix[:, 3] -= self._mean
        matrix /= self._std[:, None]
        return matrix

    def _normalised(self, value: float) -> NDArray[np.float32]:
        return np.asarray((value - self._mean) / self._std, np.float32)

    def _convert(self, frame: Frame, picture: NDArray[np.float32]) -> None:
        """Scale pixels whose channels lie side by side, then bring each into its plane."""
        shape = (*picture.shape[1:], 3)
        scaled, mixed, converted = (_view(memory, shape) for memory in self._pixels)
        cv2.resize(frame.planes[0], shape[1::-1], dst=scaled, interpolation=cv2.INTER_LINEAR)
        np.copyto(mixed, scaled)
        cv2.transform(mixed, self.matrix(frame), dst=converted)
        cv2.mixChannels([converted], list(picture), [0, 0, 1, 1, 2, 2])

    def _mix(self, frame: Frame, picture: NDArray[np.float32]) -> None:
        """Scale Y', Cb and Cr each by itself, then mix them straight into the planes."""
        luma, cb, cr = (
            self._scaled(channel, memory, picture.shape[1:])
            for channel, memory in zip(_channels(frame), self._levels, strict=True)
        )
        third = _view(self._third, picture.shape[1:])
        np.copyto(third, cr)
        for plane, (of_luma, of_cb, of_cr, more) in zip(
            picture, self.matrix(frame) / [_STEPS, _STEPS, _STEPS, 1], strict=True
        ):
            other, share = (cb, of_cb) if of_cb else (cr, of_cr)
            cv2.addWeighted(luma, of_luma, other, share, more, dst=plane, dtype=cv2.CV_32F)
            if of_cb and of_cr:
                cv2.scaleAdd(third, of_cr, plane, dst=plane)

    def _scaled(
        self, channel: NDArray[np.uint8], memory: NDArray[np.uint16], shape: tuple[int, ...]
    ) -> NDArray[np.uint16]:
        """The channel at that size, in steps of a 256th of a level."""
        if self._wide.size < channel.size:
            self._wide = np.empty(channel.size, np.uint16)
        scaled = _view(memory, shape)
        if _only_picks(channel.shape, shape):  # no value between two, so that 8 bits do
            picked = _view(self._pixels[0], shape)
            cv2.resize(channel, shape[::-1], dst=picked, interpolation=cv2.INTER_LINEAR)
            np.multiply(picked, np.uint16(_STEPS), out=scaled, dtype=np.uint16)
            return scaled
        wide = _view(self._wide, channel.shape)
        np.multiply(channel, np.uint16(_STEPS), out=wide, dtype=np.uint16)
        cv2.resize(wide, shape[::-1], dst=scaled, interpolation=cv2.INTER_LINEAR)
        return scaled


def _channels(frame: Frame) -> list[NDArray[np.uint8]]:
    """Y', Cb and Cr, each (rows, columns)."""
    if frame.format is PixelFormat.NV12:
        luma, chroma = frame.planes
        return [luma, chroma[:, :, 0], chroma[:, :, 1]]
    return list(frame.planes)


def _only_picks(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Whether each pixel's centre falls upon another's."""
    return all(many % few == 0 and many // few % 2 for many, few in zip(shape, into, strict=True))


def _view(memory: NDArray[T], shape: tuple[int, ...]) -> NDArray[T]:
    return memory[: math.prod(shape)].reshape(shape)
