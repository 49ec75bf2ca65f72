"""What the start of a `temporal_operation` starts its operation with, and what it returns."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar, cast

from nexusrpc import HandlerError, HandlerErrorType, OperationError, OperationErrorState
from nexusrpc.handler import StartOperationResultAsync, StartOperationResultSync

from chimera import common
from chimera.client import Client, WorkflowUpdateFailedError, WorkflowUpdateStage
from chimera.nexus._operation_context import _current_start, start_backing_workflow
from chimera.nexus._token import OperationToken, OperationTokenType

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class TemporalOperationResult(Generic[ResultT]):
    """The result of an operation, or the token of one that goes on: exactly one of them."""

    value: Any = common._arg_unset
    token: str | None = None

    def __post_init__(self) -> None:
        """ValueError for both or neither."""
        if (self.value is common._arg_unset) == (self.token is None):
            raise ValueError("TemporalOperationResult must have exactly one of value or token set.")
        if self.token is not None and not (isinstance(self.token, str) and self.token):
            raise ValueError("a TemporalOperationResult's token must be a non-empty string")

    @classmethod
    def sync(cls, value: ResultT) -> TemporalOperationResult[ResultT]:
        """The operation has ended with this result."""
        return cls(value=value)

    @classmethod
    def async_token(cls, token: str) -> TemporalOperationResult[ResultT]:
        """The operation goes on; the token names it."""
        return cls(token=token)

    def _to_nexus_result(self) -> StartOperationResultSync[ResultT] | StartOperationResultAsync:
        if self.token is not None:
            return StartOperationResultAsync(self.token)
        return StartOperationResultSync(cast(ResultT, self.value))


class TemporalNexusClient(ABC):
    """Starts what an operation stands for. One call of these in the start of an operation; all else that it does goes
    by `client`."""

    @property
    @abstractmethod
    def client(self) -> Client:
        """The worker's client."""

    @abstractmethod
    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[ResultT]],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str | None = None,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: common.WorkflowIDReusePolicy = common.WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.WorkflowIDConflictPolicy = common.WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: common.RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: common.Priority = common.Priority.default,
        versioning_override: common.VersioningOverride | None = None,
    ) -> TemporalOperationResult[ResultT]:
        """As `WorkflowRunOperationContext.start_workflow`."""

    @abstractmethod
    async def start_workflow_update(
        self,
        workflow_id: str,
        update: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        wait_for_stage: WorkflowUpdateStage,
        update_id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> TemporalOperationResult[Any]:
        """Send an update whose end is the operation's. Its id is the operation's request id unless one is given; the
        only stage to wait for is ACCEPTED."""

    @abstractmethod
    async def start_activity(
        self,
        activity: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str | None = None,
        result_type: type | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        heartbeat_timeout: timedelta | None = None,
        start_delay: timedelta | None = None,
        id_reuse_policy: common.ActivityIDReusePolicy = common.ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.ActivityIDConflictPolicy = common.ActivityIDConflictPolicy.FAIL,
        retry_policy: common.RetryPolicy | None = None,
        search_attributes: common.TypedSearchAttributes | None = None,
        summary: str | None = None,
        priority: common.Priority = common.Priority.default,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> TemporalOperationResult[Any]:
        """Start an activity whose end is the operation's, by default on the worker's task queue.

        The request has the operation's request id, its callback and its links. The server has to take callbacks of
        activities (server 1.32 with `activity.enableCallbacks`). Other arguments are those of `Client.start_activity`.
        """


class _Client(TemporalNexusClient):
    """Of one start."""

    def __init__(self) -> None:
        self._running = _current_start()
        self._started = False

    @property
    def client(self) -> Client:
        return self._running.client

    @contextlib.contextmanager
    def _only_once(self) -> Iterator[None]:
        if self._started:
            raise HandlerError(
                "Only one async operation can be started per operation handler invocation. Use "
                "TemporalNexusClient.client for additional workflow interactions",
                type=HandlerErrorType.BAD_REQUEST,
            )
        self._started = True  # Before it is sent: another may be tried meanwhile.
        try:
            yield
        except BaseException:
            self._started = False
            raise

    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[ResultT]],
        arg: Any = common._arg_unset,
        *,
        task_queue: str | None = None,
        **options: Any,
    ) -> TemporalOperationResult[ResultT]:
        with self._only_once():
            handle = await start_backing_workflow(
                self._running, workflow=workflow, arg=arg, task_queue=task_queue, **options
            )
        return TemporalOperationResult.async_token(handle.to_token())

    async def start_workflow_update(
        self,
        workflow_id: str,
        update: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        wait_for_stage: WorkflowUpdateStage,
        update_id: str | None = None,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        **options: Any,
    ) -> TemporalOperationResult[Any]:
        running = self._running
        if not running.context.callback_url:
            raise HandlerError(
                "start_workflow_update: the request has no callback, by which its caller would hear of the end",
                type=HandlerErrorType.BAD_REQUEST,
            )
        if wait_for_stage != WorkflowUpdateStage.ACCEPTED:
            raise ValueError("Only ACCEPTED wait stage is supported")
        with self._only_once():
            workflow: Any = running.client.get_workflow_handle(
                workflow_id, run_id=run_id, first_execution_run_id=first_execution_run_id
            )
            with running.backing():
                handle = await workflow.start_update(
                    update,
                    arg,
                    wait_for_stage=wait_for_stage,
                    id=update_id or running.context.request_id,
                    **options,
                )
            if handle._known_outcome is not None:  # Then nobody will be called back.
                try:
                    return TemporalOperationResult.sync(await handle.result())
                except WorkflowUpdateFailedError as err:
                    raise OperationError(str(err), state=OperationErrorState.FAILED) from err
        token = OperationToken(
            type=OperationTokenType.UPDATE_WORKFLOW,
            namespace=running.client.namespace,
            workflow_id=handle.workflow_id,
            update_id=handle.id,
            run_id=handle.workflow_run_id,
        )
        return TemporalOperationResult.async_token(token.encode())

    async def start_activity(
        self,
        activity: str | Callable[..., Any],
        arg: Any = common._arg_unset,
        *,
        task_queue: str | None = None,
        **options: Any,
    ) -> TemporalOperationResult[Any]:
        running = self._running
        client: Any = running.client
        with self._only_once(), running.backing():
            handle = await client.start_activity(
                activity, arg, task_queue=task_queue or running.info.task_queue, **options
            )
        token = OperationToken(
            type=OperationTokenType.ACTIVITY,
            namespace=running.client.namespace,
            activity_id=handle.id,
            run_id=handle.run_id,
        )
        return TemporalOperationResult.async_token(token.encode())
