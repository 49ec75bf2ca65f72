"""The operation whose handler runs: what it can ask of its worker, and what it adds to the client's calls."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from nexusrpc.handler import CancelOperationContext, OperationContext, StartOperationContext

from chimera import _api, common
from chimera.client import Client
from chimera.client._callback import NexusCallback
from chimera.client._on_behalf import Requester, on_behalf_of
from chimera.nexus._link_conversion import nexus_link_to_temporal_link, temporal_link_to_nexus_link
from chimera.nexus._token import OperationToken, OperationTokenType, WorkflowHandle

OutputT = TypeVar("OutputT")
ContextT = TypeVar("ContextT", bound=OperationContext)


@dataclass(frozen=True)
class Info:
    """About the request."""

    endpoint: str
    """The endpoint by which it came."""
    namespace: str
    """The worker's."""
    task_queue: str
    """The worker's."""


class _Running(Generic[ContextT]):
    """The request that is handled."""

    def __init__(
        self,
        context: ContextT,
        info: Info,
        client: Client,
        meter: common.MetricMeter,
        worker_shutdown: common._CompositeEvent,
    ) -> None:
        self.context = context
        self.info = info
        self.client = client
        self.worker_shutdown = worker_shutdown
        self._meter = meter
        self._own_meter: common.MetricMeter | None = None

    @property
    def metric_meter(self) -> common.MetricMeter:
        if self._own_meter is None:
            self._own_meter = self._meter.with_additional_attributes(
                {
                    "nexus_service": self.context.service,
                    "nexus_operation": self.context.operation,
                    "task_queue": self.info.task_queue,
                }
            )
        return self._own_meter

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """What is called within finds it."""
        token = _running.set(self)
        try:
            yield
        finally:
            _running.reset(token)


# What the handler starts for its operation, whose end is to be the operation's, too.
_backing: ContextVar[bool] = ContextVar("temporal-nexus-backing", default=False)
_running: ContextVar[_Running[Any] | None] = ContextVar("temporal-nexus-operation", default=None)


class _Cancelling(_Running[CancelOperationContext]):
    """A request to cancel an operation."""


class _Starting(_Running[StartOperationContext], Requester):
    """A request to start an operation."""

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        with on_behalf_of(self), super().entered():
            yield

    @contextlib.contextmanager
    def backing(self) -> Iterator[None]:
        """The next call of the client starts what the operation stands for."""
        token = _backing.set(True)
        try:
            yield
        finally:
            _backing.reset(token)

    def callback(self, token: str) -> NexusCallback | None:
        """Where the caller wants to hear of the end of what the token names."""
        context = self.context
        if not context.callback_url:
            return None
        return NexusCallback(context.callback_url, {**context.callback_headers, "nexus-operation-token": token})

    def links(self) -> list[Any]:
        """To the caller."""
        links = [nexus_link_to_temporal_link(link) for link in self.context.inbound_links]
        return [link for link in links if link is not None]

    # Of Requester

    def asks(self, request: Any) -> None:
        service = _api.workflowservice
        backing = _backing.get()
        if isinstance(request, service.StartWorkflowExecutionRequest):
            self._on_start(request, backing)
        elif isinstance(request, service.StartActivityExecutionRequest):
            self._on_start_activity(request, backing)
        elif isinstance(request, service.UpdateWorkflowExecutionRequest):
            if backing:
                self._on_update(request)
        elif isinstance(request, service.SignalWorkflowExecutionRequest) or (
            isinstance(request, service.SignalWithStartWorkflowExecutionRequest) and not backing
        ):
            request.links.extend(self.links())

    def _on_start(self, request: Any, backing: bool) -> None:
        links = self.links()
        request.links.extend(links)  # Of callbacks alone, older servers do not take them.
        told = False
        if backing:
            request.request_id = self.context.request_id
            token = OperationToken(
                type=OperationTokenType.WORKFLOW, namespace=self.client.namespace, workflow_id=request.workflow_id
            )
            told = self._add_callback(request.completion_callbacks, token, links)
        if links or told:
            _attach(request.on_conflict_options)

    def _on_start_activity(self, request: Any, backing: bool) -> None:
        links = self.links()
        request.request_id = self.context.request_id
        told = False
        if backing:
            token = OperationToken(
                type=OperationTokenType.ACTIVITY, namespace=self.client.namespace, activity_id=request.activity_id
            )
            told = self._add_callback(request.completion_callbacks, token, links)
        if not told:
            request.links.extend(links)
        if links or told:
            _attach(request.on_conflict_options)

    def _on_update(self, request: Any) -> None:
        links = self.links()
        update, execution = request.request, request.workflow_execution
        update.request_id = self.context.request_id
        update.links.extend(links)
        token = OperationToken(
            type=OperationTokenType.UPDATE_WORKFLOW,
            namespace=self.client.namespace,
            workflow_id=execution.workflow_id,
            update_id=update.meta.update_id,
            run_id=execution.run_id or None,
        )
        self._add_callback(update.completion_callbacks, token, links)

    def _add_callback(self, callbacks: Any, token: OperationToken, links: Sequence[Any]) -> bool:
        found = self.callback(token.encode())
        if found is None:
            return False
        added = callbacks.add(links=links)
        added.nexus.url = found.url
        added.nexus.header.update(found.headers)
        return True

    def has(self, request: Any, reply: Any) -> None:
        service = _api.workflowservice
        if isinstance(reply, service.SignalWithStartWorkflowExecutionResponse):
            link = reply.signal_link if reply.HasField("signal_link") else None
        elif reply.HasField("link"):
            link = reply.link
        elif isinstance(reply, service.StartWorkflowExecutionResponse):
            link = self._first_event(request, reply)
        elif isinstance(reply, service.StartActivityExecutionResponse):
            link = _api.common.Link()
            link.activity.namespace = request.namespace
            link.activity.activity_id, link.activity.run_id = request.activity_id, reply.run_id
        else:
            link = None
        if link is None:  # Of an older server.
            return
        try:
            converted = temporal_link_to_nexus_link(link)
        except ValueError as err:
            logger.warning("A link to what the operation has done is left out: %s", err)
            return
        if converted is not None:
            self.context.outbound_links.append(converted)

    def _first_event(self, request: Any, reply: Any) -> Any:
        link = _api.common.Link()
        event = link.workflow_event
        event.namespace = request.namespace
        event.workflow_id = request.workflow_id
        event.run_id = reply.first_execution_run_id or reply.run_id
        event.request_id_ref.request_id = self.context.request_id
        started = _api.enums.EventType.Value("EVENT_TYPE_WORKFLOW_EXECUTION_STARTED")
        event.request_id_ref.event_type = _api.number(started)
        return link


