"""From the trained network to what sherpa-onnx loads: the streaming NeMo CTC layout, in INT8.

The convolutions are written as products and the recurrence is unrolled over the four outputs of a step, so
that every weight sits in a MatMul, which ONNX Runtime runs in INT8 on any CPU.
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
_JOINT = "\N{NO-BREAK SPACE}"
"""Between a token's words: sherpa-onnx ends a token at a plain space."""
_INPUTS = ("audio_signal", "length", "cache_last_channel", "cache_last_time", "cache_last_channel_len")
_ANSWERS = ("log_probs", "encoded_length", *(f"{name}_next" for name in _INPUTS[2:]))


class Step(nn.Module):  # type: ignore[misc]
    """One step of the stream. The state lies in `cache_last_channel`; the other caches pass through."""

    def __init__(self, ear: Ear) -> None:
        super().__init__()
        self.ear = ear
        self.first = nn.Parameter(_flat(ear.first.weight))
        self.second = nn.Parameter(_flat(ear.second.weight))
        self.inputs = nn.ParameterList(_cell(gru).weight_ih_l0.T.contiguous() for gru in ear.grus)
        self.hidden = nn.ParameterList(_cell(gru).weight_hh_l0.T.contiguous() for gru in ear.grus)

    def forward(
        self, signal: Tensor, length: Tensor, state: Tensor, time: Tensor, used: Tensor
    ) -> tuple[Tensor, ...]:
        ear = self.ear
        x = (signal.transpose(1, 2) - ear.mean) * ear.scale
        x = torch.relu(_windows(x, 2 * _OUTPUTS + 3) @ self.first + ear.first.bias)
        x = ear.settle(torch.relu(_windows(x, _OUTPUTS) @ self.second + ear.second.bias))
        states = []
        for row, norm in enumerate(ear.norms):
            y, h = self._recur(row, x, state[:, row, 0])
            states.append(h)
            x = norm(x + y)
        log_probs = ear.phrases(x).log_softmax(2)
        return log_probs, length * 0 + _OUTPUTS, torch.stack(states, 1)[:, :, None], time + 0, used + 0

    def _recur(self, row: int, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """torch's GRU, one output after the other."""
        cell, width, outputs = _cell(self.ear.grus[row]), self.ear.width, []
        entering = x @ self.inputs[row] + cell.bias_ih_l0
        for at in range(_OUTPUTS):
            entered, kept = entering[:, at], h @ self.hidden[row] + cell.bias_hh_l0
            gates = torch.sigmoid(entered[:, : 2 * width] + kept[:, : 2 * width])
            reset, update = gates[:, :width], gates[:, width:]
            new = torch.tanh(entered[:, 2 * width :] + reset * kept[:, 2 * width :])
            h = new + update * (h - new)
            outputs.append(h)
        return torch.stack(outputs, 1), h


def export(ear: Ear, folder: Path) -> Path:
    """Write `model.int8.onnx`, `tokens.txt` and `phrases.yaml`."""
    folder.mkdir(parents=True, exist_ok=True)
    ear.eval()
    state = torch.zeros(2, ear.layers, 1, ear.width)
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
    listed = "".join(f'  - {{phrase: "{phrase}"}}\n' for phrase in PHRASES)
    (folder / "phrases.yaml").write_text(f"# What this model hears, and nothing else.\nphrases:\n{listed}")
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
        "cache_last_channel_dim1": ear.layers,
        "cache_last_channel_dim2": 1,
        "cache_last_channel_dim3": ear.width,
        "cache_last_time_dim1": 1,
        "cache_last_time_dim2": 1,
        "cache_last_time_dim3": 1,
        "normalize_type": "",
        "licence": "Apache-2.0",
    }
    onnx.helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
    onnx.save(model, path)


def _windows(x: Tensor, count: int) -> Tensor:
    """(N, frames, channels) to (N, count, 5 * channels): five frames each, every second one."""
    return torch.stack([x[:, 2 * row : 2 * row + 5].flatten(1) for row in range(count)], 1)


def _flat(weight: Tensor) -> Tensor:
    """A convolution's (out, in, 5) as (5 * in, out)."""
    return weight.detach().permute(2, 1, 0).flatten(0, 1).contiguous()


def _cell(gru: nn.Module) -> nn.GRU:
    assert isinstance(gru, nn.GRU)
    return gru
