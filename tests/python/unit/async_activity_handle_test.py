"""Handles of activities that somebody else completes."""

import types
from typing import Any

import pytest

from chimera import converter
from chimera.client import AsyncActivityHandle

CONTEXT = converter.ActivitySerializationContext("default", "1", "work", "queue", "w", "W", False)


class Aware(converter.DefaultPayloadConverter):
    def with_context(self, context: Any) -> Any:
        return Aware()


class Plain(AsyncActivityHandle):
    pass


class Odd(AsyncActivityHandle):
    def __init__(self, client: Any) -> None:
        super().__init__(client, b"token")


def test_own_classes_keep_their_class_in_a_context() -> None:
    data = converter.DataConverter(payload_converter_class=Aware)
    client: Any = types.SimpleNamespace(data_converter=data)

    handle = Plain(client, b"token").with_context(CONTEXT)

    assert type(handle) is Plain
    with pytest.raises(TypeError, match="Odd has a constructor of its own, so you must override"):
        Odd(client).with_context(CONTEXT)
