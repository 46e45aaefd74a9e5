"""What a camera usually shows, as bytes that outlast a restart: strengths of edges, no picture."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgeguard.vision.glimpse import GRID
from edgeguard.vision.outlook import Outlook, Usual

_EDGES = (36, 64)
_MOST_BYTES = 200_000


def packed(outlooks: Mapping[bool, Outlook], grey: bool) -> bytes:
    """By whether the picture is grey, and whether it is now; those that are not learnt are left out."""
    kept: dict[str, NDArray[np.generic]] = {"grey": np.array(grey)}
    for is_grey, outlook in outlooks.items():
        if (usual := outlook.usual) is not None:
            name = "grey" if is_grey else "colour"
            kept |= {f"{name}_edges": usual.edges, f"{name}_texture": usual.texture}
            kept[f"{name}_levels"] = np.array(usual.levels)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **kept)
    return file.getvalue()


def unpacked(data: bytes) -> tuple[dict[bool, Outlook], bool]:
    """What `packed` was given. Raises ValueError for anything else."""
    if len(data) > _MOST_BYTES:
        raise ValueError("too large")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            outlooks = {False: _outlook(kept, "colour"), True: _outlook(kept, "grey")}
            grey = bool(kept["grey"])
    except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error
    if not outlooks[grey].learnt:
        raise ValueError("it says nothing of the view now")
    return outlooks, grey


def _outlook(kept: Mapping[str, NDArray[np.generic]], name: str) -> Outlook:
    outlook = Outlook()
    if f"{name}_edges" not in kept:
        return outlook
    edges, texture = (np.array(kept[f"{name}_{what}"], np.float32) for what in ("edges", "texture"))
    levels = tuple(map(float, np.array(kept[f"{name}_levels"], np.float64).ravel()))
    whole = edges.shape == _EDGES and texture.shape == GRID and len(levels) == 4
    if not whole or not all(np.isfinite(each).all() for each in (edges, texture, np.array(levels))):
        raise ValueError("it is damaged")
    contrast, detail, colour, likeness = levels
    outlook.recall(Usual(edges, texture, (contrast, detail, colour, likeness)))
    return outlook
