"""Values as Pydantic 2 sees them: give `pydantic_data_converter` to the client.

Everything that is not null, bytes or a protobuf message travels as JSON that Pydantic writes and
reads, so that models, and the types that Pydantic knows, arrive as what the type hint says.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, to_json
from pydantic_core.core_schema import any_schema

from chimera.api.common.v1 import Payload
from chimera.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)

_ANY = SchemaSerializer(any_schema())


@dataclass
class ToJsonOptions:
    """How values are written."""

    exclude_unset: bool = False
    """Leave out fields that were not set."""


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """JSON by Pydantic, under the encoding of all other JSON."""

    def __init__(
        self,
        to_json_options: ToJsonOptions | None = None,
        *,
        max_cached_type_adapters: int | None = 1024,
    ) -> None:
        """Make one.

        Args:
            to_json_options: How values are written.
            max_cached_type_adapters: How many of Pydantic's readers are kept, one for each type
                hint; None for all, 0 for none.
        """
        if max_cached_type_adapters is not None and max_cached_type_adapters < 0:
            raise ValueError("max_cached_type_adapters cannot be negative")
        self._options = to_json_options
        self._cached_adapter = functools.lru_cache(max_cached_type_adapters)(_new_adapter)

    @property
    def encoding(self) -> str:
        """See the base class."""
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """See the base class. Takes any value, or raises."""
        if self._options:
            data = _ANY.to_json(value, exclude_unset=self._options.exclude_unset)
        else:
            data = to_json(value)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See the base class. Raises Pydantic's ValidationError for what does not fit the hint."""
        hint: Any = Any if type_hint is None else type_hint
        try:
            hash(hint)
        except TypeError:
            adapter = _new_adapter(hint)
        else:
            adapter = self._cached_adapter(hint)
        return adapter.validate_json(payload.data)


def _new_adapter(type_hint: Any) -> Any:
    return TypeAdapter(type_hint)


class PydanticPayloadConverter(CompositePayloadConverter):
    """The default converters, with Pydantic's JSON in place of the plain one."""

    def __init__(
        self,
        to_json_options: ToJsonOptions | None = None,
        *,
        max_cached_type_adapters: int | None = 1024,
    ) -> None:
        """See PydanticJSONPlainPayloadConverter."""
        ours = PydanticJSONPlainPayloadConverter(
            to_json_options, max_cached_type_adapters=max_cached_type_adapters
        )
        super().__init__(
            *(
                ours if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


pydantic_data_converter = DataConverter(payload_converter_class=PydanticPayloadConverter)
"""Data converter for clients whose workflows and activities use Pydantic."""
