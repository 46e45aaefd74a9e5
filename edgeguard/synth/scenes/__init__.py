"""The named scenes: one file each, with its place, its actors, its sounds, its zones and lines.

Belongs here: what a scene shows and when.
Does not belong here: how anything is drawn or made to sound.
May import: the other files of synth, types.
Called by: synth/scene.py.
To add one, copy `yard.py`.
"""

from edgeguard.synth.plan import Plan
from edgeguard.synth.scenes.dock import DOCK
from edgeguard.synth.scenes.drill import DRILL
from edgeguard.synth.scenes.hall import HALL
from edgeguard.synth.scenes.yard import YARD

SCENES: dict[str, Plan] = {"yard": YARD, "dock": DOCK, "hall": HALL, "drill": DRILL}
