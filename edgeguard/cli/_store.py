"""Where commands without a configuration look for models: the same places as those with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.config.environment import models_folder, models_mirror
from edgeguard.models import ModelStore, default_root

Store = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", help="Folder that holds the models (environment: EDGEGUARD_MODELS)."
    ),
]
Mirrors = Annotated[
    list[Path] | None,
    typer.Option(
        "--mirror",
        metavar="DIR",
        help="Folder whose models are used in place; may be repeated (environment: EDGEGUARD_MIRROR, too).",
    ),
]


def open_store(root: Path | None, mirrors: Sequence[Path] | None) -> ModelStore:
    """The environment's store where no option names one, and the environment's mirror beside those named."""
    said = models_mirror()
    return ModelStore(
        root or models_folder() or default_root(), [*(mirrors or ()), *([said] if said else ())]
    )
