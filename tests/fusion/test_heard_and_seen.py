from __future__ import annotations

import pytest

from edgeguard.fusion import Fuser, HeardAndSeen
from edgeguard.types import Observation, Phase


def heard(t_s: float, label: str = "glass", kind: str = "sound", source: str = "hall") -> Observation:
    return Observation(kind, source, round(t_s * 1e9), 0, 0.9, Phase.BEGAN, "sounds", label, label=label)


def seen(t_s: float, phase: Phase, key: str = "4", camera: str = "gate", zone: str = "dock") -> Observation:
    return Observation(
        "presence",
        camera,
        round(t_s * 1e9),
        0,
        0.7,
        phase,
        None,
        key,
        zone,
        (int(key),),
        "person",
        sequence=5,
    )


def came(t_s: float, key: str = "4", **where: str) -> Observation:
    return seen(t_s, Phase.BEGAN, key, **where)


def stays(t_s: float, key: str = "4") -> Observation:
    return seen(t_s, Phase.CONTINUES, key)


def went(t_s: float, key: str = "4") -> Observation:
    return seen(t_s, Phase.ENDED, key)


@pytest.mark.parametrize(
    ("story", "joined"),
    [
        ([came(1), heard(3)], 1),  # is there when it sounds
        ([came(1), *(stays(t) for t in range(2, 100)), heard(100)], 1),  # however long
        ([came(1), stays(2), heard(100)], 0),  # the camera went away
        ([came(1), stays(2), heard(9)], 0),  # is still counted in, but was last seen long before
        ([came(1), stays(2), heard(100), came(101), heard(102)], 2),  # and came back: both are near 101
        ([heard(1), came(3)], 1),  # comes soon after
        ([heard(1), came(20)], 0),  # comes too late
        ([came(1), went(2), heard(4)], 1),  # has just left
        ([came(1), went(2), heard(20)], 0),
        ([came(1), came(1.5, "6"), went(2), stays(29, "6"), heard(30)], 1),  # the other is still there
        ([heard(1), came(2), came(3, "6")], 1),  # one sound, one alert
        ([heard(1), heard(1.5), came(2)], 2),
        ([heard(21), came(8), *(stays(t) for t in range(9, 30))], 1),  # the camera is behind the microphone
        ([heard(21), came(8), *(stays(t) for t in range(9, 15)), went(15.5)], 0),
        ([came(1), heard(2), heard(2)], 1),  # one sound that two rules asked for
        ([came(1), heard(2, "dog")], 0),
        ([came(1), heard(2, "help", kind="keyword")], 1),
        ([came(1), heard(2, source="street")], 0),
        ([came(1, camera="back"), heard(2)], 0),
        ([came(1, zone="lawn"), heard(2)], 0),
    ],
)
def test_stories(story: list[Observation], joined: int) -> None:
    rule = HeardAndSeen(
        "glass and person", frozenset({"glass", "help"}), "gate", "dock", 5.0, microphones=frozenset({"hall"})
    )
    fuser = Fuser([rule])
    told = [new for observation in story for new in fuser.update(observation)]
    assert [o for o in told if o.kind != "heard_and_seen"] == story
    assert sum(o.kind == "heard_and_seen" for o in told) == joined


def test_the_joined_observation_is_the_cameras_and_says_why() -> None:
    rule = HeardAndSeen("glass and person", frozenset({"glass"}), "gate", "dock", 5.0)
    rule.update(heard(1))
    (joined,) = rule.update(came(3))
    assert (joined.source, joined.rule, joined.zone, joined.label) == (
        "gate",
        "glass and person",
        "dock",
        "glass",
    )
    assert joined.track_ids == (4,)
    assert joined.sequence == 5
    assert {m.name: (m.value, m.threshold) for m in joined.measures} == {
        "heard": ("glass", None),
        "heard_by": ("hall", None),
        "heard_confidence": (0.9, None),
        "delay_s": (2.0, 5.0),
    }