def _attach(options: Any) -> None:
    """What the request brings is added to what it finds under its id."""
    options.attach_request_id = True
    options.attach_completion_callbacks = True
    options.attach_links = True


def _current() -> _Running[Any]:
    found = _running.get()
    if found is None:
        raise RuntimeError("Not in Nexus operation context.")
    return found


def _current_start() -> _Starting:
    found = _running.get()
    if not isinstance(found, _Starting):
        raise RuntimeError("Not in Nexus operation context.")
    return found


def in_operation() -> bool:
    """Whether this is called by the handler of an operation."""
    return _running.get() is not None


def info() -> Info:
    """About the request. RuntimeError outside of handlers, as with all functions here."""
    return _current().info


def client() -> Client:
    """The worker's client."""
    return _current().client


def metric_meter() -> common.MetricMeter:
    """A meter whose metrics carry the operation's names."""
    return _current().metric_meter


def is_worker_shutdown() -> bool:
    """Whether the worker shuts down."""
    return _current().worker_shutdown.is_set()


async def wait_for_worker_shutdown() -> None:
    """Wait until the worker shuts down."""
    await _current().worker_shutdown.wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Block until the worker shuts down or the time, in seconds, is over."""
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    _current().worker_shutdown.wait_sync(seconds)


def _fields(context: OperationContext) -> dict[str, Any]:
    return {field.name: getattr(context, field.name) for field in dataclasses.fields(context)}


class WorkflowRunOperationContext(StartOperationContext):
    """What a `workflow_run_operation` gets."""

    _running: _Starting

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Made by the worker."""
        super().__init__(*args, **kwargs)
        object.__setattr__(self, "_running", _current_start())

    @classmethod
    def _from_start_operation_context(cls, context: StartOperationContext) -> WorkflowRunOperationContext:
        return cls(**_fields(context))

    @property
    def metric_meter(self) -> common.MetricMeter:
        """A meter whose metrics carry the operation's names."""
        return self._running.metric_meter

    async def start_workflow(
        self,
        workflow: str | Callable[..., Awaitable[OutputT]],
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
    ) -> WorkflowHandle[OutputT]:
        """Start the workflow whose end is the operation's, in the worker's namespace and, by default, on its queue.

        The request has the operation's request id, its callback and its links; with `id_conflict_policy`
        USE_EXISTING they are added to a workflow that runs already. Other arguments are those of
        `Client.start_workflow`.
        """
        options = dict(locals())
        del options["self"]
        return await start_backing_workflow(self._running, **options)


async def start_backing_workflow(
    running: _Starting, *, workflow: Any, task_queue: str | None, **options: Any
) -> WorkflowHandle[Any]:
    """The client's start_workflow, for an operation."""
    if options.get("start_signal") is not None:
        raise ValueError(
            "start_signal: a workflow that is started by a signal cannot stand for an operation, since the server "
            "calls nobody back at its end; start it, and signal it by nexus.client()"
        )
    with running.backing():
        handle = await running.client.start_workflow(
            workflow, task_queue=task_queue or running.info.task_queue, **options
        )
    return WorkflowHandle(running.client.namespace, handle.id)


class TemporalStartOperationContext(StartOperationContext):
    """What the start of a `temporal_operation` gets."""

    @classmethod
    def _from_start_operation_context(cls, context: StartOperationContext) -> TemporalStartOperationContext:
        return cls(**_fields(context))


class TemporalCancelOperationContext(CancelOperationContext):
    """What the methods of a TemporalOperationHandler get that cancel something."""

    @classmethod
    def _from_cancel_operation_context(cls, context: CancelOperationContext) -> TemporalCancelOperationContext:
        return cls(**_fields(context))


class LoggerAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]  # No generic class before 3.11.
    """Adds the operation to records."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        """`extra` goes to each record, too."""
        super().__init__(logger, extra or {})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add service, operation and task queue."""
        extra = dict(self.extra or {})
        if (running := _running.get()) is not None:
            extra["service"] = running.context.service
            extra["operation"] = running.context.operation
            extra["task_queue"] = running.info.task_queue
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return msg, kwargs


logger = LoggerAdapter(logging.getLogger("temporalio.nexus"), None)
"""Logger of handlers."""
