"""The starter model's network: on a stream it answers as on the whole, and what is exported as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="no PyTorch, which only training needs")

from phrase_training import exporting, training  # noqa: E402
from phrase_training.features import BINS  # noqa: E402
from phrase_training.network import SHIFT, WINDOW, Ear, steps  # noqa: E402
from phrase_training.texts import PHRASES  # noqa: E402

STEPS = 30


@pytest.fixture(scope="module")
def ear() -> Ear:
    torch.manual_seed(1)
    return Ear().eval()


@pytest.fixture(scope="module")
def features() -> Any:
    torch.manual_seed(2)
    return 3 * torch.randn(1, BINS, WINDOW + (STEPS - 1) * SHIFT) - 6


def whole(ear: Ear, features: Any) -> Any:
    """What it answers to all at once, as the exported one does: bolder than it was trained."""
    with torch.inference_mode():
        logits = ear(features)[0]
        logits += exporting.boldness()
        return np.asarray(logits.log_softmax(2)[:, : STEPS * SHIFT // 4])


def test_a_stream_is_answered_as_the_whole(ear: Ear, features: Any) -> None:
    step, one = exporting.Step(ear), torch.zeros(1, 1, 1, 1)
    state, told = torch.zeros(1, 1, sum(ear.past), ear.width), []
    with torch.inference_mode():
        for row in range(STEPS):
            window = features[:, :, row * SHIFT : row * SHIFT + WINDOW]
            length = torch.tensor([WINDOW])
            answer, _, state, _, _ = step(window, length, state, one, torch.zeros(1, dtype=torch.long))
            told.append(answer)
    np.testing.assert_allclose(torch.cat(told, 1), whole(ear, features), atol=1e-4)


def test_nothing_is_answered_from_what_is_to_come(ear: Ear, features: Any) -> None:
    later = features.clone()
    later[:, :, -100:] += 5
    before = steps(features.shape[2] - 100)
    with torch.inference_mode():
        np.testing.assert_allclose(ear(features)[0][:, :before], ear(later)[0][:, :before], atol=1e-4)


def test_what_is_exported_answers_alike(ear: Ear, features: Any, tmp_path: Path) -> None:
    path = exporting.export(ear, tmp_path)
    assert path.stat().st_size < 4_000_000
    assert (tmp_path / "phrases.txt").read_text().splitlines() == list(PHRASES)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    state = np.zeros((1, 1, sum(ear.past), ear.width), np.float32)
    told = []
    for row in range(STEPS):
        answers = session.run(
            None,
            {
                "audio_signal": features[:, :, row * SHIFT : row * SHIFT + WINDOW].numpy(),
                "length": np.array([WINDOW]),
                "cache_last_channel": state,
                "cache_last_time": np.zeros((1, 1, 1, 1), np.float32),
                "cache_last_channel_len": np.zeros(1, np.int64),
            },
        )
        told.append(answers[0])
        state = answers[2]
    assert np.abs(np.concatenate(told, 1) - whole(ear, features)).mean() < 0.1, "INT8 is a little coarser"


def test_training_makes_the_loss_smaller(ear: Ear) -> None:
    torch.manual_seed(3)
    trainer = training.Trainer(Ear(width=32, layers=4))
    features = np.random.default_rng(4).standard_normal((120, BINS)).astype(np.float32)
    batch = training._batch([(features, [3], [1, 2, 3])] * 4)
    losses = [trainer.step(batch, 0.0)[0] for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]
