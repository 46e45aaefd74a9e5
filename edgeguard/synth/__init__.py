"""Synthetic scenes: `scene://` sources with pictures, sound and known truth, made of numbers.

Belongs here: what is drawn and heard, as a function of name, seed and time, and the truth about it.
Does not belong here: pushing pictures at a rate (capture, audio); judging detectors (drill, tools).
May import: types, models, errors, numpy, OpenCV.
Called by: capture, audio, cli.
To add one, copy `scenes/yard.py` and name it in `scenes/__init__.py`.
"""

from edgeguard.synth.scene import Scene
from edgeguard.synth.truth import Event, TrueBox
from edgeguard.synth.url import SceneUrl, parse

__all__ = ["Event", "Scene", "SceneUrl", "TrueBox", "parse"]
