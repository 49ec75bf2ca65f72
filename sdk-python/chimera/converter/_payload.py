"""Payload converters: values to payloads and back, without codecs."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import json
import uuid
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from typing_extensions import Self

import chimera.types
from chimera import _api
from chimera.common import RawValue
from chimera.converter._contexts import SerializationContext, WithSerializationContext, in_context
from chimera.converter._typed import JSONTypeConverter, value_to_type

if TYPE_CHECKING:
    from chimera.api.common.v1 import Payload, Payloads

ValueT = TypeVar("ValueT")
TransferTypeT = TypeVar("TransferTypeT")


class PayloadConverter(ABC):
    """Values to payloads and back. Derive from `CompositePayloadConverter` rather than from this."""

    default: ClassVar[PayloadConverter]
    """The converter used where none is set."""

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """One payload for each value."""

    @abstractmethod
    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """One value for each payload; hints go by position."""

    def to_payloads_wrapper(self, values: Sequence[Any]) -> Payloads:
        """`to_payloads` in one message."""
        return _api.common.Payloads(payloads=self.to_payloads(values))

    def from_payloads_wrapper(self, payloads: Payloads | None) -> list[Any]:
        """`from_payloads` of a message, which may be missing."""
        return self.from_payloads(payloads.payloads) if payloads and payloads.payloads else []

    def to_payload(self, value: Any) -> Payload:
        """One value."""
        return self.to_payloads((value,))[0]

    @overload
    def from_payload(self, payload: Payload) -> Any: ...

    @overload
    def from_payload(
        self, payload: Payload, type_hint: type[chimera.types.AnyType]
    ) -> chimera.types.AnyType: ...

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """One payload."""
        return self.from_payloads([payload], [type_hint] if type_hint else None)[0]


class EncodingPayloadConverter(ABC):
    """One encoding: the part of a composite converter that knows it."""

    @property
    @abstractmethod
    def encoding(self) -> str:
        """Its name in a payload's metadata."""

    @abstractmethod
    def to_payload(self, value: Any) -> Payload | None:
        """A payload, or None if the value is for another converter."""

    @abstractmethod
    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The value of a payload of this encoding."""


class CompositePayloadConverter(PayloadConverter, WithSerializationContext):
    """Asks encoding converters in turn; the first that makes a payload of the value wins."""

    converters: Mapping[bytes, EncodingPayloadConverter]
    """By encoding, in the order of asking."""

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        """Ask these converters, in this order."""
        self._use(converters)

    def _use(self, converters: Sequence[EncodingPayloadConverter]) -> None:
        self.converters = {converter.encoding.encode(): converter for converter in converters}

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """See the base class. RuntimeError for a value that no converter takes."""
        return [self._encode_one(index, value) for index, value in enumerate(values)]

    def _encode_one(self, index: int, value: Any) -> Payload:
        if isinstance(value, RawValue):
            return value.payload
        for converter in self.converters.values():
            payload = converter.to_payload(value)
            if payload is not None:
                return payload
        raise RuntimeError(f"Value at index {index} of type {type(value)} has no known converter")

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """See the base class. KeyError for an unknown encoding."""
        pairs = zip_longest(payloads, type_hints or ())
        return [self._decode_one(index, *pair) for index, pair in enumerate(pairs)]

    def _decode_one(self, index: int, payload: Payload, type_hint: Any) -> Any:
        if type_hint is RawValue:
            return RawValue(payload)
        encoding = payload.metadata.get("encoding", b"<unknown>")
        converter = self.converters.get(encoding)
        if converter is None:
            raise KeyError(f"Unknown payload encoding {encoding.decode()}")
        try:
            return converter.from_payload(payload, type_hint)
        except RuntimeError as err:
            raise RuntimeError(
                f"Payload at index {index} with encoding {encoding.decode()} could not be converted"
            ) from err

    def with_context(self, context: SerializationContext) -> Self:
        """A new object of the same class if any of its converters takes a context."""
        converters = self.get_converters_with_context(context)
        if converters is None:
            return self
        copy = type(self)()
        copy._use(converters)
        return copy

    def get_converters_with_context(
        self, context: SerializationContext
    ) -> list[EncodingPayloadConverter] | None:
        """The converters for a context, or None if the context changes none of them."""
        if not self._takes_context:
            return None
        before = list(self.converters.values())
        after = [in_context(converter, context) for converter in before]
        return None if all(new is old for new, old in zip(after, before)) else after

    @functools.cached_property
    def _takes_context(self) -> bool:
        return any(isinstance(c, WithSerializationContext) for c in self.converters.values())


class DefaultPayloadConverter(CompositePayloadConverter):
    """None, bytes, protobuf messages, and JSON for all else."""

    default_encoding_payload_converters: tuple[EncodingPayloadConverter, ...]
    """Its converters, in order."""

    def __init__(self) -> None:
        """Use the default converters."""
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters)


class BinaryNullPayloadConverter(EncodingPayloadConverter):
    """None, as a payload without data."""

    @property
    def encoding(self) -> str:
        """See the base class."""
        return "binary/null"

    def to_payload(self, value: Any) -> Payload | None:
        """See the base class."""
        return _api.common.Payload(metadata={"encoding": b"binary/null"}) if value is None else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See the base class."""
        if payload.data:
            raise RuntimeError("Expected empty data set for binary/null")
        return None


