"""What the compiler says of the layers that it made: are they really INT8?"""

from __future__ import annotations

import re
from collections.abc import Iterable

_WEIGHTED = re.compile(
    r"LayerType: \w*(?:conv|correlation|gemm|matrix_?multiply|matmul)|_myl_(?:Corr|Fc)", re.IGNORECASE
)
"""`CaskConvolution` in TensorRT 10; in that for RTX `correlation`, or a fused kernel with it in its name."""
_FIRST_INPUT = re.compile(r"Inputs: \[ *\{.*?(?:Data[tT]ype): ([A-Za-z0-9]+)")


def count(lines: Iterable[str]) -> tuple[int, int]:
    """Layers with weights, and those of them that read INT8, in the compiler's `Engine Layer Information`."""
    weighted = int8 = 0
    for line in lines:
        if line.startswith("Name: ") and _WEIGHTED.search(line):
            weighted += 1
            kind = _FIRST_INPUT.search(line)
            int8 += bool(kind and kind.group(1) == "Int8")
    return weighted, int8
