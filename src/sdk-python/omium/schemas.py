"""JSON Schemas from dataclasses, TypedDicts, pydantic models and plain types."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

from .errors import OmiumError

_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}, type(None): {"type": "null"},
    Any: {}, dict: {"type": "object"}, list: {"type": "array"}, object: {},
}


def schema_of(source: Any) -> dict[str, Any] | None:
    """The JSON Schema (draft 2020-12) of a type; a dict is one already, None is none.

    Raises OmiumError for a type that has none.
    """
    if source is None:
        return None
    if isinstance(source, dict):
        return source
    if hasattr(source, "model_json_schema"):
        return dict(source.model_json_schema())
    return _schema(source, ())


def read_as(source: Any, value: Any) -> Any:
    """The value as the type says: an instance of a dataclass or pydantic model, else the value itself."""
    if hasattr(source, "model_validate"):
        return source.model_validate(value)
    if isinstance(source, type) and dataclasses.is_dataclass(source) and isinstance(value, dict):
        hints = typing.get_type_hints(source)
        names = {field.name for field in dataclasses.fields(source) if field.init}
        return source(**{name: read_as(hints.get(name), item) for name, item in value.items() if name in names})
    origin, arguments = get_origin(source), get_args(source)
    if origin in (list, tuple) and isinstance(value, list) and arguments:
        return [read_as(arguments[0], item) for item in value]
    if origin in (Union, types.UnionType):
        known = [argument for argument in arguments if argument is not type(None)]
        return read_as(known[0], value) if value is not None and len(known) == 1 else value
    if isinstance(source, type) and issubclass(source, enum.Enum):
        return source(value)
    return value


def _schema(source: Any, within: tuple[Any, ...]) -> dict[str, Any]:
    if source in within:
        raise OmiumError(f"{source.__name__} contains itself: give its JSON Schema as a dict", "schema_unknown")
    if hasattr(source, "model_json_schema"):
        return dict(source.model_json_schema())
    try:
        if source in _SIMPLE:
            return dict(_SIMPLE[source])
    except TypeError:
        pass
    inner = (*within, source)
    if isinstance(source, type) and dataclasses.is_dataclass(source):
        hints = typing.get_type_hints(source)
        fields = [field for field in dataclasses.fields(source) if field.init]
        needed = [field.name for field in fields if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING]
        return _object({field.name: _schema(hints[field.name], inner) for field in fields}, needed)
    if typing.is_typeddict(source):
        hints = typing.get_type_hints(source)
        return _object({name: _schema(hint, inner) for name, hint in hints.items()}, sorted(source.__required_keys__))
    if isinstance(source, type) and issubclass(source, enum.Enum):
        return {"enum": [member.value for member in source]}
    return _generic(source, inner)


def _generic(source: Any, inner: tuple[Any, ...]) -> dict[str, Any]:
    origin, arguments = get_origin(source), get_args(source)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(argument, inner) for argument in arguments]}
    if origin in (list, set, frozenset) or (origin is tuple and len(arguments) == 2 and arguments[1] is ...):
        return {"type": "array", "items": _schema(arguments[0], inner)}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_schema(argument, inner) for argument in arguments], "minItems": len(arguments), "maxItems": len(arguments)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], inner)}
    if origin is typing.Annotated:
        return _schema(arguments[0], inner)
    raise OmiumError(f"no JSON Schema can be made of {source!r}: use a dataclass, a TypedDict, a pydantic model, or give the schema as a dict", "schema_unknown")


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
