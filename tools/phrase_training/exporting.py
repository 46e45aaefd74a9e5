"""From the trained network to what sherpa-onnx loads: the streaming NeMo CTC layout, in INT8.

Every weight sits in a MatMul, which ONNX Runtime runs in INT8 on any CPU.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from phrase_training.features import BINS
from phrase_training.network import SHIFT, SUBSAMPLING, WINDOW, Ear
from phrase_training.texts import PHRASES

_OUTPUTS = SHIFT // SUBSAMPLING
_BOLDNESS, _SHYNESS = 0.5, -0.25
"""Added to the logits of phrases of several words, as a network in doubt keeps silent (more is heard, not all
of it true), and of single words, which are heard in others too easily."""
_JOINT = "\N{NO-BREAK SPACE}"
"""Between a token's words: sherpa-onnx ends a token at a plain space."""
_INPUTS = ("audio_signal", "length", "cache_last_channel", "cache_last_time", "cache_last_channel_len")
_ANSWERS = ("log_probs", "encoded_length", *(f"{name}_next" for name in _INPUTS[2:]))


class Step(nn.Module):  # type: ignore[misc]
    """One step of the stream.

    What each layer knows of the past lies in `cache_last_channel`, one after the other; the other caches pass
    through.
    """

    def __init__(self, ear: Ear) -> None:
        super().__init__()
        self.ear = ear
        self.boldness = nn.Parameter(boldness(), requires_grad=False)

    def forward(
        self, signal: Tensor, length: Tensor, state: Tensor, time: Tensor, used: Tensor
    ) -> tuple[Tensor, ...]:
        ear = self.ear
        x, known, past = ear.enter(signal), state[:, 0], list[Tensor]()
        for layer, before in zip(ear.layers, known.split(list(ear.past), 1), strict=True):
            x, latest = layer(x, before)
            past.append(latest)
        logits = ear.phrases(ear.last(x)) + self.boldness
        log_probs = logits.log_softmax(2)
        return log_probs, length * 0 + _OUTPUTS, torch.cat(past, 1)[:, None], time + 0, used + 0


def boldness() -> Tensor:
    """(phrases + 1,) what is added to the logits; nothing to the blank's, which is the last."""
    return torch.tensor([_BOLDNESS if " " in phrase else _SHYNESS for phrase in PHRASES] + [0.0])


def export(ear: Ear, folder: Path) -> Path:
    """Write `model.int8.onnx`, `tokens.txt` and, as a person writes them, `phrases.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    ear.eval()
    state = torch.zeros(2, 1, sum(ear.past), ear.width)
    one = torch.zeros(2, 1, 1, 1)
    example = (
        torch.zeros(2, BINS, WINDOW),
        torch.full((2,), WINDOW),
        state,
        one,
        torch.zeros(2, dtype=torch.long),
    )
    target = folder / "model.int8.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        torch.onnx.export(
            Step(ear).eval(),
            example,
            str(plain),
            input_names=list(_INPUTS),
            output_names=list(_ANSWERS),
            dynamic_axes={name: {0: "N"} for name in (*_INPUTS, *_ANSWERS)},
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(
            plain, target, op_types_to_quantize=["MatMul"], weight_type=QuantType.QInt8, per_channel=True
        )
    _describe(target, ear)
    rows = [f"▁{phrase.replace(' ', _JOINT)} {row}" for row, phrase in enumerate(PHRASES)]
    (folder / "tokens.txt").write_text("\n".join([*rows, f"<blk> {len(PHRASES)}"]) + "\n")
    (folder / "phrases.txt").write_text("".join(f"{phrase}\n" for phrase in PHRASES))
    return target


def _describe(path: Path, ear: Ear) -> None:
    """The keys that sherpa-onnx reads."""
    model = onnx.load(path)
    facts = {
        "model_type": "EncDecCTCModelBPE",
        "window_size": WINDOW,
        "chunk_shift": SHIFT,
        "subsampling_factor": SUBSAMPLING,
        "vocab_size": len(PHRASES),
        "cache_last_channel_dim1": 1,
        "cache_last_channel_dim2": sum(ear.past),
        "cache_last_channel_dim3": ear.width,
        "cache_last_time_dim1": 1,
        "cache_last_time_dim2": 1,
        "cache_last_time_dim3": 1,
        "normalize_type": "",
        "licence": "Apache-2.0",
    }
    onnx.helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.save(model, path)
