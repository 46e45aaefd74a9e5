"""What every section of the configuration shares: strictness, and the types that recur."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

T = TypeVar("T")


class Section(BaseModel):
    """A mapping of known keys, frozen. The docstring under a field is its documentation everywhere."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, data: Any) -> Any:
        """`speech:` with nothing behind it is the same as no `speech:` at all."""
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


def folder_of(info: ValidationInfo) -> Path:
    """Where relative paths start: the folder of the configuration file."""
    return Path((info.context or {}).get("folder") or Path.cwd())


def no_entries() -> Mapping[str, Any]:
    """The default of what is `Named`."""
    return MappingProxyType({})


def _location(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, (str, Path)) or not str(value) or not str(value).isprintable():
        raise ValueError("expected a path")
    if str(value).startswith("~"):
        raise ValueError("expected a path written out: `~` would be another folder for the service")
    return folder_of(info) / value


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"expected every entry once; [{index}] repeats [{values.index(value)}]")
    return values


def pattern(regex: str, words: str) -> Any:
    """Annotation of text that matches `regex`, which people read as `words`."""
    return Field(pattern=regex, json_schema_extra={"patternErrorMessage": words})


_LIMITS = "a letter or digit first, 32 characters at most"
NAME_WORDS = f"a name (a-z, 0-9, -, _; {_LIMITS})"

Level = Annotated[str, pattern(r"^[a-z0-9][a-z0-9-]{0,31}$", f"a name (a-z, 0-9, -; {_LIMITS})")]
"""A level of an MQTT topic."""
Name = Annotated[str, pattern(r"^[a-z0-9][a-z0-9_-]{0,31}$", NAME_WORDS)]
"""What the user calls a thing that others refer to."""
ModelName = Annotated[str, pattern(r"^[a-z0-9][a-z0-9._-]{0,63}$", "the name of a model")]
"""An entry of the model catalog."""
Text = Annotated[str, pattern(r"^[^\x00-\x1f\x7f]{1,200}$", "text on one line, 200 characters at most")]
Share = Annotated[float, Field(ge=0, le=1)]
"""0..1."""
Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A list in the file, a tuple here."""
_UNIQUE = {"uniqueItems": True}
Distinct = Annotated[tuple[T, ...], Field(strict=False, json_schema_extra=_UNIQUE), AfterValidator(_distinct)]
"""A list without repetition."""
Some = Annotated[
    tuple[T, ...], Field(strict=False, min_length=1, json_schema_extra=_UNIQUE), AfterValidator(_distinct)
]
"""The same, of at least one."""
Named = Annotated[
    Mapping[Name, T], AfterValidator(MappingProxyType), PlainSerializer(lambda named: dict(named))
]
"""Things under the names that the user gives them."""
Location = Annotated[
    Path,
    PlainValidator(_location),
    PlainSerializer(lambda path: str(path)),
    WithJsonSchema({"type": "string", "minLength": 1, "patternErrorMessage": "a path"}),
]
"""A path in the file, an absolute one here."""
DERIVED: Any = None
"""The default of a key that follows from other keys."""
