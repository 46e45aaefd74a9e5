"""The fast check says what the one with words says."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.check import SCHEMAS, faults, schema
from edgeguard.alerts.fits import fits, made
from tests.support.centre import a_health, a_result, a_status, a_step, an_alert

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 1e300, "", "a", "closed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
REAL = {
    "alert": an_alert(1),
    "health": a_health(1),
    "clock": a_step(2, 1.5),
    "status": a_status(),
    "result": a_result("6f1c2d3e-0000-4000-8000-000000000001", (1, 2, "shed")),
}
RULES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
        | st.just(["integer", "null"]),
        "const": st.sampled_from([1, "a", None]),
        "enum": st.just(["a", None, 2]),
        "pattern": st.just("^a"),
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "required": st.just(["a"]),
        "properties": st.just({"a": {"type": "integer"}, "b": {"minimum": 1}}),
        "additionalProperties": st.just({"type": ["string", "number"]}),
        "items": st.just({"type": "integer"}),
        "maxLength": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "minItems": st.integers(0, 2),
        "title": st.just("not looked at"),
    },
)


@given(RULES, VALUES)
def test_both_agree_on_every_keyword(rules: dict[str, Any], value: Any) -> None:
    assert made(rules)(value) == (not faults(value, rules))


@given(st.sampled_from(sorted(REAL)), st.data())
def test_both_agree_on_damaged_messages(name: str, data: st.DataObject) -> None:
    message = copy.deepcopy(json.loads(REAL[name].body))
    assert fits(name)(message)
    place = message
    while True:
        key = data.draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.just(0))
        if isinstance(place[key], (dict, list)) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        if data.draw(st.booleans()) and isinstance(place, dict):
            del place[key]
        else:
            place[key] = data.draw(VALUES)
        break
    assert fits(name)(message) == (not faults(message, schema(name)))


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, True])
def test_every_schema_can_be_made(name: str, value: Any) -> None:
    assert not fits(name)(value)
