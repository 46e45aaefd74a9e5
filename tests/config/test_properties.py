"""Whatever is written, the answer is a configuration or a list of faults."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeguard.config import Config, masked, parse, reference, schema
from edgeguard.errors import ConfigError
from tests.config.trees import rule

SMALL = rule()
VALID = yaml.safe_load(reference())
SCHEMA = jsonschema.Draft202012Validator(schema())
KEYS = sorted(
    {*schema()["properties"], *(key for d in schema()["$defs"].values() for key in d.get("properties", {}))}
)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(codec="utf-8") | st.sampled_from(":-[]{}&*!|>'\"%@#,? \n"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([*KEYS, "motion", "rtsp://u:p@h/s", "gate", "22:00", "10" * 500])
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=4)
    ),
    max_leaves=20,
)


def attempt(text: str) -> Config | None:
    """The configuration, or None if it is refused with a proper message."""
    try:
        return parse(text, "test.yaml")
    except ConfigError as error:
        message = str(error)
    for line in message.splitlines() or [""]:
        assert line.startswith("test.yaml:")
        assert line.isprintable()
    return None


@settings(PATIENT, max_examples=300)
@given(texts)
def test_any_text(text: str) -> None:
    attempt(text)


@PATIENT
@given(st.binary().map(lambda data: data.decode("latin-1")))
def test_any_bytes(text: str) -> None:
    attempt(text)


@settings(PATIENT, max_examples=300)
@given(trees)
def test_any_tree(values: Any) -> None:
    attempt(yaml.dump(values, allow_unicode=True))


@settings(PATIENT, max_examples=150)
@given(st.dictionaries(st.sampled_from(sorted(VALID)), trees))
def test_any_sections(sections: dict[str, Any]) -> None:
    attempt(json.dumps(SMALL | sections))


def places(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a tree."""
    below = (
        values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    )
    return [path, *(place for key, value in below for place in places(value, (*path, key)))]


@st.composite
def mutants(draw: st.DrawFn, original: Any) -> Any:
    """The original with one to three things replaced, removed or renamed."""
    values = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(places(values)[1:]))
        parent = values
        for key in above:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "remove", "rename"])):
            case "replace":
                parent[last] = draw(scalars | trees)
            case "remove":
                del parent[last]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.sampled_from(KEYS) | texts)] = parent.pop(last)
    return values


def without_null(values: Any) -> Any:
    """What an empty key means: that it is not there."""
    if isinstance(values, dict):
        return {key: without_null(value) for key, value in values.items() if value is not None}
    return [without_null(value) for value in values] if isinstance(values, list) else values


@settings(PATIENT, max_examples=250)
@given(mutants(SMALL))
def test_any_mutant_of_a_small_one(values: Any) -> None:
    attempt(json.dumps(values))


@settings(PATIENT, max_examples=80)
@given(mutants(VALID))
def test_any_mutant_and_what_is_accepted_fits_the_schema(values: Any) -> None:
    text = json.dumps(values)
    if attempt(text) is not None:
        assert not [error.message for error in SCHEMA.iter_errors(without_null(values))]


@settings(PATIENT, max_examples=40)
@given(mutants(VALID))
def test_what_is_shown_is_the_same_configuration(values: Any) -> None:
    config = attempt(json.dumps(values))
    if config is not None and not any(source.url.username for source in config.cameras.values()):
        assert attempt(yaml.safe_dump(masked(config))) == config
