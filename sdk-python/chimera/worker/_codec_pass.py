"""Applies a codec, or external storage, to what goes to and comes from workflow code.

Only used where there is one. Workflow code then has the messages themselves in jobs and commands.
"""

from __future__ import annotations

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
_STARTED = (border.ResolveChildWorkflowExecutionStart, border.ResolveNexusOperationStart)
_ENDED = (border.ResolveActivity, border.ResolveChildWorkflowExecution, border.ResolveNexusOperation)
_ANSWERED_EXTERNAL = (
    border.ResolveSignalExternalWorkflow,
    border.ResolveRequestCancelExternalWorkflow,
)

Change = Callable[[Payloads], Awaitable[None]]
ActivityCommand = TypeVar("ActivityCommand", border.ScheduleActivity, border.ScheduleLocalActivity)

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

    async def decode(
        self, activation: border.Activation, own: Any, operations: Any
    ) -> border.Activation:
        """The activation with decoded messages in the place of serialized ones.

        `operations` knows the contexts of what a cached run has started.
        """
        jobs = [await self._job(job, own, operations) for job in activation.jobs]
        return activation._replace(jobs=jobs)

    async def _job(self, job: border.Job, own: Any, operations: Any) -> border.Job:
        change = self._for(own)._inbound_wrapper
        if isinstance(job, border.InitializeWorkflow):
            started = WorkflowExecutionStartedEventAttributes.FromString(job.started)
            return job._replace(started=await self._message(started, change))
        if isinstance(job, (border.SignalWorkflow, border.DoUpdate)):
            payloads = await self._payloads(job.input, change)
            return job._replace(input=payloads, headers=await self._header(job.headers, change))
        if isinstance(job, border.QueryWorkflow):
            payloads = await self._payloads(job.arguments, change)
            return job._replace(arguments=payloads, headers=await self._header(job.headers, change))
        if isinstance(job, _ANSWERED_EXTERNAL) and job.failure is not None:
            return job._replace(failure=await self._message(Failure.FromString(job.failure), change))
        if not isinstance(job, (*_STARTED, *_ENDED)):
            return job
        table = getattr(operations, _TABLE_OF[type(job)], {})
        context = getattr(table.get(job.seq), "context", None) or own
        change = self._for(context)._inbound_wrapper
        if isinstance(job, _STARTED):
            return job._replace(status=await self._ending(job.status, change))
        return job._replace(result=await self._ending(job.result, change))

    async def _ending(self, ending: Any, change: Change) -> Any:
        """How an operation ended, or began."""
        if isinstance(ending, border.Completed) and ending.result is not None:
            return ending._replace(result=await self._message(Payload.FromString(ending.result), change))
        if isinstance(ending, (border.Failed, border.Cancelled, border.TimedOut)):
            return ending._replace(failure=await self._message(Failure.FromString(ending.failure), change))
        return ending

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
            if command is None:  # A place that was kept for an answer that did not come.
                continue
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
