"""External storage: large payloads are kept elsewhere, references to them travel.

A reference is a json/protobuf payload of ExternalStorageReference (temporal/api/sdk/v1); the older
json/external-storage-reference is read as well, and so is one that a codec has encoded and that is
marked for it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from chimera import _api

if TYPE_CHECKING:
    from chimera.api.common.v1 import Payload
    from chimera.converter._codec import PayloadCodec


_MESSAGE_TYPE = b"temporal.api.sdk.v1.ExternalStorageReference"
_OLD_ENCODING = b"json/external-storage-reference"
_MARK = "__temporal_external_storage_reference"


@dataclass(frozen=True)
class StorageDriverClaim:
    """What a driver needs to find a payload again."""

    claim_data: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class StorageDriverWorkflowInfo:
    """The workflow that a payload belongs to."""

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


@dataclass(frozen=True, kw_only=True)
class StorageDriverActivityInfo:
    """The activity that a payload belongs to."""

    namespace: str
    id: str | None = None
    run_id: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class StorageDriverStoreContext:
    """For whom something is stored."""

    target: StorageDriverActivityInfo | StorageDriverWorkflowInfo | None = None


@dataclass(frozen=True)
class StorageDriverSelectContext:
    """For whom a driver is chosen."""

    target: StorageDriverActivityInfo | StorageDriverWorkflowInfo | None = None


@dataclass(frozen=True)
class StorageDriverRetrieveContext:
    """Nothing yet."""


class StorageDriver(ABC):
    """Keeps payloads somewhere."""

    @abstractmethod
    def name(self) -> str:
        """Its name in references: must not change while payloads are kept."""

    def type(self) -> str:
        """The kind of driver."""
        return type(self).__name__

    @abstractmethod
    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        """Keep payloads; one claim for each."""

    @abstractmethod
    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """The payloads of claims."""


class StorageWarning(RuntimeWarning):
    """Something about external storage that works, but not well."""


def is_reference(payload: Payload) -> bool:
    """Whether a payload stands for one that is kept elsewhere."""
    encoding = payload.metadata.get("encoding")
    if encoding == b"json/protobuf":
        return payload.metadata.get("messageType") == _MESSAGE_TYPE
    return encoding == _OLD_ENCODING or is_encoded_reference(payload)


def is_encoded_reference(payload: Payload) -> bool:
    """Whether it is a reference that has to be decoded first."""
    return payload.metadata.get(_MARK) == b"true"


async def decode_reference(payload: Payload, codec: PayloadCodec | None) -> Payload:
    """The reference as it was before a codec had encoded it."""
    plain = _api.common.Payload()
    plain.CopyFrom(payload)
    del plain.metadata[_MARK]
    del plain.external_payloads[:]
    if codec is not None:
        (plain,) = await codec.decode([plain])
    if not is_reference(plain):
        raise RuntimeError(
            "[TMPRL1106] Encountered an encoded external storage reference that could not be decoded. "
            "Check that the payload codec used to write it is configured."
        )
    return plain


def refuse_references() -> NoReturn:
    """Raise the error for a reference that nobody can follow."""
    raise RuntimeError(
        "[TMPRL1105] Detected externally stored payload(s) but external storage is not configured."
    )


async def _all_or_none(calls: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Results of calls made at once; the first error cancels the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


@dataclass(frozen=True)
class ExternalStorage:
    """Which driver keeps which payloads."""

    drivers: Sequence[StorageDriver]
    """At least one, with distinct names."""

    driver_selector: (
        Callable[[StorageDriverSelectContext, Payload], StorageDriver | None] | None
    ) = None
    """Chooses for a payload; None keeps it inline. Needed if there are several drivers."""

    payload_size_threshold: int = 256 * 1024
    """Payloads below it stay inline."""

    _by_name: dict[str, StorageDriver] = dataclasses.field(init=False, repr=False, compare=False)
    _target: Any = dataclasses.field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        """Check the drivers."""
        if not self.drivers:
            raise ValueError("ExternalStorage.drivers must contain at least one driver.")
        if self.payload_size_threshold < 0:
            raise ValueError(
                "ExternalStorage.payload_size_threshold must be greater than or equal to zero."
            )
        if len(self.drivers) > 1 and self.driver_selector is None:
            raise ValueError(
                "ExternalStorage.driver_selector must be specified if multiple drivers are "
                "registered."
            )
        by_name: dict[str, StorageDriver] = {}
        for driver in self.drivers:
            if by_name.setdefault(driver.name(), driver) is not driver:
                raise ValueError(
                    "ExternalStorage.drivers contains multiple drivers with name "
                    f"'{driver.name()}'. Each driver must have a unique name."
                )
        object.__setattr__(self, "_by_name", by_name)

    def for_target(
        self, target: StorageDriverActivityInfo | StorageDriverWorkflowInfo | None
    ) -> ExternalStorage:
        """A copy that stores for a workflow or an activity; None: it is not known for whom."""
        copy = dataclasses.replace(self)
        object.__setattr__(copy, "_target", target)
        return copy

    def _driver_for(self, payload: Payload) -> StorageDriver | None:
        if payload.ByteSize() < self.payload_size_threshold:
            return None
        if self.driver_selector is None:
            return self.drivers[0]
        driver = self.driver_selector(StorageDriverSelectContext(self._target), payload)
        if driver is not None and self._by_name.get(driver.name()) is not driver:
            raise ValueError(
                f"Driver '{driver.name()}' returned by driver_selector is not registered in "
                "ExternalStorage.drivers"
            )
        return driver

    async def store_payloads(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, large ones replaced by references."""
        result = list(payloads)
        groups: dict[str, list[int]] = {}
        for index, payload in enumerate(result):
            driver = self._driver_for(payload)
            if driver is not None:
                groups.setdefault(driver.name(), []).append(index)
        context = StorageDriverStoreContext(self._target)
        claims = await _all_or_none(
            [
                self._by_name[name].store(context, [result[index] for index in indices])
                for name, indices in groups.items()
            ]
        )
        for (name, indices), group in zip(groups.items(), claims):
            if len(group) != len(indices):
                raise ValueError(
                    f"Driver '{name}' returned {len(group)} claims, expected {len(indices)}"
                )
            for index, claim in zip(indices, group):
                result[index] = _reference(name, claim, result[index].ByteSize())
        return result

    async def retrieve_payloads(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, references replaced by what they stand for."""
        result = list(payloads)
        groups: dict[str, list[tuple[int, StorageDriverClaim]]] = {}
        for index, payload in enumerate(result):
            if is_reference(payload):
                name, claim = _follow(payload)
                if name not in self._by_name:
                    raise ValueError(f"No driver found with name '{name}'")
                groups.setdefault(name, []).append((index, claim))
        context = StorageDriverRetrieveContext()
        stored = await _all_or_none(
            [
                self._by_name[name].retrieve(context, [claim for _, claim in group])
                for name, group in groups.items()
            ]
        )
        for (name, group), found in zip(groups.items(), stored):
            if len(found) != len(group):
                raise ValueError(
                    f"Driver '{name}' returned {len(found)} payloads, expected {len(group)}"
                )
            for (index, _), payload in zip(group, found):
                result[index] = payload
        return result


def _reference(driver_name: str, claim: StorageDriverClaim, size: int) -> Payload:
    fields = {"driverName": driver_name, "claimData": dict(claim.claim_data)}
    fields = {name: value for name, value in sorted(fields.items()) if value}
    payload = _api.common.Payload(
        metadata={"encoding": b"json/protobuf", "messageType": _MESSAGE_TYPE},
        data=json.dumps(fields, separators=(",", ":"), sort_keys=True).encode(),
    )
    payload.external_payloads.add().size_bytes = size
    return payload


def _follow(payload: Payload) -> tuple[str, StorageDriverClaim]:
    fields = json.loads(payload.data)
    if payload.metadata["encoding"] == _OLD_ENCODING:
        return fields["driver_name"], StorageDriverClaim(fields["driver_claim"]["claim_data"])
    return fields.get("driverName", ""), StorageDriverClaim(fields.get("claimData", {}))
