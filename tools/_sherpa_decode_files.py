"""Decodes files as sherpa-onnx's own example `online-decode-files` does: nothing of ours in between.

    python tools/_sherpa_decode_files.py MODEL_FOLDER FILE.npy ...

Prints one JSON object: CPU seconds without loading, and the text of each file.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import sherpa_onnx


def main() -> None:
    folder, *files = map(Path, sys.argv[1:])
    recognizer = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(
        tokens=str(folder / "tokens.txt"), model=str(folder / "model.int8.onnx"), num_threads=1
    )
    sounds = [np.load(file) for file in files]
    tail = np.zeros(int(0.8 * 16_000), np.float32)
    begun_s = time.process_time()
    texts = []
    for sound in sounds:
        stream = recognizer.create_stream()
        stream.accept_waveform(16_000, sound)
        stream.accept_waveform(16_000, tail)
        stream.input_finished()
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
        texts.append(recognizer.get_result(stream).strip())
    print(json.dumps({"cpu_s": time.process_time() - begun_s, "texts": texts}))


if __name__ == "__main__":
    main()
