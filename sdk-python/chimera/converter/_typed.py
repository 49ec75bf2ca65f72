"""Turns what JSON holds into what a type hint asks for.

Each hint is compiled once to a rule, a function of the value and of the user's own converters.
"""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import inspect
import sys
import types
import typing
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Literal, NewType, TypeVar, get_type_hints

import typing_extensions

JSONTypeConverterUnhandled = NewType("JSONTypeConverterUnhandled", object)


class JSONTypeConverter(ABC):
    """A user's own rule for some type, tried before all others."""

    Unhandled: ClassVar[JSONTypeConverterUnhandled] = JSONTypeConverterUnhandled(object())
    """What to return for a hint that is not the converter's."""

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        """The value for the hint, or `Unhandled`."""


Rule = Callable[[Any, Sequence[JSONTypeConverter]], Any]

# By identity: equal hints may differ in the order of a union's members, which counts. The hint is
# kept alive beside its rule. Bounded, because a program may make types without end.
_rules: dict[int, tuple[Any, Rule]] = {}
_RULES_MAX = 4096


def value_to_type(
    hint: type, value: Any, custom_converters: Sequence[JSONTypeConverter] = []
) -> Any:
    """Convert a value that came from JSON to a type.

    Raises:
        TypeError: the value does not fit the hint, or the hint is of no known kind.
    """
    for converter in custom_converters:
        result = converter.to_typed_value(hint, value)
        if result is not JSONTypeConverter.Unhandled:
            return result
    found = _rules.get(id(hint))
    if found is None:
        if len(_rules) >= _RULES_MAX:
            _rules.clear()
        found = _rules[id(hint)] = (hint, _compile(hint))
    return found[1](value, custom_converters)


def parse_datetime(text: str) -> datetime:
    """An ISO 8601 time; Python 3.10 cannot read all of them itself."""
    if sys.version_info >= (3, 11):
        return datetime.fromisoformat(text)
    from dateutil import parser

    return parser.isoparse(text)


def _compile(hint: Any) -> Rule:
    simple = _SIMPLE.get(hint) if isinstance(hint, type) or hint is Any else None
    if simple is not None:
        return simple
    supertype = getattr(hint, "__supertype__", None)
    if supertype:
        return lambda value, custom: value_to_type(supertype, value, custom)
    origin = getattr(hint, "__origin__", hint)
    arguments: tuple[Any, ...] = getattr(hint, "__args__", ())
    if origin is Literal or origin is typing_extensions.Literal:
        return _literal(arguments)
    if origin is typing.Union or isinstance(origin, types.UnionType):
        return _union(hint, arguments)
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Mapping):
        return _mapping(hint, origin, arguments)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint)
    if isinstance(inspect.getattr_static(hint, "parse_obj", None), (classmethod, staticmethod)):
        return _pydantic_v1(hint)
    if inspect.isclass(hint) and issubclass(hint, Enum) and issubclass(hint, (int, str)):
        return _enum(hint)
    if inspect.isclass(hint) and issubclass(hint, uuid.UUID):
        return lambda value, custom: hint(value)
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Iterable):
        return _iterable(hint, origin, arguments)

    def unknown(value: Any, custom: Any) -> Any:
        raise TypeError(f"Unserializable type during conversion: {hint}")

    return unknown


def _any(value: Any, custom: Any) -> Any:
    return value