class BinaryPlainPayloadConverter(EncodingPayloadConverter):
    """Bytes as they are."""

    @property
    def encoding(self) -> str:
        """See the base class."""
        return "binary/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """See the base class."""
        if not isinstance(value, bytes):
            return None
        return _api.common.Payload(metadata={"encoding": b"binary/plain"}, data=value)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See the base class."""
        return payload.data


def _message_payload(encoding: str, value: Any, data: bytes) -> Payload:
    name = value.DESCRIPTOR.full_name.encode()
    return _api.common.Payload(metadata={"encoding": encoding.encode(), "messageType": name}, data=data)


def _is_message(value: Any) -> bool:
    from google.protobuf.message import Message

    return isinstance(value, Message) and value.DESCRIPTOR is not None


def _new_message(payload: Payload) -> Any:
    """An empty message of the payload's type, which the program must have imported."""
    from google.protobuf import symbol_database

    name = payload.metadata.get("messageType", b"<unknown>").decode()
    try:
        return symbol_database.Default().GetSymbol(name)()
    except KeyError as err:
        raise RuntimeError(f"Unknown Protobuf type {name}") from err


class JSONProtoPayloadConverter(EncodingPayloadConverter):
    """Protobuf messages as JSON."""

    def __init__(self, ignore_unknown_fields: bool = False):
        """`ignore_unknown_fields`: read messages of a newer schema."""
        super().__init__()
        self._ignore_unknown_fields = ignore_unknown_fields

    @property
    def encoding(self) -> str:
        """See the base class."""
        return "json/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        """See the base class."""
        if not _is_message(value):
            return None
        from google.protobuf import json_format

        fields = json_format.MessageToDict(value)
        text = json.dumps(fields, separators=(",", ":"), sort_keys=True)
        return _message_payload(self.encoding, value, text.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See the base class."""
        from google.protobuf import json_format

        message = _new_message(payload)
        try:
            return json_format.Parse(
                payload.data, message, ignore_unknown_fields=self._ignore_unknown_fields
            )
        except json_format.ParseError as err:
            raise RuntimeError("Failed parsing") from err


class BinaryProtoPayloadConverter(EncodingPayloadConverter):
    """Protobuf messages in their own encoding."""

    @property
    def encoding(self) -> str:
        """See the base class."""
        return "binary/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        """See the base class."""
        if not _is_message(value):
            return None
        return _message_payload(self.encoding, value, value.SerializeToString())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See the base class."""
        from google.protobuf.message import DecodeError

        message = _new_message(payload)
        try:
            message.ParseFromString(payload.data)
        except DecodeError as err:
            raise RuntimeError("Failed parsing") from err
        return message


class AdvancedJSONEncoder(json.JSONEncoder):
    """JSON for dataclasses, times, UUIDs and iterables as well."""

    def default(self, o: Any) -> Any:
        """What stands in JSON for an object that the standard encoder refuses."""
        if isinstance(o, datetime):
            return o.isoformat()
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return dataclasses.asdict(o)
        to_dict = getattr(o, "dict", None)
        if callable(to_dict):
            return to_dict()
        if isinstance(o, collections.abc.Iterable) and not isinstance(o, list):
            return list(o)
        if isinstance(o, uuid.UUID):
            return str(o)
        return super().default(o)


