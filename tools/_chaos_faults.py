"""What can happen to a guard, how it is brought about and mended, and where it has to be seen, how soon."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from _chaos_ledger import blind_spans
from _chaos_site import KEEPALIVE_S, MICROPHONE, STALL_S, ChaosSite
from _chaos_watch import Sample, is_fine
from _programs import wait_for

from edgeguard.clock import SystemClock

_CLOCK = SystemClock()
_RESTART_S = 60.0
"""Until a guard that was started is ready, on a busy machine."""
_ABORT_S = 10.0
"""From SIGABRT to the end, with the stacks of all threads written down, on a busy machine."""
_MEND_S = 45.0
"""The longest pause between two tries is 30 seconds."""


@dataclass
class Fault(ABC):
    """`begin`, then wait until it `is_shown`, hold it on for `hold_s`, then `end`."""

    kind: str
    where: str
    """Which stage, camera or other thing."""
    blinds: frozenset[str]
    """Sources of which nothing is owed while it lasts."""
    limit_s: float
    """Within which it has to be shown."""
    hold_s: float = 0.0

    @abstractmethod
    def begin(self, site: ChaosSite) -> int:
        """Bring it about; when it took effect (monotonic ns)."""

    @abstractmethod
    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        """Whether the guard has told it by now."""

    def end(self, site: ChaosSite) -> None:  # noqa: B027 - some end by themselves
        """Mend it."""


class StageRaises(Fault):
    """A stage's step raises, before it does its work or after."""

    def __init__(self, stage: str, blinds: frozenset[str], number: int, after: bool) -> None:
        super().__init__("exception", stage, blinds, 5.0)
        self._words = f"chaos number {number}"
        self._order = "raise_after" if after else "raise"

    def begin(self, site: ChaosSite) -> int:
        return site.order(self._order, stage=self.where, words=self._words)

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        return any(_says(sample, self.where, self._words) for sample in told(site, at_ns))

    def end(self, site: ChaosSite) -> None:
        now_ns = _CLOCK.monotonic_ns()
        wait_for(lambda: works(site, self.where, now_ns), f"{self.where} works again", _MEND_S)


class StageHangs(Fault):
    """A stage's step never returns: shown in health, and ended by the watchdog, with every thread's stack.

    It counts as stuck after half the watchdog's time, and from then on the watchdog is not fed.
    """

    def __init__(self, stage: str, everything: frozenset[str], watchdog_s: float) -> None:
        super().__init__("hang", stage, everything, 1.5 * watchdog_s + _ABORT_S)

    def begin(self, site: ChaosSite) -> int:
        self._lives, self._log = len(site.guard.runs), len(site.guard.log)
        return site.order("hang", stage=self.where, words="")

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        told_it = any(_says(sample, self.where, "sign of life") for sample in told(site, at_ns))
        stacks = "_chaos_guard.py" in site.guard.log[self._log :]
        return told_it and stacks and site.guard.runs[self._lives - 1].starved

    def end(self, site: ChaosSite) -> None:
        site.guard.wait_ready(self._lives + 1, _RESTART_S)


class GuardDies(Fault):
    """kill -9: the book of blind time has it for every source once the guard runs again."""

    def __init__(self, everything: frozenset[str]) -> None:
        super().__init__("kill", "guard", everything, _RESTART_S)

    def begin(self, site: ChaosSite) -> int:
        self._lives = len(site.guard.runs)
        site.kill_guard()
        return _CLOCK.monotonic_ns()

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        if len(site.guard.runs) == self._lives:
            return False
        spans = blind_spans(site.state / "coverage")
        return all(any(span.holds(at_ns) for span in spans.get(name, ())) for name in self.blinds)

    def end(self, site: ChaosSite) -> None:
        site.guard.wait_ready(self._lives + 1, _RESTART_S)


class BrokerDies(Fault):
    """kill -9, with all that it acknowledged and had not written down."""

    def __init__(self, hold_s: float) -> None:
        super().__init__("broker", "dies", frozenset(), 5.0, hold_s)

    def begin(self, site: ChaosSite) -> int:
        site.broker.kill9()
        return _CLOCK.monotonic_ns()

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        return any(_says(sample, "broker") for sample in site.health.since(at_ns))

    def end(self, site: ChaosSite) -> None:
        site.broker.start()


class BrokerFallsSilent(Fault):
    """The connection stays open, and nothing passes any more."""

    def __init__(self, hold_s: float) -> None:
        super().__init__("broker", "falls silent", frozenset(), 2 * KEEPALIVE_S + 5.0, hold_s)

    def begin(self, site: ChaosSite) -> int:
        site.network.mute = True
        return _CLOCK.monotonic_ns()

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        return any(_says(sample, "broker") for sample in site.health.since(at_ns))

    def end(self, site: ChaosSite) -> None:
        site.network.mute = False


