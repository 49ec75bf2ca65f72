"""Applies a codec, or external storage, to what goes to and comes from workflow code.

Only used where there is one. Workflow code then has the messages themselves in jobs and commands.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import chimera._border as border
from chimera.api.common.v1 import Payload, Payloads
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.converter import DataConverter

# Where Operations keeps what a job resolves.
_TABLE_OF: Mapping[type, str] = {
    border.ResolveActivity: "activities",
    border.ResolveChildWorkflowExecutionStart: "children",
    border.ResolveChildWorkflowExecution: "children",
    border.ResolveNexusOperationStart: "nexus",
    border.ResolveNexusOperation: "nexus",
}
# The messages that jobs hold, by what border's annotations call them.
_MESSAGES: Mapping[str, Any] = {
    each.__name__: each for each in (Failure, Payload, WorkflowExecutionStartedEventAttributes)
}

Change = Callable[[Payloads], Awaitable[None]]
ActivityCommand = TypeVar("ActivityCommand", border.ScheduleActivity, border.ScheduleLocalActivity)

# Never encoded: the server has to read them.
_PLAIN = "temporal.api.common.v1.SearchAttributes"
_HEADER = "temporal.api.common.v1.Header"


@functools.cache
def _fields_of(shape: Any) -> tuple[tuple[str, str], ...]:
    """Each field of a class of border's, and its annotation, as shapes.h has it."""
    texts = {
        name: getattr(annotation, "__forward_arg__", annotation)
        for name, annotation in shape.__annotations__.items()
    }
    return tuple((name, text.removesuffix(" | None")) for name, text in texts.items())


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

    async def decode(
        self, activation: border.Activation, own: Any, operations: Any
    ) -> border.Activation:
        """The activation with decoded messages in the place of serialized ones.

        `operations` knows the contexts of what a cached run has started.
        """
        jobs = [await self._job(job, own, operations) for job in activation.jobs]
        return activation._replace(jobs=jobs)

    async def _job(self, job: border.Job, own: Any, operations: Any) -> border.Job:
        table = getattr(operations, _TABLE_OF.get(type(job), ""), {})
        context = getattr(table.get(getattr(job, "seq", None)), "context", None) or own
        decoded: border.Job = await self._decoded(job, self._for(context)._inbound_wrapper)
        return decoded

    async def _decoded(self, item: Any, change: Change) -> Any:
        """A job, or a part of one such as how an operation ended."""
        changed: dict[str, Any] = {}
        shape: Any = type(item)
        for name, kind in _fields_of(shape):
            value = getattr(item, name)
            if isinstance(value, tuple):
                changed[name] = await self._decoded(value, change)
            elif value is None:
                continue
            elif kind in _MESSAGES:
                changed[name] = await self._message(_MESSAGES[kind].FromString(value), change)
            elif kind == "list[Payload]":
                changed[name] = await self._payloads(value, change)
            elif kind == "dict[str, Payload]":
                changed[name] = await self._header(value, change)
        return item._replace(**changed)

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
        commands: list[Any],
        contexts: list[Any],
        own: Any,
        target_of: Callable[[Any], Any],
    ) -> list[border.Command]:
        """The commands with their messages encoded and serialized."""
        result = []
        for command, context in zip(commands, contexts):
            if callable(context):
                context = context()
            change = self._for(context or own, target_of(command))._outbound_wrapper
            if isinstance(command, (border.ScheduleActivity, border.ScheduleLocalActivity)):
                command = await self._activity(command, change)
            result.append(await self._packed(command, change))
        return result

    async def _packed(self, item: Any, change: Change) -> Any:
        if isinstance(item, tuple):  # A command, or a part of one.
            return type(item)(*[await self._packed(each, change) for each in item])
        if not hasattr(item, "SerializeToString"):
            return item
        await change_message(item, change, self._headers)
        return item.SerializeToString()

    async def _activity(self, command: ActivityCommand, change: Change) -> ActivityCommand:
        if self._headers:
            for payload in command.header.values():
                await change_message(payload, change, True)
        header = {name: item.SerializeToString() for name, item in command.header.items()}
        together = Payloads(payloads=command.arguments)
        if command.arguments:
            await change(together)
        arguments = [payload.SerializeToString() for payload in together.payloads]
        return command._replace(header=header, arguments=arguments)

    async def encode_failure(self, failure: Failure, own: Any, target: Any) -> None:
        """A task's failure."""
        await change_message(failure, self._for(own, target)._outbound_wrapper, self._headers)
