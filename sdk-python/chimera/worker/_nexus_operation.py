"""A Nexus operation that workflow code has started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chimera.converter as converter
from chimera.api.command.v1 import ScheduleNexusOperationCommandAttributes
from chimera.worker._interceptor import StartNexusOperationInput
from chimera.worker._started_first import StartedFirst
from chimera.workflow._nexus import NexusOperationHandle

if TYPE_CHECKING:
    from chimera.worker._operations import Operations


class NexusOperation(NexusOperationHandle[Any], StartedFirst):
    """The handle of a Nexus operation."""

    def __init__(self, operations: Operations, input: StartNexusOperationInput) -> None:
        self._operations = operations
        self._run = operations.run
        self._input = input
        self.seq = operations.next_seq("nexus")
        loop = self._run.loop
        name = f"nexus: {input.service}/{input.operation_name}"
        self.start = loop.create_future()
        self.future = loop.create_future()
        self._task = loop.create_task(self._body(), name=name)
        self.context = converter.NexusSerializationContext(
            input.endpoint, input.service, input.operation_name
        )
        self.payloads = self._run.payloads_for(self.context)
        self.failures = self._run.failures_for(self.context)

    async def _body(self) -> Any:
        return await self._operations.wait_for(self.future, self.request_cancel)

    def __await__(self) -> Any:
        return self._task.__await__()

    def cancel(self) -> bool:
        return self._task.cancel()

    @property
    def operation_token(self) -> str | None:
        done = self.start.done() and not self.start.cancelled()
        return self.start.result() if done and not self.start.exception() else None

    def request_cancel(self, _error: Any = None) -> None:
        self._run.add_command(("cancel_nexus", self.seq))

    def schedule(self) -> None:
        input = self._input
        attributes = ScheduleNexusOperationCommandAttributes(
            endpoint=input.endpoint, service=input.service, operation=input.operation_name
        )
        attributes.input.CopyFrom(self.payloads.to_payload(input.input))
        for name in (
            "schedule_to_close_timeout",
            "schedule_to_start_timeout",
            "start_to_close_timeout",
        ):
            if (duration := getattr(input, name)) is not None:
                getattr(attributes, name).FromTimedelta(duration)
        attributes.nexus_header.update(input.headers or {})
        metadata = self._run.user_metadata(input.summary, None, self.payloads)
        kind = int(input.cancellation_type)
        command = ("nexus", self.seq, self._run.pack(attributes), kind, metadata)
        self._run.add_command(command, self.context)
        self._operations.nexus[self.seq] = self

    def resolve_start(self, status: str, value: Any) -> None:
        if status == "failed":
            self._operations.nexus.pop(self.seq)
            self._fail(self._run.decode_failure(value, self.failures, self.payloads))
        else:
            self.start.set_result(value)

    def resolve(self, status: str, value: Any) -> None:
        self._end(status, value, self._input.output_type)
