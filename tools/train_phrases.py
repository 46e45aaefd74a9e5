"""Trains, exports and judges the starter model that hears distress and command phrases.

    python tools/train_phrases.py speak FOLDER     # an hour of two cores or less
    python tools/train_phrases.py train FOLDER     # goes on where it stood
    python tools/train_phrases.py average FOLDER --of BEFORE.pt AFTER.pt
    python tools/train_phrases.py export FOLDER
    python tools/train_phrases.py judge FOLDER

Needs espeak-ng, flite, festival, festvox-kallpc16k, festvox-kdlpc16k and festvox-us-slt-hts from Debian, and
torch from PyPI beside `.[dev]`. `judge` also hears SVOX Pico, which training never does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # judges with the product's own recogniser
MIRROR = ROOT.parent / "shared"
NOISES = ("rain", "car_engine", "typing")
"""CC BY and CC0: what training may hear."""
ORDERS = (
    *(("espeak-ng", 10_000, 1, 0.4), ("espeak-ng", 10_000, 4, 0.4), ("espeak-ng", 12_000, 11, 0.4)),
    *(("flite", 9_000, 2, 0.4), ("flite", 5_000, 12, 0.4)),
    *(("festival", 5_000, 3, 0.4), ("festival", 4_000, 13, 0.4)),
    *(
        ("espeak-ng", 5_000, 31, 0.4),
        ("espeak-ng", 8_000, 21, 1.0),
        ("flite", 5_000, 22, 1.0),
        ("festival", 3_000, 23, 1.0),
    ),
)
"""Who speaks how many lines, with which seed, and what share of them holds no phrase."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=("speak", "train", "average", "export", "judge"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mirror", type=Path, default=MIRROR, help="the folder of clips and noises")
    parser.add_argument(
        "--only", nargs=4, metavar=("SYNTHESISER", "LINES", "SEED", "OTHER"), help="speak this alone"
    )
    parser.add_argument("--unheard", action="store_true", help="speak with the voices kept for judging")
    parser.add_argument("--rounds", type=int, default=4, help="how often every phrase is judged by")
    parser.add_argument("--rate", type=float, default=2e-3, help="the learning rate to begin with")
    parser.add_argument("--minutes", type=float, default=60, help="how long to train")
    parser.add_argument("--of", nargs="+", type=Path, default=[], help="weights of one network to average")
    args = parser.parse_args()
    steps = {"speak": _speak, "train": _train, "average": _average, "export": _export, "judge": _judge}
    steps[args.step](args)
    return 0


def _speak(args: argparse.Namespace) -> None:
    from phrase_training import corpus

    dictionary = _dictionary(args)
    prose = [
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted(Path("/usr/share/common-licenses").glob("[AGL]*")),
    ]
    orders: Sequence[tuple[str, int, int, float]] = ORDERS
    if args.only:
        orders = [(args.only[0], int(args.only[1]), int(args.only[2]), float(args.only[3]))]
    for synthesiser, lines, seed, other in orders:
        author = corpus.writer(seed, dictionary, prose)
        folder = args.folder / ("unheard" if args.unheard else "heard")
        corpus.record(folder, synthesiser, lines, author, seed, heard=not args.unheard, other=other)


def _train(args: argparse.Namespace) -> None:
    import numpy as np
    from phrase_training import corpus, training, voices
    from phrase_training.acoustics import Places

    spoken = corpus.load(args.folder / "heard")
    noises = [voices.read(args.mirror / "data/audio/noise" / f"{name}.wav") for name in NOISES]
    places = Places(noises, [line.samples for line in spoken if not line.written])
    scenes = training.Scenes(
        args.folder / "heard", places, _dictionary(args), batch=32, seed=int(args.minutes * 10)
    )
    scenes.hard = (args.folder / "ear.pt").exists()
    unheard = corpus.load(args.folder / "unheard")
    pause = np.zeros(12000, np.float32)
    check = [
        (np.concatenate([pause, line.waveform(), pause]), line.written)
        for line in unheard[:: max(1, len(unheard) // 100)]
    ]
    training.train(args.folder, scenes, check, args.minutes, args.rate)


def _average(args: argparse.Namespace) -> None:
    """Hears better than either (Izmailov et al. 2018)."""
    import torch

    weights = [torch.load(path) for path in args.of]
    mean = {name: sum(each[name] for each in weights) / len(weights) for name in weights[0]}
    torch.save(mean, args.folder / "ear.pt")


def _export(args: argparse.Namespace) -> None:
    import torch
    from phrase_training import exporting
    from phrase_training.network import Ear

    ear = Ear()
    ear.load_state_dict(torch.load(args.folder / "ear.pt"))
    path = exporting.export(ear, args.folder / "exported")
    print(f"{path}: {path.stat().st_size} bytes")


def _judge(args: argparse.Namespace) -> None:
    from _phrases_eval import evaluate

    figures = evaluate(args.folder / "exported", seed=1, rounds=args.rounds)
    (args.folder / "judgement.json").write_text(json.dumps(figures, indent=1))
    print(json.dumps(figures, indent=1))


def _dictionary(args: argparse.Namespace) -> Path:
    return Path(args.mirror) / "models/asr_pocketsphinx/cmudict-en-us.dict"


if __name__ == "__main__":
    sys.exit(main())