class CameraLost(Fault):
    """A camera dies or freezes: shown in health and in the book of blind time."""

    def __init__(self, camera: str, blinds: frozenset[str], hold_s: float, freezes: bool) -> None:
        super().__init__("camera", camera, blinds, STALL_S + 6.0, hold_s)
        self._freezes = freezes

    def begin(self, site: ChaosSite) -> int:
        camera = site.cameras[self.where]
        if self._freezes:
            camera.freeze()
        else:
            camera.kill9()
        return _CLOCK.monotonic_ns()

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        part = f"camera/{self.where}"
        if not any(_says(sample, part) for sample in told(site, at_ns)):
            return False
        spans = blind_spans(site.state / "coverage").get(self.where, [])
        return any(span.holds(_CLOCK.monotonic_ns()) for span in spans)

    def end(self, site: ChaosSite) -> None:
        camera = site.cameras[self.where]
        if self._freezes:
            camera.thaw()
        else:
            camera.serve()


class ClockJumps(Fault):
    """UTC is stepped: the guard tells by how much."""

    def __init__(self, seconds: float) -> None:
        super().__init__("clock", f"{seconds:+.1f} s", frozenset(), 10.0)
        self._seconds = seconds

    def begin(self, site: ChaosSite) -> int:
        wait_for(lambda: works(site, "broker"), "the broker is reached", _MEND_S)
        return site.jump(self._seconds)

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        return any(
            when_ns >= at_ns and abs(step_ms - self._seconds * 1000) < 100
            for when_ns, step_ms in list(site.ear.steps)
        )


class DiskFills(Fault):
    """Not a byte is left: evidence, the outbox or the book of blind time says so."""

    def __init__(self, hold_s: float) -> None:
        super().__init__("disk", "full", frozenset(), 15.0, hold_s)

    def begin(self, site: ChaosSite) -> int:
        with site.filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError:
                pass
        return _CLOCK.monotonic_ns()

    def is_shown(self, site: ChaosSite, at_ns: int) -> bool:
        parts = ("evidence", "outbox", "coverage", "journal")
        return any(_says(sample, part) for sample in told(site, at_ns) for part in parts)

    def end(self, site: ChaosSite) -> None:
        site.filler.unlink()
        now_ns, parts = _CLOCK.monotonic_ns(), ("outbox", "coverage")
        wait_for(lambda: all(works(site, part, now_ns) for part in parts), "all is written again", _MEND_S)


def kinds_at(site: ChaosSite) -> list[str]:
    """What makes a round."""
    everywhere = ["exception", "exception", "hang", "kill", "broker", "camera", "clock"]
    return everywhere + (["disk"] if site.has_disk else [])


def deck(site: ChaosSite, seed: int) -> Iterator[Fault]:
    """For ever: every kind once in each round, in an order, at places and for times that the seed decides."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    number = 0
    while True:
        kinds = kinds_at(site)
        dice.shuffle(kinds)
        for kind in kinds:
            number += 1
            yield _draw(kind, site, dice, number)


def told(site: ChaosSite, at_ns: int) -> list[Sample]:
    """What was said since, either way."""
    return [*site.health.since(at_ns), *(sample for sample in list(site.ear.health) if sample.at_ns >= at_ns)]


def works(site: ChaosSite, part: str, since_ns: int = 0) -> bool:
    """Whether the newest answer, which has to be newer than that, calls the part well."""
    now = site.health.now
    return now.at_ns > since_ns and now.parts is not None and is_fine(now.parts[part])


def _draw(kind: str, site: ChaosSite, dice: random.Random, number: int) -> Fault:
    everything = frozenset([*site.cameras, MICROPHONE])
    blinded = {name: {name} | ({MICROPHONE} if name == "yard" else set()) for name in site.cameras}
    match kind:
        case "exception":
            stages = {
                **{f"camera/{name}": sources for name, sources in blinded.items()},
                "vision": set(site.cameras),
                "hearing": {MICROPHONE},
                f"microphone/{MICROPHONE}": {MICROPHONE},
                **{name: set() for name in ("alerts", "outbox", "coverage")},
            }
            stage = dice.choice(list(stages))
            return StageRaises(stage, frozenset(stages[stage]), number, dice.random() < 0.5)
        case "hang":
            stage = dice.choice(["camera/yard", "vision", "hearing", "alerts", "outbox", "coverage"])
            return StageHangs(stage, everything, site.watchdog_s)
        case "kill":
            return GuardDies(everything)
        case "broker":
            return dice.choice([BrokerDies, BrokerFallsSilent])(dice.uniform(0.5, 4))
        case "camera":
            camera = dice.choice(list(blinded))
            return CameraLost(
                camera, frozenset(blinded[camera]), dice.uniform(0.5, 4), freezes=dice.random() < 0.5
            )
        case "clock":
            return ClockJumps(
                dice.choice([-1, 1]) * dice.choice([1.5, 60, 3600, 86_400]) * dice.uniform(1, 2)
            )
    return DiskFills(dice.uniform(1, 4))


def _says(sample: Sample, part: str, words: str = "") -> bool:
    """Whether that part is degraded, for a reason with these words."""
    said = (sample.parts or {}).get(part, {})
    return said.get("state") == "degraded" and words in str(said.get("reason"))
