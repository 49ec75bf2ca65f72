"""Payload codecs: compression, encryption and the like, applied to payloads after conversion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from chimera import _api

if TYPE_CHECKING:
    from chimera.api.common.v1 import Payload, Payloads
    from chimera.api.failure.v1 import Failure



class PayloadCodec(ABC):
    """Changes payloads on their way out, and back on their way in."""

    @abstractmethod
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they are sent. Must not change its argument."""

    @abstractmethod
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads as they were before `encode`. Must not change its argument."""

    async def encode_wrapper(self, payloads: Payloads) -> None:
        """`encode` in place."""
        _replace(payloads, await self.encode(payloads.payloads))

    async def decode_wrapper(self, payloads: Payloads) -> None:
        """`decode` in place."""
        _replace(payloads, await self.decode(payloads.payloads))

    async def encode_failure(self, failure: Failure) -> None:
        """`encode` on all payloads of a failure and its causes."""
        await for_failure_payloads(failure, self.encode_wrapper)

    async def decode_failure(self, failure: Failure) -> None:
        """`decode` on all payloads of a failure and its causes."""
        await for_failure_payloads(failure, self.decode_wrapper)


def _replace(payloads: Payloads, by: Sequence[Payload]) -> None:
    by = list(by)  # It may be the very field that is cleared next.
    del payloads.payloads[:]
    payloads.payloads.extend(by)


# Failure info -> its field of payloads.
_DETAILS = {
    "application_failure_info": "details",
    "timeout_failure_info": "last_heartbeat_details",
    "canceled_failure_info": "details",
    "reset_workflow_failure_info": "last_heartbeat_details",
}


async def for_failure_payloads(
    failure: Failure, change: Callable[[Payloads], Awaitable[None]]
) -> None:
    """Let `change` change in place each group of payloads in a failure and its causes."""
    link: Failure | None = failure
    while link is not None:
        if link.HasField("encoded_attributes"):
            alone = _api.common.Payloads(payloads=[link.encoded_attributes])
            await change(alone)
            link.encoded_attributes.CopyFrom(alone.payloads[0])
        kind = link.WhichOneof("failure_info")
        field = _DETAILS.get(kind or "")
        if kind and field and getattr(link, kind).HasField(field):
            await change(getattr(getattr(link, kind), field))
        link = link.cause if link.HasField("cause") else None
