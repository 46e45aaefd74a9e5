"""Decodes files as sherpa-onnx's own examples do: nothing of ours in between.

    python tools/_sherpa_decode_files.py MODEL_FOLDER FILE.npy ...

Prints one JSON object: CPU seconds without loading for whole files, as `online-decode-files` does it, the
text of each file, and the same once more with 100 ms at a time and the text asked for as it grows, as its
example with a microphone does (`streamed_cpu_s`, `streamed_texts`).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import sherpa_onnx
from numpy.typing import NDArray

_RATE_HZ = 16_000
_CHUNK = _RATE_HZ // 10
_TAIL = np.zeros(int(0.8 * _RATE_HZ), np.float32)


def main() -> None:
    folder, *files = map(Path, sys.argv[1:])
    recognizer = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        tokens=str(folder / "tokens.txt"), model=str(folder / "model.int8.onnx"), num_threads=1
    )
    sounds = [np.load(file) for file in files]
    begun_s = time.process_time()
    texts = [_whole(recognizer, sound) for sound in sounds]
    whole_s = time.process_time()
    streamed = [_streamed(recognizer, sound) for sound in sounds]
    streamed_s = time.process_time()
    figures = {"cpu_s": whole_s - begun_s, "streamed_cpu_s": streamed_s - whole_s}
    print(json.dumps({**figures, "texts": texts, "streamed_texts": streamed}))


def _whole(recognizer: Any, sound: NDArray[np.float32]) -> str:
    stream = recognizer.create_stream()
    stream.accept_waveform(_RATE_HZ, sound)
    return _end(recognizer, stream)


def _streamed(recognizer: Any, sound: NDArray[np.float32]) -> str:
    stream = recognizer.create_stream()
    for start in range(0, len(sound), _CHUNK):
        stream.accept_waveform(_RATE_HZ, sound[start : start + _CHUNK])
        if _decode(recognizer, stream):
            recognizer.get_result(stream)
    return _end(recognizer, stream)


def _end(recognizer: Any, stream: Any) -> str:
    stream.accept_waveform(_RATE_HZ, _TAIL)
    stream.input_finished()
    _decode(recognizer, stream)
    return str(recognizer.get_result(stream).strip())


def _decode(recognizer: Any, stream: Any) -> bool:
    """Whether there was anything to decode."""
    steps = 0
    while recognizer.is_ready(stream):
        recognizer.decode_stream(stream)
        steps += 1
    return steps > 0


if __name__ == "__main__":
    main()
