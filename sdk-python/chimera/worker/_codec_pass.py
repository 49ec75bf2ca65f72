"""Applies a codec, or external storage, to what goes to and comes from workflow code.

Only used where there is one: activations and commands are tuples, whose messages are walked here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chimera.api.common.v1 import Payload, Payloads
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.converter import DataConverter

Change = Callable[[Payloads], Awaitable[None]]

# Never encoded: the server has to read them.
_PLAIN = "temporal.api.common.v1.SearchAttributes"
_HEADER = "temporal.api.common.v1.Header"


async def change_message(message: Any, change: Change, headers: bool) -> None:
    """Let `change` change all payloads of a message, in place."""
    name = message.DESCRIPTOR.full_name
    if name == _PLAIN or (name == _HEADER and not headers):
        return
    if isinstance(message, Payload):
        alone = Payloads(payloads=[message])
        await change(alone)
        message.CopyFrom(alone.payloads[0])
        return
    if isinstance(message, Payloads):
        await change(message)
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for item in value.values():
                    await change_message(item, change, headers)
        elif hasattr(value, "DESCRIPTOR"):
            await change_message(value, change, headers)
        else:
            for item in value:
                await change_message(item, change, headers)


class CodecPass:
    """The pass of one worker."""

    def __init__(self, converter: DataConverter, headers: bool) -> None:
        self._converter = converter
        self._headers = headers

    def _for(self, context: Any, target: Any = None) -> DataConverter:
        """`target`: for whom external storage keeps what is too large."""
        converter = self._converter.with_context(context) if context else self._converter
        return converter._storing_for(target)

    # In

    async def decode(self, activation: tuple, own: Any, operations: Any) -> tuple:
        """The activation with decoded messages in the place of serialized ones.

        `operations` knows the contexts of what a cached run has started.
        """
        jobs = [await self._job(job, own, operations) for job in activation[-1]]
        return (*activation[:-1], jobs)

    async def _job(self, job: tuple, own: Any, operations: Any) -> tuple:
        kind = job[0]
        change = self._for(own)._inbound_wrapper
        if kind == "initialize":
            started = WorkflowExecutionStartedEventAttributes.FromString(job[1])
            await change_message(started, change, self._headers)
            return (kind, started, *job[2:])
        if kind in ("signal", "query", "update"):
            at = {"signal": 2, "query": 3, "update": 4}[kind]
            return (
                *job[:at],
                await self._payloads(job[at], change),
                await self._header(job[at + 1], change),
                *job[at + 2 :],
            )
        if kind in ("activity", "child", "nexus", "child_start", "nexus_start"):
            known = {"activity": "activities", "child": "children", "nexus": "nexus"}
            table = getattr(operations, known[kind.removesuffix("_start")], {})
            context = getattr(table.get(job[1]), "context", None) or own
            value = await self._answer(job, self._for(context)._inbound_wrapper)
            return (*job[:3], value, *job[4:])
        if kind in ("signal_external", "cancel_external") and job[2] is not None:
            return (*job[:2], await self._message(Failure.FromString(job[2]), change))
        return job

    async def _answer(self, job: tuple, change: Change) -> Any:
        status, value = job[2], job[3]
        if status in ("failed", "cancelled", "timed_out") and isinstance(value, bytes):
            return await self._message(Failure.FromString(value), change)
        if status == "completed" and value is not None:
            return await self._message(Payload.FromString(value), change)
        return value

    async def _message(self, message: Any, change: Change) -> Any:
        await change_message(message, change, self._headers)
        return message

    async def _payloads(self, items: list[bytes], change: Change) -> list[Payload]:
        together = Payloads(payloads=[Payload.FromString(item) for item in items])
        if items:
            await change(together)
        return list(together.payloads)

    async def _header(self, headers: dict[str, bytes], change: Change) -> dict[str, Any]:
        if not self._headers:
            return headers
        return {
            name: await self._message(Payload.FromString(item), change)
            for name, item in headers.items()
        }

    # Out

    async def encode(
        self,
        commands: list[tuple],
        contexts: list[Any],
        own: Any,
        target_of: Callable[[tuple], Any],
    ) -> list[tuple]:
        """The commands with their messages encoded and serialized."""
        result = []
        for command, context in zip(commands, contexts):
            if command is None:  # A place that was kept for an answer that did not come.
                continue
            change = self._for(context or own, target_of(command))._outbound_wrapper
            if command[0] == "local_activity":
                command = await self._local_activity(command, change)
            result.append(tuple([await self._packed(item, change) for item in command]))
        return result

    async def _packed(self, item: Any, change: Change) -> Any:
        if not hasattr(item, "SerializeToString"):
            return item
        await change_message(item, change, self._headers)
        return item.SerializeToString()

    async def _local_activity(self, command: tuple, change: Change) -> tuple:
        items = list(command)
        if self._headers:
            for payload in items[6].values():
                await change_message(payload, change, True)
        items[6] = {name: item.SerializeToString() for name, item in items[6].items()}
        together = Payloads(payloads=items[7])
        if items[7]:
            await change(together)
        items[7] = [payload.SerializeToString() for payload in together.payloads]
        return tuple(items)

    async def encode_failure(self, failure: Failure, own: Any, target: Any) -> None:
        """A task's failure."""
        await change_message(failure, self._for(own, target)._outbound_wrapper, self._headers)
