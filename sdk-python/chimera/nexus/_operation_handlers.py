"""Handlers of operations that stand for something in Temporal."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from nexusrpc import HandlerError, HandlerErrorType
from nexusrpc.handler import (
    CancelOperationContext,
    OperationHandler,
    StartOperationContext,
    StartOperationResultAsync,
    StartOperationResultSync,
)

from chimera.nexus._operation_context import (
    TemporalCancelOperationContext,
    TemporalStartOperationContext,
    client as current_client,
)
from chimera.nexus._temporal_client import TemporalNexusClient, TemporalOperationResult, _Client
from chimera.nexus._token import OperationToken, OperationTokenType, WorkflowHandle

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


def is_async_callable(function: Any) -> bool:
    """Whether calling it gives something to await."""
    while isinstance(function, functools.partial):
        function = function.func
    call = getattr(function, "__call__", None)  # noqa: B004  # An object may have an async one.
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


class WorkflowRunOperationHandler(OperationHandler[InputT, OutputT]):
    """An operation that is a workflow; `start` is given and starts it."""

    def __init__(
        self, start: Callable[[StartOperationContext, InputT], Awaitable[WorkflowHandle[OutputT]]]
    ) -> None:
        """RuntimeError for a start that is no `async def`."""
        if not is_async_callable(start):
            raise RuntimeError(
                f"{start} is not an `async def` method, as a workflow_run_operation needs it: it awaits "
                "ctx.start_workflow"
            )
        self._start = start

    async def start(self, ctx: StartOperationContext, input: InputT) -> StartOperationResultAsync:
        """Start the workflow."""
        handle = await self._start(ctx, input)
        if not isinstance(handle, WorkflowHandle):
            raise RuntimeError(
                f"Expected {handle} to be a nexus.WorkflowHandle, but got {type(handle)}. "
                "The handler of a workflow_run_operation returns what its ctx.start_workflow() returned: a "
                "workflow that Client.start_workflow() has started does not tell the caller of its end."
            )
        return StartOperationResultAsync(handle.to_token())

    async def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        """Ask for the workflow's cancellation."""
        await _cancel_workflow(token)


async def _cancel_workflow(token: str, **options: Any) -> None:
    """Of an operation whose handler runs; `options` are those of the client's call."""
    try:
        handle: WorkflowHandle[Any] = WorkflowHandle.from_token(token)
    except TypeError as err:
        raise HandlerError(
            "the operation's token is none of a workflow's, and only those can be cancelled here: give "
            "operations with other tokens a cancel of their own",
            type=HandlerErrorType.NOT_FOUND,
        ) from err
    try:
        workflow = handle._to_client_workflow_handle(current_client())
    except ValueError as err:
        raise HandlerError(
            f"the operation's token is of no workflow that this worker's client reaches: {err}",
            type=HandlerErrorType.NOT_FOUND,
        ) from err
    await workflow.cancel(**options)


@dataclass(frozen=True)
class CancelWorkflowRunOptions:
    """The workflow that an operation stands for."""

    workflow_id: str


@dataclass(frozen=True)
class CancelUpdateWorkflowOptions:
    """The update that an operation stands for."""

    workflow_id: str
    update_id: str
    run_id: str


@dataclass(frozen=True)
class CancelActivityOptions:
    """The activity that an operation stands for."""

    activity_id: str
    run_id: str


class TemporalOperationHandler(OperationHandler[InputT, OutputT], ABC):
    """An operation that may stand for a workflow, an update of one, or an activity.

    Users write `start_operation`, and what cancels it if that is to be otherwise.
    """

    @abstractmethod
    async def start_operation(
        self, ctx: TemporalStartOperationContext, client: TemporalNexusClient, input: InputT
    ) -> TemporalOperationResult[OutputT]:
        """Start the operation."""

    async def start(
        self, ctx: StartOperationContext, input: InputT
    ) -> StartOperationResultSync[OutputT] | StartOperationResultAsync:
        """Calls `start_operation`."""
        context = TemporalStartOperationContext._from_start_operation_context(ctx)
        result = await self.start_operation(context, _Client(), input)
        return result._to_nexus_result()

    async def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        """Calls the method for what the token names."""
        try:
            fields = OperationToken.decode(token)
        except TypeError as err:
            raise _wrong_token("Unable to decode operation token to cancel") from err
        context = TemporalCancelOperationContext._from_cancel_operation_context(ctx)
        if fields.type is OperationTokenType.WORKFLOW:
            assert fields.workflow_id
            await self.cancel_workflow_run(context, CancelWorkflowRunOptions(fields.workflow_id))
            return
        if not fields.run_id:
            raise _wrong_token(
                f"Expected operation token of type {fields.type.name} to have a valid run id."
            )
        if fields.type is OperationTokenType.ACTIVITY:
            assert fields.activity_id
            await self.cancel_activity(context, CancelActivityOptions(fields.activity_id, fields.run_id))
        else:
            assert fields.workflow_id and fields.update_id
            await self.cancel_workflow_update(
                context, CancelUpdateWorkflowOptions(fields.workflow_id, fields.update_id, fields.run_id)
            )

    async def cancel_workflow_run(
        self, ctx: TemporalCancelOperationContext, options: CancelWorkflowRunOptions
    ) -> None:
        """Ask for the workflow's cancellation."""
        await current_client().get_workflow_handle(options.workflow_id).cancel()

    async def cancel_workflow_update(
        self, ctx: TemporalCancelOperationContext, options: CancelUpdateWorkflowOptions
    ) -> None:
        """An update cannot be cancelled: what can be done depends on its handler, and this is for users to write."""
        raise HandlerError(
            "an operation that an update stands behind cannot be cancelled by the server: override "
            "cancel_workflow_update, and have the update's handler told, by a signal for instance",
            type=HandlerErrorType.NOT_IMPLEMENTED,
        )

    async def cancel_activity(self, ctx: TemporalCancelOperationContext, options: CancelActivityOptions) -> None:
        """Ask for the activity's cancellation."""
        await current_client().get_activity_handle(options.activity_id, run_id=options.run_id).cancel()


def _wrong_token(message: str) -> HandlerError:
    return HandlerError(message, type=HandlerErrorType.INTERNAL, retryable_override=False)
