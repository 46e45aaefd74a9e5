"""The configuration file: read, checked as a whole with every fault told at once, then frozen.

Belongs here: one file per section, what the keys mean, how faults read; how the environment overrides it.
Does not belong here: what is done with a value; every other room takes plain values.
May import: types, errors, files; pydantic, PyYAML.
Called by: runtime/assembly, cli.
To add one, copy `tracker.py` for a section, then run `python -m edgeguard.config`.
"""

from edgeguard.config.advice import advice
from edgeguard.config.collector import CollectorConfig
from edgeguard.config.loading import load, load_collector, parse
from edgeguard.config.reference import reference
from edgeguard.config.root import Config
from edgeguard.config.schema import schema
from edgeguard.config.show import fingerprint, masked, shown, summary

__all__ = [
    "CollectorConfig",
    "Config",
    "advice",
    "fingerprint",
    "load",
    "load_collector",
    "masked",
    "parse",
    "reference",
    "schema",
    "shown",
    "summary",
]
