"""The intrusion of a drill, in the yard: somebody runs into the restricted zone, a window breaks, a call for
help. Everything that alerts is over in `ENDS_S`."""

from __future__ import annotations

from edgeguard.synth.actors import Actor, Person
from edgeguard.synth.plan import Cue, Plan
from edgeguard.synth.scenes.yard import INTRUDER, VIEW, YARD
from edgeguard.synth.sound import GLASS, HELP_ME
from edgeguard.synth.walk import Walk

ENDS_S = 15.0
"""The intruder is gone, and the last word was heard to its end."""

INTRUDING = Walk(
    *((2.0, -6.4, 9.4), (5.0, 0.2, 9.4), (6.4, 2.6, 9.8), (8.0, 3.6, 9.0)),
    *((9.4, 2.2, 9.2), (10.8, 3.4, 9.8), (14.0, 9.0, 9.2)),
)

DRILL = Plan(
    title="Drill: somebody runs into the yard",
    view=VIEW,
    light=YARD.light,
    backdrop=YARD.backdrop,
    actors=(Actor(Person(INTRUDER), INTRUDING),),
    zones=YARD.zones,
    cues=(Cue(6.0, GLASS, level=0.7), Cue(9.0, HELP_ME, level=0.5)),
)
