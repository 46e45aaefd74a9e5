"""The shipped schemas, closed: what they do not declare is a fault."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from edgeguard.alerts.check import schema


def closed(rules: dict[str, Any]) -> dict[str, Any]:
    """`rules` with every object closed that names its members, and those all required."""
    deep = {key: closed(value) if isinstance(value, dict) else value for key, value in rules.items()}
    if isinstance(rules.get("properties"), dict) and "type" in rules:
        deep |= {"additionalProperties": False, "required": sorted(rules["properties"])}
    return deep


def assert_valid(name: str, message: Any) -> None:
    """`message` fits the schema `name`, leaves out nothing and adds nothing."""
    faults = [error.message for error in Draft202012Validator(closed(schema(name))).iter_errors(message)]
    assert faults == [], faults