class JSONPlainPayloadConverter(EncodingPayloadConverter):
    """Anything that JSON can hold."""

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = [],
    ) -> None:
        """`custom_type_converters` are tried before the rules of `value_to_type`."""
        super().__init__()
        self._encoder = (encoder or json.JSONEncoder)(separators=(",", ":"), sort_keys=True)
        self._decoder = decoder
        self._encoding = encoding
        self._metadata = {"encoding": encoding.encode()}
        self._custom_type_converters = custom_type_converters

    @property
    def encoding(self) -> str:
        """See the base class."""
        return self._encoding

    def to_payload(self, value: Any) -> Payload | None:
        """See the base class."""
        if hasattr(value, "parse_obj"):
            warnings.warn(
                f"{type(value).__name__} looks like a Pydantic model: JSON loses its types. Use a "
                "data converter whose payload converter knows Pydantic"
            )
        return _api.common.Payload(metadata=self._metadata, data=self._encoder.encode(value).encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """See the base class."""
        try:
            value = json.loads(payload.data, cls=self._decoder)
        except json.JSONDecodeError as err:
            raise RuntimeError("Failed parsing") from err
        if type_hint:
            return value_to_type(type_hint, value, self._custom_type_converters)
        return value


_DEFAULTS = (
    BinaryNullPayloadConverter(),
    BinaryPlainPayloadConverter(),
    JSONProtoPayloadConverter(),
    BinaryProtoPayloadConverter(),
    JSONPlainPayloadConverter(),
)
DefaultPayloadConverter.default_encoding_payload_converters = _DEFAULTS

_TRANSFER = "__chimera_transfer_type_converter"


class TransferTypeConverter(Generic[ValueT, TransferTypeT], ABC):
    """Says how objects of a class travel as another type, whichever payload converter is used."""

    transfer_type: type[TransferTypeT] | None = None
    """Type hint for decoding."""

    @abstractmethod
    def to_transfer_type(self, value: ValueT) -> TransferTypeT:
        """What travels."""

    @abstractmethod
    def from_transfer_type(self, value: TransferTypeT, type_hint: type[ValueT]) -> ValueT:
        """The object again."""


def transfer_type_convertible(
    converter_type: type[TransferTypeConverter[ValueT, TransferTypeT]],
) -> Callable[[type[ValueT]], type[ValueT]]:
    """Class decorator: objects of the class travel as their transfer type."""

    def decorate(cls: type[ValueT]) -> type[ValueT]:
        if hasattr(cls, _TRANSFER):
            raise TypeError("class already has a transfer type converter")
        setattr(cls, _TRANSFER, converter_type())
        return cls

    return decorate


def _transfer_of(value_type: Any) -> Any:
    found = getattr(value_type, _TRANSFER, None)
    return found if isinstance(found, TransferTypeConverter) else None


class TransferringPayloadConverter(PayloadConverter, WithSerializationContext):
    """Applies transfer types around another converter. Every data converter has one outermost."""

    def __init__(self, inner: PayloadConverter) -> None:
        """Around `inner`."""
        self.inner = inner

    @functools.cached_property
    def is_default(self) -> bool:
        """Whether it does what _plain.py does, and the context does not matter: nobody has changed a part of it."""
        return type(self.inner) is DefaultPayloadConverter and tuple(self.inner.converters.values()) == _DEFAULTS

    @staticmethod
    def around(converter: PayloadConverter) -> PayloadConverter:
        """The converter with transfer types, once."""
        if isinstance(converter, TransferringPayloadConverter):
            return converter
        return TransferringPayloadConverter(converter)

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """See the base class."""
        out = []
        for value in values:
            transfer = _transfer_of(type(value))
            out.append(transfer.to_transfer_type(value) if transfer else value)
        return self.inner.to_payloads(out)

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """See the base class."""
        transfers = [_transfer_of(hint) for hint in type_hints or ()]
        if not type_hints or not any(transfers):
            return self.inner.from_payloads(payloads, type_hints)
        hints = [t.transfer_type if t else hint for t, hint in zip(transfers, type_hints)]
        values = self.inner.from_payloads(payloads, hints)
        for index, (transfer, hint) in enumerate(zip(transfers, type_hints)):
            if transfer:
                values[index] = transfer.from_transfer_type(values[index], hint)
        return values

    def with_context(self, context: SerializationContext) -> Self:
        """See the base class."""
        inner = in_context(self.inner, context)
        return self if inner is self.inner else type(self)(inner)


def takes_context(converter: Any) -> bool:
    """Whether `in_context` may answer another object."""
    if type(converter) is TransferringPayloadConverter:
        return takes_context(converter.inner)
    if isinstance(converter, CompositePayloadConverter):
        kind = type(converter)
        ours = kind.with_context is CompositePayloadConverter.with_context
        if ours and kind.get_converters_with_context is CompositePayloadConverter.get_converters_with_context:
            return converter._takes_context
    return isinstance(converter, WithSerializationContext)


def is_default(converter: PayloadConverter) -> bool:
    """Whether simple values may pass it by, see _plain.py."""
    return type(converter) is TransferringPayloadConverter and converter.is_default
