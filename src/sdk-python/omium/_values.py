"""Values as they are recorded (JSON, dataclasses, pydantic models, tuples), and back."""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import Any

from .errors import NotSerializable

_MARK = "$omium"
_INTEGER_MAX = 2**53 - 1


def encode(value: Any, place: str) -> Any:
    """JSON for a value; raises NotSerializable, naming `place` and what stands in it, for anything that cannot come back as it was."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > _INTEGER_MAX:
            raise NotSerializable(f"{place} is {value}: integers beyond 2^53 are not the same everywhere; record it as a text")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotSerializable(f"{place} is {value}: JSON knows no such number")
        return float(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encode(getattr(value, field.name), f"{place}.{field.name}") for field in dataclasses.fields(value)}
        return {_MARK: "dataclass", "type": _name_of(type(value), place), "value": fields}
    if _is_model(value):
        return {_MARK: "pydantic", "type": _name_of(type(value), place), "value": value.model_dump(mode="json")}
    if isinstance(value, tuple):
        return {_MARK: "tuple", "value": [encode(item, f"{place}[{index}]") for index, item in enumerate(value)]}
    if isinstance(value, list):
        return [encode(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise NotSerializable(f"{place} has the key {key!r}: keys of what is recorded are texts")
        if _MARK in value or "omium_ref" in value:
            raise NotSerializable(f"{place} has a key that Omium keeps for itself ({_MARK} or omium_ref)")
        return {key: encode(item, f"{place}.{key}") for key, item in value.items()}
    raise NotSerializable(
        f"{place} is a {type(value).__name__}, which cannot be recorded: only JSON values, tuples, dataclasses and pydantic models come back as they were"
    )


def decode(value: Any) -> Any:
    """The value that was encoded."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(_MARK)
    if kind is None:
        return {key: decode(item) for key, item in value.items()}
    if kind == "tuple":
        return tuple(decode(item) for item in value["value"])
    cls = _class_of(value["type"], kind)
    if kind == "pydantic":
        return cls.model_validate(value["value"])
    fields = {name: decode(item) for name, item in value["value"].items()}
    given = {field.name: fields.pop(field.name) for field in dataclasses.fields(cls) if field.init and field.name in fields}
    made = cls(**given)
    for name, item in fields.items():
        object.__setattr__(made, name, item)
    return made


def plain(value: Any, place: str) -> Any:
    """JSON that other languages read as well: dataclasses and models are objects, tuples are lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), f"{place}.{field.name}") for field in dataclasses.fields(value)}
    if _is_model(value):
        return value.model_dump(mode="json")
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: plain(item, f"{place}.{key}") if isinstance(key, str) else encode({key: item}, place) for key, item in value.items()}
    return encode(value, place)


def name_of(item: Any) -> str | None:
    """`module:qualified.name`, when the very item is found under it; None for what is made inside a function."""
    module, name = getattr(item, "__module__", None), getattr(item, "__qualname__", None)
    if not module or not name or "<" in name:
        return None
    try:
        return f"{module}:{name}" if resolve(f"{module}:{name}") is item else None
    except LookupError:
        return None


def resolve(name: str) -> Any:
    """What stands under `module:qualified.name` in a module that is imported already: a record makes a program import nothing. Raises LookupError."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise LookupError(name)
    return found


def _class_of(name: str, kind: str) -> Any:
    try:
        cls = resolve(name)
    except LookupError:
        raise NotSerializable(f"a recorded value is a {name}, which is not there: import its module before the agent runs") from None
    fits = isinstance(cls, type) and name_of(cls) == name and (dataclasses.is_dataclass(cls) if kind == "dataclass" else hasattr(cls, "model_validate"))
    if not fits:
        raise NotSerializable(f"a recorded value is a {name}, which is no {kind} any more")
    return cls


def _name_of(cls: type, place: str) -> str:
    name = name_of(cls)
    if name is None:
        raise NotSerializable(f"{place} is a {cls.__name__}, a class made inside a function: a program that is started again would not find it; move it to the module")
    return name


def _is_model(value: Any) -> bool:
    return hasattr(type(value), "model_fields") and hasattr(value, "model_dump") and hasattr(type(value), "model_validate")
