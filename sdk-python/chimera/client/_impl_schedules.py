"""Calls about schedules."""

from __future__ import annotations

import inspect
import uuid
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api
from chimera._lazy import LazyModule
from chimera.client._errors import ScheduleAlreadyRunningError
from chimera.client._interceptor import OutboundInterceptor
from chimera.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from chimera.client import _inputs as inputs, _schedule_handle as handles, _schedule_wire as wire
    from chimera.client._client import Client
    from chimera.client._schedule_handle import ScheduleAsyncIterator, ScheduleDescription, ScheduleHandle
else:
    handles = LazyModule("chimera.client._schedule_handle")
    wire = LazyModule("chimera.client._schedule_wire")


class ScheduleCalls(OutboundInterceptor):
    """Everything about schedules."""

    _client: Client

    async def _call_schedule(self, rpc: str, message: str, input: Any, **fields: Any) -> Any:
        request = getattr(_api.workflowservice, f"{message}Request")(
            namespace=self._client.namespace, schedule_id=input.id, **fields
        )
        call = getattr(self._client.workflow_service, rpc)
        return await call(request, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout)

    def _who(self) -> dict[str, str]:
        return {"identity": self._client.identity, "request_id": str(uuid.uuid4())}

    async def create_schedule(self, input: inputs.CreateScheduleInput) -> ScheduleHandle:
        state = input.schedule.state
        if state.limited_actions and not state.remaining_actions:
            raise ValueError("Must set limited actions to false if there are no remaining actions set")
        if state.remaining_actions and not state.limited_actions:
            raise ValueError("Must set limited actions to true if there are remaining actions set")
        patch = None
        if input.trigger_immediately or input.backfill:
            patch = _api.schedule.SchedulePatch(backfill_request=wire.backfill_messages(input.backfill))
            if input.trigger_immediately:
                patch.trigger_immediately.overlap_policy = _api.number(input.schedule.policy.overlap)
        fields: dict[str, Any] = {"schedule": await wire.schedule_message(self._client, input.schedule)}
        if input.memo:
            fields["memo"] = await self._client.data_converter._encode_memo(input.memo)
        if input.search_attributes:
            fields["search_attributes"] = _api.common.SearchAttributes()
            chimera.converter.encode_search_attributes(input.search_attributes, fields["search_attributes"])
        try:
            await self._call_schedule(
                "create_schedule", "CreateSchedule", input, initial_patch=patch, **fields, **self._who()
            )
        except RPCError as err:
            # Any other failure of this code has no detail.
            if err.status == RPCStatusCode.ALREADY_EXISTS and err.grpc_status.details:
                raise ScheduleAlreadyRunningError() from err
            raise
        return handles.ScheduleHandle(self._client, input.id)

    def list_schedules(self, input: inputs.ListSchedulesInput) -> ScheduleAsyncIterator:
        return handles.ScheduleAsyncIterator(self._client, input)

    async def _patch(self, input: Any, patch: Any) -> None:
        await self._call_schedule("patch_schedule", "PatchSchedule", input, patch=patch, **self._who())

    async def backfill_schedule(self, input: inputs.BackfillScheduleInput) -> None:
        await self._patch(
            input, _api.schedule.SchedulePatch(backfill_request=wire.backfill_messages(input.backfills))
        )

    async def pause_schedule(self, input: inputs.PauseScheduleInput) -> None:
        await self._patch(input, _api.schedule.SchedulePatch(pause=input.note or "Paused via Python SDK"))

    async def unpause_schedule(self, input: inputs.UnpauseScheduleInput) -> None:
        await self._patch(input, _api.schedule.SchedulePatch(unpause=input.note or "Unpaused via Python SDK"))

    async def trigger_schedule(self, input: inputs.TriggerScheduleInput) -> None:
        patch = _api.schedule.SchedulePatch()
        patch.trigger_immediately.overlap_policy = _api.number(input.overlap or 0)
        await self._patch(input, patch)

    async def delete_schedule(self, input: inputs.DeleteScheduleInput) -> None:
        await self._call_schedule("delete_schedule", "DeleteSchedule", input, identity=self._client.identity)

    async def describe_schedule(self, input: inputs.DescribeScheduleInput) -> ScheduleDescription:
        reply = await self._call_schedule("describe_schedule", "DescribeSchedule", input)
        return handles.ScheduleDescription._of(input.id, reply, self._client.data_converter)

    async def update_schedule(self, input: inputs.UpdateScheduleInput) -> None:
        reply = await self._call_schedule("describe_schedule", "DescribeSchedule", input)
        description = handles.ScheduleDescription._of(input.id, reply, self._client.data_converter)
        update: Any = input.updater(handles.ScheduleUpdateInput(description))
        if inspect.isawaitable(update):
            update = await update
        if update is None:
            return
        fields: dict[str, Any] = {"schedule": await wire.schedule_message(self._client, update.schedule)}
        if update.search_attributes is not None:
            fields["search_attributes"] = _api.common.SearchAttributes()
            chimera.converter.encode_search_attributes(update.search_attributes, fields["search_attributes"])
        await self._call_schedule("update_schedule", "UpdateSchedule", input, **fields, **self._who())
