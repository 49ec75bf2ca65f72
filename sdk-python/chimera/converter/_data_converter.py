"""DataConverter: payload converter, codec and failure converter together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

import chimera.common
from chimera import _api
from chimera._lazy import LazyModule
from chimera.converter._codec import PayloadCodec, for_failure_payloads
from chimera.converter._contexts import SerializationContext, WithSerializationContext, in_context
from chimera.converter._failure import DefaultFailureConverter, FailureConverter
from chimera.converter._payload import (
    DefaultPayloadConverter,
    PayloadConverter,
    TransferringPayloadConverter,
    is_default,
    takes_context,
)

if TYPE_CHECKING:
    from chimera.api.common.v1 import Memo, Payload, Payloads
    from chimera.api.failure.v1 import Failure
    from chimera.converter import _storage as storage
    from chimera.converter._storage import ExternalStorage
else:
    storage = LazyModule("chimera.converter._storage")


_PARTS = ("payload_converter", "payload_codec", "failure_converter", "external_storage")


@dataclass(frozen=True)
class DataConverter(WithSerializationContext):
    """How values travel. Out: convert, codec, storage; in: the reverse."""

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    """Instantiated once for each data converter."""

    payload_codec: PayloadCodec | None = None
    """Changes payloads outside of workflow code, if set."""

    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    """Instantiated once for each data converter."""

    payload_converter: PayloadConverter = dataclasses.field(init=False)
    """The instance in use."""

    failure_converter: FailureConverter = dataclasses.field(init=False)
    """The instance in use."""

    external_storage: ExternalStorage | None = None
    """Where large payloads go, if set."""

    default: ClassVar[DataConverter]
    """The converter used where none is set."""

    def __post_init__(self) -> None:
        """Make the instances."""
        self._set("payload_converter", self._new_payload_converter())
        self._set("failure_converter", self.failure_converter_class())

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _new_payload_converter(self) -> PayloadConverter:
        return TransferringPayloadConverter.around(self.payload_converter_class())

    @property
    def _changes_payloads(self) -> bool:
        """Whether payloads differ on the wire from what the payload converter made."""
        return self.payload_codec is not None or self.external_storage is not None

    @property
    def _is_plain(self) -> bool:
        """Whether simple values may pass it by, see _plain.py."""
        plain = type(self) is DataConverter and not self._changes_payloads
        return plain and is_default(self.payload_converter)

    @property
    def _takes_context(self) -> bool:
        """Whether `with_context` may answer another object."""
        ours = type(self).with_context is DataConverter.with_context
        return not ours or any(takes_context(getattr(self, name)) for name in _PARTS)

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Values to payloads as they are sent."""
        return await self._outbound(self.payload_converter.to_payloads(values))

    async def decode(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """Payloads as they came to values."""
        return self.payload_converter.from_payloads(await self._inbound(payloads), type_hints)

    async def encode_wrapper(self, values: Sequence[Any]) -> Payloads:
        """`encode` in one message."""
        return _api.common.Payloads(payloads=await self.encode(values))

    async def decode_wrapper(
        self, payloads: Payloads | None, type_hints: list[type] | None = None
    ) -> list[Any]:
        """`decode` of a message, which may be missing."""
        if not payloads or not payloads.payloads:
            return []
        return await self.decode(payloads.payloads, type_hints)

    async def encode_failure(self, exception: BaseException, failure: Failure) -> None:
        """Fill a failure from an exception, as it is sent."""
        self.failure_converter.to_failure(exception, self.payload_converter, failure)
        if self._changes_payloads:
            await for_failure_payloads(failure, self._outbound_wrapper)

    async def decode_failure(self, failure: Failure) -> BaseException:
        """The exception for a failure as it came. Changes the failure."""
        await for_failure_payloads(failure, self._inbound_wrapper)
        return self.failure_converter.from_failure(failure, self.payload_converter)

    def with_context(self, context: SerializationContext) -> Self:
        """A copy whose parts know the context, or this object if none of them wants to."""
        old = [getattr(self, name) for name in _PARTS]
        new = [in_context(part, context) for part in old]
        if all(a is b for a, b in zip(new, old)):
            return self
        return self._copy_with(dict(zip(_PARTS, new)))

    def _copy_with(self, parts: dict[str, Any]) -> Self:
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(parts)
        return copy

    def _storing_for_workflow(
        self,
        namespace: str,
        id: str | None,
        run_id: str | None = None,
        type: str | None = None,
    ) -> Self:
        """A copy that tells external storage for which workflow it keeps something."""
        if self.external_storage is None:
            return self
        return self._storing_for(
            storage.StorageDriverWorkflowInfo(
                namespace=namespace, id=id or None, run_id=run_id or None, type=type or None
            )
        )

    def _storing_for_activity(
        self,
        namespace: str,
        id: str | None,
        run_id: str | None = None,
        type: str | None = None,
    ) -> Self:
        """The same for an activity."""
        if self.external_storage is None:
            return self
        return self._storing_for(
            storage.StorageDriverActivityInfo(
                namespace=namespace, id=id or None, run_id=run_id or None, type=type or None
            )
        )

    def _storing_for(
        self,
        target: storage.StorageDriverActivityInfo | storage.StorageDriverWorkflowInfo | None,
    ) -> Self:
        if self.external_storage is None:
            return self
        return self._copy_with({"external_storage": self.external_storage.for_target(target)})

    async def _outbound(self, payloads: Sequence[Payload]) -> list[Payload]:
        result = list(payloads)
        if self.payload_codec:
            result = await self.payload_codec.encode(result)
        if self.external_storage:
            result = await self.external_storage.store_payloads(result)
        return result

    async def _inbound(self, payloads: Sequence[Payload]) -> list[Payload]:
        result = await self._inbound_references(payloads)
        result = await self._inbound_retrieved(result)
        return await self._inbound_decoded(result)

    async def _inbound_references(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The first step: what tells external storage where something is may be encoded itself."""
        result = list(payloads)
        if self.external_storage:
            for index, payload in enumerate(result):
                if storage.is_encoded_reference(payload):
                    result[index] = await storage.decode_reference(payload, self.payload_codec)
        return result

    async def _inbound_retrieved(self, payloads: list[Payload]) -> list[Payload]:
        """The second."""
        if self.external_storage:
            return await self.external_storage.retrieve_payloads(payloads)
        if any(storage.is_reference(payload) for payload in payloads):
            storage.refuse_references()
        return payloads

    async def _inbound_decoded(self, payloads: list[Payload]) -> list[Payload]:
        """The third."""
        return await self.payload_codec.decode(payloads) if self.payload_codec else payloads

    async def _outbound_wrapper(self, payloads: Payloads) -> None:
        changed = await self._outbound(payloads.payloads)
        del payloads.payloads[:]
        payloads.payloads.extend(changed)

    async def _inbound_wrapper(self, payloads: Payloads) -> None:
        changed = await self._inbound(payloads.payloads)
        del payloads.payloads[:]
        payloads.payloads.extend(changed)

    async def _encode_memo(self, source: Mapping[str, Any]) -> Memo:
        memo = _api.common.Memo()
        await self._encode_memo_existing(source, memo)
        return memo

    async def _encode_memo_existing(self, source: Mapping[str, Any], memo: Memo) -> None:
        for name, value in source.items():
            payload = value if isinstance(value, _api.common.Payload) else (await self.encode([value]))[0]
            memo.fields[name].CopyFrom(payload)

    async def _decode_memo(self, source: Memo) -> Mapping[str, Any]:
        return {name: (await self.decode([item]))[0] for name, item in source.fields.items()}

    async def _decode_memo_field(
        self, source: Memo, key: str, default: Any, type_hint: type | None
    ) -> Any:
        if key in source.fields:
            hints = [type_hint] if type_hint else None
            return (await self.decode([source.fields[key]], hints))[0]
        if default is chimera.common._arg_unset:
            raise KeyError(f"Memo does not have a value for key {key}")
        return default


def default() -> DataConverter:
    """The converter used where none is set."""
    return DataConverter.default
