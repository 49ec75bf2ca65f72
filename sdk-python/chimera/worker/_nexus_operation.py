"""A Nexus operation that workflow code has started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import chimera._border as border
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
        self._run.add_command(border.RequestCancelNexusOperation(self.seq))

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
        command = border.ScheduleNexusOperation(
            seq=self.seq,
            attributes=self._run.pack(attributes),
            cancellation_type=int(input.cancellation_type),
            user_metadata=metadata,
        )
        self._run.add_command(command, self.context)
        self._operations.nexus[self.seq] = self

    def resolve_start(self, status: Any) -> None:
        if isinstance(status, border.Failed):
            self._operations.nexus.pop(self.seq)
            self._fail(self._run.decode_failure(status.failure, self.failures, self.payloads))
        else:
            token = status.token if isinstance(status, border.OperationToken) else None
            self.start.set_result(token)

    def resolve(self, result: Any) -> None:
        self._end(result, self._input.output_type)
