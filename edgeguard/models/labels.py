"""Reading the class names that come with a model."""

from __future__ import annotations

import csv
from pathlib import Path

from edgeguard.errors import ModelError
from edgeguard.models.files import reading


def read_labels(path: Path) -> tuple[str, ...]:
    """One name a line, or the column `display_name` of a CSV file, in the order of the model's outputs."""
    try:
        with reading(path), path.open(encoding="utf-8", newline="") as lines:
            if path.suffix == ".csv":
                return tuple(row["display_name"] for row in csv.DictReader(lines))
            return tuple(line.strip() for line in lines if line.strip())
    except (ValueError, KeyError) as error:
        raise ModelError(f"{path} is no list of class names ({error!r}): pull the model again") from error