def _datetime(value: Any, custom: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise TypeError(f"Expected datetime or ISO8601 string, got {type(value)}")
    try:
        return parse_datetime(value)
    except ValueError as err:
        raise TypeError(f"Failed parsing datetime string: {value}") from err


def _of(accepted: Any, name: str, make: Callable[[Any], Any]) -> Rule:
    def rule(value: Any, custom: Any) -> Any:
        if not isinstance(value, accepted):
            raise TypeError(f"Expected value to be {name}, was {type(value)}")
        return make(value)

    return rule


def _none(value: Any, custom: Any) -> None:
    if value is not None:
        raise TypeError(f"Expected None, got value of type {type(value)}")


_SIMPLE: dict[Any, Rule] = {
    Any: _any,
    datetime: _datetime,
    int: _of((int, float), "int|float", int),
    float: _of((int, float), "int|float", float),
    bool: _of(bool, "bool", bool),
    str: _of(str, "str", str),
    bytes: _of((str, bytes, list), "bytes", bytes),
    type(None): _none,
}


def _literal(members: tuple[Any, ...]) -> Rule:
    def rule(value: Any, custom: Any) -> Any:
        if value not in members:
            raise TypeError(f"Value {value} not in literal values {members}")
        return value

    return rule


def _union(hint: Any, members: tuple[Any, ...]) -> Rule:
    def rule(value: Any, custom: Any) -> Any:
        for member in members:
            try:
                return value_to_type(member, value, custom)
            except Exception:
                continue
        raise TypeError(f"Failed converting to {hint} from {value}")

    return rule


def _concrete(arguments: tuple[Any, ...], position: int) -> Any:
    """A type argument that says something, or None."""
    if len(arguments) <= position:
        return None
    argument = arguments[position]
    return None if argument is Any or isinstance(argument, TypeVar) else argument


# JSON objects have string keys only; these are the spellings of the others.
_WORDS: dict[Any, dict[str, Any]] = {bool: {"true": True, "false": False}, type(None): {"null": None}}


def _key(key_type: Any, key: Any, custom: Sequence[JSONTypeConverter]) -> Any:
    if isinstance(key, str):
        if key_type in (int, float):
            key = key_type(key)
        elif key_type in _WORDS:
            key = _WORDS[key_type][key]
        elif inspect.isclass(key_type) and issubclass(key_type, Enum) and issubclass(key_type, int):
            key = int(key)
    if isinstance(key_type, type) and isinstance(key, key_type):
        return key
    return value_to_type(key_type, key, custom)


def _mapping(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Rule:
    required = getattr(origin, "__required_keys__", None)
    by_key: dict[str, Any] | None = None
    if required or getattr(origin, "__optional_keys__", None):
        by_key = get_type_hints(origin)
    key_type, value_type = _concrete(arguments, 0), _concrete(arguments, 1)

    def rule(value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
        if not isinstance(value, collections.abc.Mapping):
            raise TypeError(f"Expected {hint}, value was {type(value)}")
        result = {}
        for key, item in value.items():
            item_type = by_key.get(key) if by_key else value_type
            if key_type:
                try:
                    key = _key(key_type, key, custom)
                except Exception as err:
                    raise TypeError(
                        f"Failed converting key {key!r} to type {key_type} in mapping {hint}"
                    ) from err
            if item_type:
                try:
                    item = value_to_type(item_type, item, custom)
                except Exception as err:
                    raise TypeError(
                        f"Failed converting value for key {key!r} in mapping {hint}"
                    ) from err
            result[key] = item
        return hint(**result) if by_key else result

    return rule


def _dataclass(hint: Any) -> Rule:
    hints = get_type_hints(hint)
    fields = [(field.name, hints[field.name], field.init) for field in dataclasses.fields(hint)]

    def rule(value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"Cannot convert to dataclass {hint}, value is {type(value)} not dict")
        given: dict[str, Any] = {}
        later: dict[str, Any] = {}
        for name, field_hint, in_constructor in fields:
            if name in value:
                try:
                    converted = value_to_type(field_hint, value[name], custom)
                except Exception as err:
                    raise TypeError(f"Failed converting field {name} on dataclass {hint}") from err
                (given if in_constructor else later)[name] = converted
        made = hint(**given)
        for name, converted in later.items():
            object.__setattr__(made, name, converted)
        return made

    return rule


def _pydantic_v1(hint: Any) -> Rule:
    def rule(value: Any, custom: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError(f"Cannot convert to {hint}, value is {type(value)} not dict")
        return hint.parse_obj(value)

    return rule


def _enum(hint: Any) -> Rule:
    base, noun = (int, "an integer") if issubclass(hint, int) else (str, "a string")

    def rule(value: Any, custom: Any) -> Any:
        if not isinstance(value, base):
            raise TypeError(
                f"Cannot convert to enum {hint}, value not {noun}, value is {type(value)}"
            )
        return hint(value)

    return rule


_KEPT: dict[Any, Callable[[list[Any]], Any]] = {
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
}


def _iterable(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Rule:
    make = _KEPT.get(origin, lambda items: items)
    untyped = not arguments or (
        len(arguments) == 1 and (isinstance(arguments[0], TypeVar) or arguments[0] is Ellipsis)
    )

    def item_type(position: int) -> Any:
        if origin is not tuple:
            return arguments[0]
        if position < len(arguments) and arguments[position] is not Ellipsis:
            return arguments[position]
        if arguments[-1] is Ellipsis:
            return arguments[-2]
        raise TypeError(
            f"Type {hint} only expecting {len(arguments)} values, got at least {position + 1}"
        )

    def rule(value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
        if not isinstance(value, collections.abc.Iterable):
            raise TypeError(f"Expected {hint}, value was {type(value)}")
        if untyped:
            return make(list(value))
        items = []
        for position, item in enumerate(value):
            expected = item_type(position)
            try:
                items.append(value_to_type(expected, item, custom))
            except Exception as err:
                raise TypeError(f"Failed converting {hint} index {position}") from err
        return make(items)

    return rule
