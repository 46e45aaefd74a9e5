"""The why of an alert as one English sentence."""

from __future__ import annotations

from collections.abc import Callable

from edgeguard.types import Measure, Observation


def sentence(observation: Observation) -> str:
    """`person 7 stayed 12.3 s in dock (limit 10 s)`; a kind without own wording lists its measures."""
    return _WORDING.get(observation.kind, _other)(observation)


def _zone_entered(observation: Observation) -> str:
    return f"{_who(observation)} entered {_where(observation)}"


def _zone_left(observation: Observation) -> str:
    return f"{_who(observation)} left {_where(observation)}"


def _line_crossed(observation: Observation) -> str:
    direction = _measure(observation, "direction")
    way = f" from {str(direction.value).replace('_to_', ' to ')}" if direction else ""
    return f"{_who(observation)} crossed {_where(observation)}{way}"


def _loitering(observation: Observation) -> str:
    dwell = _measure(observation, "dwell_s")
    stayed = f"stayed {_number(dwell.value)} s" if dwell else "stayed"
    return f"{_who(observation)} {stayed} in {_where(observation)}{_limit(dwell, ' s')}"


def _crowd(observation: Observation) -> str:
    count = _measure(observation, "count")
    size = f" of {_number(count.value)}" if count else ""
    return f"crowd{size} in {_where(observation)}{_limit(count)}"


def _person_down(observation: Observation) -> str:
    lain, ratio = _measure(observation, "for_s"), _measure(observation, "ratio")
    since = f" for {_number(lain.value)} s" if lain else ""
    shape = f", {_number(ratio.value)} times as wide as tall{_limit(ratio)}" if ratio else ""
    return f"{_who(observation)} seems to lie in {_where(observation)}{since}{_limit(lain, ' s')}{shape}"


def _keyword(observation: Observation) -> str:
    return f"keyword {_what(observation)} heard by {observation.source}{_confidence(observation)}"


def _sound(observation: Observation) -> str:
    return f"sound {_what(observation)} heard by {observation.source}{_confidence(observation)}"


def _intent(observation: Observation) -> str:
    urgency = _measure(observation, "urgency")
    said = f" in '{observation.text}'" if observation.text else ""
    level = f" (urgency {float(urgency.value):.2f})" if urgency else ""
    return f"{observation.label or 'something'} understood by {observation.source}{said}{level}"


def _heard_and_seen(observation: Observation) -> str:
    microphone, delay = _measure(observation, "heard_by"), _measure(observation, "delay_s")
    heard = f"{_what(observation)} heard{f' by {microphone.value}' if microphone else ''}"
    track = f"track{_ids(observation)}" if observation.track_ids else "something"
    apart = f", {_number(delay.value)} s apart" if delay else ""
    return f"{heard} and {track} seen in {_where(observation)}{apart}{_limit(delay, ' s')}"


def _blind(observation: Observation) -> str:
    cause, lasted = _measure(observation, "cause"), _measure(observation, "lasted_s")
    why = f" ({str(cause.value).replace('_', ' ')})" if cause else ""
    since = f" for {_number(lasted.value)} s" if lasted else ""
    return f"nothing came from {observation.source}{since}{_limit(lasted, ' s')}{why}"


def _tampered(observation: Observation) -> str:
    why = ", ".join(_compared(measure) for measure in observation.measures)
    return f"camera {observation.source} is {(observation.label or '?').replace('_', ' ')} ({why})"


def _microphone_fault(observation: Observation) -> str:
    why = ", ".join(_compared(measure) for measure in observation.measures)
    return f"microphone {observation.source}: {(observation.label or '?').replace('_', ' ')} ({why})"


def _drill_missed(observation: Observation) -> str:
    code, reason = (_measure(observation, name) for name in ("code", "reason"))
    if code is None or reason is None:
        return _other(observation)
    return "a drill passed again" if code.value == "ok" else str(reason.value)


def _pattern(observation: Observation) -> str:
    what = f"{observation.rule or 'pattern'} in {_where(observation)}".replace("#alone", "")
    measures = [_compared(measure) for measure in observation.measures]
    parts = [
        f"{one.kind.replace('_', ' ')}{f' {one.label}' if one.label else ''} by {one.source}"
        for one in observation.joined
    ]
    return f"{what}: {', '.join(parts) or 'nothing'} ({', '.join(measures)})"


def _other(observation: Observation) -> str:
    what = f"{observation.kind.replace('_', ' ')} at {observation.source}"
    measures = [_compared(measure) for measure in observation.measures]
    return f"{what} ({', '.join(measures)})" if measures else what


_WORDING: dict[str, Callable[[Observation], str]] = {
    "zone_entered": _zone_entered,
    "zone_left": _zone_left,
    "line_crossed": _line_crossed,
    "loitering": _loitering,
    "crowd": _crowd,
    "person_down": _person_down,
    "keyword": _keyword,
    "sound": _sound,
    "intent": _intent,
    "heard_and_seen": _heard_and_seen,
    "pattern": _pattern,
    "blind": _blind,
    "tampered": _tampered,
    "microphone_fault": _microphone_fault,
    "drill_missed": _drill_missed,
}


def _who(observation: Observation) -> str:
    return f"{observation.label or 'something'}{_ids(observation)}"


def _ids(observation: Observation) -> str:
    return "".join(f" {track_id}" for track_id in observation.track_ids[:1])


def _where(observation: Observation) -> str:
    return observation.zone or observation.source


def _what(observation: Observation) -> str:
    return f"'{observation.label or observation.text or 'unknown'}'"


def _confidence(observation: Observation) -> str:
    return f" (confidence {observation.confidence:.2f})"


def _limit(measure: Measure | None, unit: str = "") -> str:
    if measure is None or measure.threshold is None:
        return ""
    return f" (limit {_number(measure.threshold)}{unit})"


def _compared(measure: Measure) -> str:
    against = "" if measure.threshold is None else f" {measure.comparison} {_number(measure.threshold)}"
    return f"{measure.name} {_number(measure.value)}{against}"


def _measure(observation: Observation, name: str) -> Measure | None:
    return next((measure for measure in observation.measures if measure.name == name), None)


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{round(float(value), 1):g}"
