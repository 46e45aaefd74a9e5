"""What is known about one model: its files, its licence, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeguard.errors import ModelError

TASKS = ("detect", "face-detect", "face-embed", "pose", "vad", "sound-tags", "asr", "keywords", "denoise")


@dataclass(frozen=True, slots=True)
class Archive:
    """A packed folder (`.tar.bz2`) that holds a model's files."""

    url: str
    folder: str
    """The files' folder inside."""
    sha256: str | None = None
    """None where nobody publishes it."""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model."""

    name: str
    role: str = "model"
    """What it is to the model: `model`, `encoder`, `decoder`, `joiner`, `tokens`, `bpe` or `labels`."""
    url: str | None = None
    """Where upstream publishes it; None if it comes in the card's archive, or from a mirror only."""
    sha256: str | None = None
    """None where nobody publishes it."""
    size_bytes: int | None = None
    mirror: str | None = None
    """Its path below a mirror folder, e.g. `models/detect/yolox_nano_416.onnx`."""
    also: tuple[str, ...] = ()
    """SHA-256 of other copies that serve as well: the same weights saved again."""

    @property
    def digests(self) -> frozenset[str]:
        """Every SHA-256 under which it is accepted; empty if none is published."""
        return frozenset(self.also) | ({self.sha256} if self.sha256 else frozenset())


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The picture that a model takes: pixel = (value 0..255 - mean) / std, channel by channel."""

    tensor: str
    width_px: int
    height_px: int
    layout: str = "nchw"
    """`nchw` or `nhwc`."""
    dtype: str = "float32"
    order: str = "bgr"
    """`bgr` or `rgb`."""
    mode: str = "top_left"
    """`top_left`: scaled with its proportions kept, the rest filled with `pad`; `stretch`: to the whole."""
    pad: int = 114
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class AudioSpec:
    """The sound that a model takes: mono, -1..1."""

    rate_hz: int
    window_samples: int | None = None
    """Samples of one call; None if the library cuts the sound itself."""
    hop_samples: int | None = None
    tensor: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of the catalog."""

    name: str
    title: str
    task: str
    """One of `TASKS`."""
    licence: str
    """SPDX identifier of the weights' licence."""
    licence_url: str
    files: tuple[ModelFile, ...]
    archive: Archive | None = None
    """Where all of `files` come from, if upstream publishes them packed."""
    input: InputSpec | None = None
    audio: AudioSpec | None = None
    decoding: str | None = None
    """How the outputs are read: the word that vision or speech chooses its decoder by."""
    labels: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    denoise: bool = False
    """Whether sound should be denoised before it, as measured."""
    caveat: str = ""
    """What the licence does not say but its user must know; empty if nothing."""
    notes: str = ""

    def file(self, name: str | None = None) -> ModelFile:
        """The file of that name or role; without one, the model itself. ModelError if there is none."""
        for file in self.files:
            if (name or "model") in (file.name, file.role):
                return file
        raise ModelError(f"{self.name} has no file {name or 'model'}, only {_listed(self.files)}")

    @property
    def size_bytes(self) -> int | None:
        """What a download brings; None if a size is unknown."""
        sizes = [self.archive.size_bytes] if self.archive else [file.size_bytes for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def checksums_known(self) -> bool:
        """Whether a checksum was published for everything that a download brings."""
        return bool(self.archive and self.archive.sha256) or all(file.digests for file in self.files)


def _listed(files: tuple[ModelFile, ...]) -> str:
    return ", ".join(f"{file.name} ({file.role})" for file in files)
