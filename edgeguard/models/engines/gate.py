"""Does an engine do what its model does? Asked after every build, on the device itself."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from edgeguard.clock import Clock
from edgeguard.errors import ModelError
from edgeguard.models.exported import Exported
from edgeguard.models.golden import read_golden, tensor_of, try_out
from edgeguard.models.onnx_cpu import OnnxSession
from edgeguard.models.session import Engine, Session

_PICTURES = 4
_RUNS = 20


class RefusedError(ModelError):
    """The engine was built, and is not good enough."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good and how quick an engine is."""

    golden_recall: float | None
    """None for a model without a golden set, which is compared number by number."""
    golden_precision: float | None
    latency_ms: float
    said: str


def judge(engine: Engine, exported: Exported, clock: Clock) -> Verdict:
    """RefusedError with the figures if the engine falls short; ModelError if it is not the card's at all."""
    require_card(engine, exported)
    recall, precision, said = _accuracy(engine, exported)
    return Verdict(recall, precision, _latency_ms(engine, clock), said)


def require_card(session: Session, exported: Exported) -> None:
    """ModelError if the tensors are not those of the card."""
    spec = exported.input
    picture = session.inputs.get(spec.tensor)
    rows = (spec.height_px, spec.width_px)
    expected = (3, *rows) if spec.layout == "nchw" else (*rows, 3)
    if picture is None or tuple(picture[1:]) != expected:
        raise ModelError(
            f"{exported.name} takes {dict(session.inputs)}, its card says {spec.tensor} (batch, "
            f"{', '.join(map(str, expected))}): export it again"
        )
    for name, shape in exported.outputs.items():
        found = session.outputs.get(name)
        if found is None or not _alike(found, shape):
            raise ModelError(
                f"{exported.name} gives {dict(session.outputs)}, its card says {name} {shape}: "
                f"export it again"
            )


def _alike(found: tuple[object, ...], promised: tuple[object, ...]) -> bool:
    return len(found) == len(promised) and all(
        have == want for have, want in zip(found, promised, strict=True) if isinstance(want, int)
    )


def _accuracy(engine: Engine, exported: Exported) -> tuple[float | None, float | None, str]:
    if exported.golden is None:
        return None, None, _require_like_onnxruntime(engine, exported)
    golden = read_golden(exported.golden.path, exported.golden.sha256)
    found = try_out(engine, exported.input, golden)
    said = (
        f"of {found.things} things in the golden set it finds {found.recall:.1%} again, and "
        f"{found.precision:.1%} of what it finds is there (at least {exported.floor:.0%} each)"
    )
    if found.score < exported.floor:
        raise RefusedError(said)
    return found.recall, found.precision, said


def _require_like_onnxruntime(engine: Engine, exported: Exported) -> str:
    """Without a golden set: the same numbers as ONNX Runtime on made-up pictures, or nearly so."""
    reference = OnnxSession(exported.verified("fp32"), exported.name)
    tensor, least = exported.input.tensor, 1.0
    for picture in _pictures(exported):
        # A model may have a fixed batch: its own reference takes as many.
        size = reference.inputs[tensor][0]
        feeds = {tensor: np.repeat(picture, size, 0) if isinstance(size, int) else picture}
        expected, found = reference.infer(feeds), engine.infer(feeds)
        least = min([least, *(_cosine(expected[name], found[name]) for name in expected)])
    said = f"its outputs agree with ONNX Runtime's to a cosine of {least:.4f} (at least {exported.cosine})"
    if not least >= exported.cosine:
        raise RefusedError(said)
    return said


def _pictures(exported: Exported) -> list[NDArray[np.float32]]:
    """Smooth colours with edges, the same ones always."""
    spec, rng = exported.input, np.random.default_rng(0)
    pictures = []
    for _ in range(_PICTURES):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        tall, wide = -(-spec.height_px // 8), -(-spec.width_px // 8)
        whole = coarse.repeat(tall, 0).repeat(wide, 1)[: spec.height_px, : spec.width_px]
        pictures.append(tensor_of(whole, spec).astype(spec.dtype))
    return pictures


def _cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    a, b = (array.astype(np.float64).ravel() for array in (left, right))
    if a.shape != b.shape or not np.isfinite(b).all():
        return 0.0
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else float(not a.any() and not b.any())


def _latency_ms(engine: Engine, clock: Clock) -> float:
    """Median of one picture, or of the engine's one batch."""
    batch = next((shape[0] for shape in engine.inputs.values() if isinstance(shape[0], int)), 1)
    times = []
    for _ in range(_RUNS):
        start_ns = clock.monotonic_ns()
        engine.run(batch)
        times.append(clock.monotonic_ns() - start_ns)
    return median(times) / 1e6
