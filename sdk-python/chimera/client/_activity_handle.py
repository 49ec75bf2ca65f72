"""Handles of activities that no workflow has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic

import chimera.converter
from chimera import _api
from chimera._lazy import LazyModule
from chimera.client import _errors as errors
from chimera.client._handle import only_result
from chimera.service import RPCError, RPCStatusCode
from chimera.types import ReturnType

if TYPE_CHECKING:
    from chimera.api.activity.v1 import ActivityExecutionOutcome
    from chimera.client import _inputs as inputs
    from chimera.client._activity import (
        ActivityExecutionDescription,
        ActivityExecutionOptions,
        ActivityOptionsUpdate,
    )
    from chimera.client._client import Client
else:
    inputs = LazyModule("chimera.client._inputs")


def context_of(
    client: Client, id: str, *, type: str | None = None, task_queue: str | None = None
) -> chimera.converter.ActivitySerializationContext:
    """In which values of such an activity are converted."""
    return chimera.converter.ActivitySerializationContext(
        namespace=client.namespace,
        activity_id=id,
        activity_type=type,
        activity_task_queue=task_queue,
        workflow_id=None,
        workflow_type=None,
        is_local=False,
    )


def check_updates(updates: Sequence[ActivityOptionsUpdate[Any]], who: str) -> None:
    """No option is changed twice."""
    seen: set[str] = set()
    for update in updates:
        if update.key.name in seen:
            raise ValueError(f"{who} received more than one update for {update.key.name}")
        seen.add(update.key.name)


class ActivityHandle(Generic[ReturnType]):
    """One activity, as a client reaches it. Made by the client's methods."""

    def __init__(
        self, client: Client, id: str, *, run_id: str | None = None, result_type: type | None = None
    ) -> None:
        """Use Client.get_activity_handle instead."""
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_type = result_type
        self._known_outcome: ActivityExecutionOutcome | None = None

    @property
    def id(self) -> str:
        """The activity's id."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """Its run; None: the latest of the id."""
        return self._run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ReturnType:
        """Waits for the end; `rpc_timeout` is of each of the calls that this takes.

        Raises ActivityFailureError with a cause if the end is not a result.
        """
        outcome = await self._outcome(rpc_metadata, rpc_timeout)
        converter = self._client.data_converter.with_context(context_of(self._client, self._id))
        if outcome.HasField("failure"):
            raise errors.ActivityFailureError(cause=await converter.decode_failure(outcome.failure))
        if not outcome.result.payloads:
            return None  # type: ignore[return-value]
        hints = [self._result_type] if self._result_type else None
        value: ReturnType = only_result(await converter.decode(outcome.result.payloads, hints), "activity result")
        return value

    async def _outcome(
        self, rpc_metadata: Mapping[str, str | bytes], rpc_timeout: timedelta | None
    ) -> ActivityExecutionOutcome:
        request = _api.workflowservice.PollActivityExecutionRequest(
            namespace=self._client.namespace, activity_id=self._id, run_id=self._run_id or ""
        )
        while self._known_outcome is None:
            try:
                reply = await self._client.workflow_service.poll_activity_execution(
                    request, retry=True, metadata=rpc_metadata, timeout=rpc_timeout
                )
            except RPCError as err:
                if err.status == RPCStatusCode.CANCELLED:
                    raise asyncio.CancelledError() from err
                if err.status != RPCStatusCode.DEADLINE_EXCEEDED:
                    raise
                continue
            if reply.HasField("outcome"):
                self._known_outcome = reply.outcome
        return self._known_outcome

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks it to stop, which its worker hears by a heartbeat. At once, if no worker has it."""
        await self._client._impl.cancel_activity(
            inputs.CancelActivityInput(self._id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends it; its worker is not asked."""
        await self._client._impl.terminate_activity(
            inputs.TerminateActivityInput(self._id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def pause(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """No attempt begins until unpause()."""
        await self._client._impl.pause_activity(
            inputs.PauseActivityInput(self._id, self._run_id, reason, rpc_metadata, rpc_timeout)
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Goes on, within `jitter`."""
        await self._client._impl.unpause_activity(
            inputs.UnpauseActivityInput(self._id, self._run_id, reason, jitter, rpc_metadata, rpc_timeout)
        )

    async def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Changes options, each once at most; the options that hold then."""
        if not updates:
            raise ValueError(
                "update_options requires at least one update; use restore_original_options() to revert options"
            )
        check_updates(updates, "update_options")
        return await self._update(updates, False, rpc_metadata, rpc_timeout)

    async def restore_original_options(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionOptions:
        """Takes all changes of options back; the options that hold then."""
        return await self._update([], True, rpc_metadata, rpc_timeout)

    async def _update(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        restore_original: bool,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> ActivityExecutionOptions:
        options: ActivityExecutionOptions = await self._client._impl.update_activity_options(
            inputs.UpdateActivityOptionsInput(
                self._id, self._run_id, updates, restore_original, rpc_metadata, rpc_timeout
            )
        )
        return options

    async def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """How it stands; with what is asked for."""
        description: ActivityExecutionDescription = await self._client._impl.describe_activity(
            inputs.DescribeActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                include_input=include_input,
                include_outcome=include_outcome,
                include_heartbeat_details=include_heartbeat_details,
                include_last_failure=include_last_failure,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        return description
