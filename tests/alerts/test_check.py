from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edgeguard.alerts.check import SCHEMAS, faults, schema
from edgeguard.alerts.fits import made
from tests.golden.conversation import conversation

MESSAGES = {message["schema"].split(".")[1]: message for _, _, _, message in conversation()}
other_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(-2, 2),
    st.text(max_size=3),
    st.just([]),
    st.just([None]),
    st.just({}),
    st.just({"a": "b"}),
)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_json_schema_and_fit_the_messages(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert faults(MESSAGES[name], schema(name)) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_consumers_may_meet_members_that_they_do_not_know(name: str) -> None:
    assert faults({**MESSAGES[name], "from_the_future": 1}, schema(name)) == []


@given(st.data())
def test_the_verdict_is_that_of_the_reference_validator(data: st.DataObject) -> None:
    """On messages with one place changed or taken out."""
    name = data.draw(st.sampled_from(SCHEMAS))
    message = copy.deepcopy(MESSAGES[name])
    holder, key = data.draw(st.sampled_from(list(places(message))))
    if isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = data.draw(other_values)
    ours = faults(message, schema(name))
    assert bool(ours) == (not Draft202012Validator(schema(name)).is_valid(message)), ours


def places(value: Any) -> Any:
    """Every (container, key) in a message."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(items):
        yield value, key
        yield from places(item)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revision": 0}, "message.revision is below 1"),
        ({"state": "open"}, "message.state is none of"),
        ({"opened_at": "yesterday"}, "message.opened_at does not look like"),
        ({"tracks": [1, "2"]}, "message.tracks[1] is not integer"),
        ({"confidence": True}, "message.confidence is not number"),
    ],
)
def test_faults_say_where_and_what(change: dict[str, Any], words: str) -> None:
    assert faults({**MESSAGES["alert"], **change}, schema("alert"))[0].startswith(words)


def test_a_keyword_that_is_not_understood_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        faults(1, {"multipleOf": 2})


@pytest.mark.parametrize("tail", ["\n", "\n\n", "\nx", "\x00"])
def test_nothing_may_follow_what_a_pattern_ends(tail: str) -> None:
    rules = {"pattern": "^[a-z]{1,8}$"}
    assert faults("abc" + tail, rules)
    assert not made(rules)("abc" + tail)
    assert not faults("abc", rules)
    assert made(rules)("abc")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_pattern_speaks_of_the_whole_text(name: str) -> None:
    patterns = re.findall(r'"pattern": "(.*)"', json.dumps(schema(name), indent=0))
    assert patterns
    assert all(pattern.startswith("^") and pattern.endswith("$") for pattern in patterns)
