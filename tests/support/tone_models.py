"""Streaming speech models that recognise pure tones: real networks for sherpa-onnx, with weights set by hand.

A tone's "word" is scored by how far its mel band stands out from the bands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx", reason="no onnx to build test models with")
helper, FLOAT, INT64 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64

_BANDS = 80
_MARGIN = 7.0
"""By how much (natural log of energy) a band must stand out."""

_SUBSAMPLING = 4
_FRAMES = 16
"""Feature frames (10 ms) per step of the model."""

CTC_BANDS = {1000: 26, 2000: 44, 4000: 62}
"""Mel band of a tone in Hz, as sherpa-onnx computes features for NeMo models."""

TRANSDUCER_BANDS = {1000: 27, 2000: 43}
"""The same for Kaldi features."""


@dataclass(frozen=True)
class ToneCtc:
    """A CTC model in the streaming NeMo layout."""

    tokens: Path
    model: Path


@dataclass(frozen=True)
class ToneTransducer:
    """A transducer in the LSTM layout; it never says the same word twice in a row."""

    tokens: Path
    encoder: Path
    decoder: Path
    joiner: Path


def tone_ctc(folder: Path, words: dict[int, str]) -> ToneCtc:
    """`words` gives the token for each tone in Hz, a key of `CTC_BANDS`."""
    size = len(words)
    weights, bias = _scores([CTC_BANDS[tone] for tone in words], size + 1, first=0)
    nodes = [
        helper.make_node("Transpose", ["audio_signal"], ["frames"], perm=[0, 2, 1]),
        *_pooled_scores("frames", "scores"),
        helper.make_node("LogSoftmax", ["scores"], ["logprobs"], axis=-1),
        helper.make_node("Div", ["length", "subsampling"], ["logprobs_length"]),
    ]
    caches = {"cache_last_channel": FLOAT, "cache_last_time": FLOAT, "cache_last_channel_len": INT64}
    shapes = {name: ["B"] if kind == INT64 else ["B", 1, 1, 1] for name, kind in caches.items()}
    nodes += [helper.make_node("Identity", [name], [f"{name}_next"]) for name in caches]
    dims = {f"{name}_dim{i}": 1 for name in ("cache_last_channel", "cache_last_time") for i in (1, 2, 3)}
    steps = _FRAMES // _SUBSAMPLING
    _save(
        folder / "ctc.onnx",
        nodes,
        [_value("audio_signal", FLOAT, ["B", _BANDS, _FRAMES]), _value("length", INT64, ["B"])]
        + [_value(name, kind, shapes[name]) for name, kind in caches.items()],
        [_value("logprobs", FLOAT, ["B", steps, size + 1]), _value("logprobs_length", INT64, ["B"])]
        + [_value(f"{name}_next", kind, shapes[name]) for name, kind in caches.items()],
        {**_pooling(weights, bias), "subsampling": np.array([_SUBSAMPLING])},
        window_size=_FRAMES,
        chunk_shift=_FRAMES,
        subsampling_factor=_SUBSAMPLING,
        vocab_size=size,
        normalize_type="",
        model_type="tone_ctc",
        **dims,
    )
    return ToneCtc(_tokens(folder / "ctc.txt", [*words.values(), "<blk>"]), folder / "ctc.onnx")


def tone_transducer(folder: Path, words: dict[int, str]) -> ToneTransducer:
    """`words` gives the token for each tone in Hz, a key of `TRANSDUCER_BANDS`."""
    size = len(words) + 1
    weights, bias = _scores([TRANSDUCER_BANDS[tone] for tone in words], size, first=1)
    states = {"h0": [1, "N", 1], "c0": [1, "N", 1]}
    _save(
        folder / "encoder.onnx",
        [*_pooled_scores("x", "encoder_out")]
        + [helper.make_node("Identity", [name], [f"next_{name}"]) for name in states],
        [_value("x", FLOAT, ["N", _FRAMES, _BANDS])] + [_value(n, FLOAT, s) for n, s in states.items()],
        [_value("encoder_out", FLOAT, ["N", _FRAMES // _SUBSAMPLING, size])]
        + [_value(f"next_{n}", FLOAT, s) for n, s in states.items()],
        _pooling(weights, bias),
        model_type="lstm",
        num_encoder_layers=1,
        T=_FRAMES,
        decode_chunk_len=_FRAMES,
        rnn_hidden_size=1,
        d_model=1,
    )
    again = -50 * np.eye(size, dtype=np.float32)
    again[0, 0] = 0
    _save(
        folder / "decoder.onnx",
        [
            helper.make_node("Gather", ["y", "newest"], ["last"], axis=1),
            helper.make_node("Gather", ["again", "last"], ["decoder_out"], axis=0),
        ],
        [_value("y", INT64, ["N", 2])],
        [_value("decoder_out", FLOAT, ["N", size])],
        {"again": again, "newest": np.array(1)},
        vocab_size=size,
        context_size=2,
    )
    _save(
        folder / "joiner.onnx",
        [helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])],
        [_value("encoder_out", FLOAT, ["N", size]), _value("decoder_out", FLOAT, ["N", size])],
        [_value("logit", FLOAT, ["N", size])],
        {},
        joiner_dim=size,
    )
    tokens = _tokens(folder / "transducer.txt", ["<blk>", *words.values()])
    return ToneTransducer(tokens, *(folder / f"{part}.onnx" for part in ("encoder", "decoder", "joiner")))


def _scores(bands: list[int], size: int, first: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    weights, bias = np.zeros((_BANDS, size), np.float32), np.zeros(size, np.float32)
    for column, band in enumerate(bands, first):
        weights[band, column] = 1
        weights[[band + offset for offset in (-8, -7, -6, 6, 7, 8)], column] = -1 / 6
        bias[column] = -_MARGIN
    return weights, bias


def _pooled_scores(frames: str, scores: str) -> list[Any]:
    return [
        helper.make_node("MatMul", [frames, "weights"], ["weighted"]),
        helper.make_node("Add", ["weighted", "bias"], ["biased"]),
        helper.make_node("Reshape", ["biased", "grouping"], ["grouped"]),
        helper.make_node("ReduceMean", ["grouped"], [scores], axes=[2], keepdims=0),
    ]


def _pooling(weights: NDArray[np.float32], bias: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    grouping = np.array([-1, _FRAMES // _SUBSAMPLING, _SUBSAMPLING, len(bias)])
    return {"weights": weights, "bias": bias, "grouping": grouping}


def _value(name: str, kind: int, shape: list[int | str]) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _save(
    path: Path,
    nodes: list[Any],
    inputs: list[Any],
    outputs: list[Any],
    constants: dict[str, NDArray[Any]],
    **metadata: object,
) -> None:
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _tokens(path: Path, tokens: list[str]) -> Path:
    path.write_text("".join(f"{token} {i}\n" for i, token in enumerate(tokens)), encoding="utf-8")
    return path
