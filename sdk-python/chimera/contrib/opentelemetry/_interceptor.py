"""TracingInterceptor: spans of calls, and of workflows spans without length that are whole when they are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import opentelemetry.context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

import chimera.worker
from chimera import workflow
from chimera.contrib.opentelemetry._carrier import Carrier, HasHeaders, Propagation, with_text
from chimera.contrib.opentelemetry._context import attached_context
from chimera.contrib.opentelemetry._spans import TracingInterceptorBase, span_around
from chimera.exceptions import FailureError

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes, AttributeValue

    import chimera.activity

_COMPLETED_SPAN = "__temporal_opentelemetry_completed_span"
_INTERCEPTOR = opentelemetry.context.create_key("chimera_opentelemetry_interceptor")


@dataclass(frozen=True)
class _Instant:
    """A span that begins and ends at one moment of a workflow's time."""

    name: str
    kind: SpanKind
    attributes: Attributes
    time_ns: int
    context: Carrier
    has_parent: bool
    link: Carrier | None
    exception: Exception | None


class TracingInterceptor(TracingInterceptorBase):
    """Makes spans of calls and carries their context to workflows and activities. For a client and its workers:

        client = await Client.connect(address, interceptors=[TracingInterceptor()])

    Spans of clients and activities are as long as the call. A workflow may be replayed for years by one worker after
    the other, so its spans are instants, made once and not in replay; all have the span that started the workflow for
    their parent. Spans of your own in workflow code: `chimera.contrib.opentelemetry.workflow.completed_span`.

    To have another header, propagator or converter, derive from this and from `TracingWorkflowInboundInterceptor`, set
    the same in both, and return the latter's subclass by `workflow_interceptor_class`, after super's.
    """

    _sets_nexus_headers = True

    def __init__(self, tracer: trace.Tracer | None = None, *, always_create_workflow_spans: bool = False) -> None:
        """With the tracer of OpenTelemetry's global provider, unless another is given.

        A workflow that was started without a span (from a shell, by a schedule) has none, unless
        `always_create_workflow_spans`: these have no parent then, each is a trace of its own.
        """
        self.tracer = tracer or trace.get_tracer(__name__)
        self._always_create_workflow_spans = always_create_workflow_spans

    def workflow_interceptor_class(
        self, input: chimera.worker.WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor]:
        """Spans of workflows."""
        input.unsafe_extern_functions[_COMPLETED_SPAN] = self._completed_workflow_span
        return TracingWorkflowInboundInterceptor

    def _span(self, name: str, kind: SpanKind, attributes: Attributes) -> AbstractContextManager[None]:
        return span_around(self.tracer, name, kind, attributes)

    def _activity_attributes(self, info: chimera.activity.Info) -> dict[str, str]:
        attributes = {"temporalActivityID": info.activity_id}
        if info.workflow_id:
            attributes["temporalWorkflowID"] = info.workflow_id
        if info.workflow_run_id:
            attributes["temporalRunID"] = info.workflow_run_id
        return attributes

    def _completed_workflow_span(self, instant: _Instant) -> Carrier | None:
        """The made span's carrier; None if there is to be none."""
        if not (instant.has_parent or self._always_create_workflow_spans):
            return None
        context = self.text_map_propagator.extract(instant.context)
        span = self.tracer.start_span(
            instant.name,
            context,
            kind=instant.kind,
            attributes=instant.attributes,
            links=self._links(instant.link),
            start_time=instant.time_ns,
        )
        if instant.exception is not None:
            span.record_exception(instant.exception)
        span.end(end_time=instant.time_ns)
        return self._carrier(trace.set_span_in_context(span, context))

    def _links(self, carrier: Carrier | None) -> list[trace.Link]:
        if carrier is None:
            return []
        linked = trace.get_current_span(self.text_map_propagator.extract(carrier))
        return [] if linked is trace.INVALID_SPAN else [trace.Link(linked.get_span_context())]


class TracingWorkflowInboundInterceptor(Propagation, chimera.worker.WorkflowInboundInterceptor):
    """Of one run; `TracingInterceptor` says why to derive from it."""

    def __init__(self, next: chimera.worker.WorkflowInboundInterceptor) -> None:
        """As the worker makes it."""
        super().__init__(next)
        self._workflow_context_carrier: Carrier | None = None

    @staticmethod
    def _from_context() -> TracingWorkflowInboundInterceptor | None:
        """That of the code that calls this."""
        found = opentelemetry.context.get_value(_INTERCEPTOR)
        return found if isinstance(found, TracingWorkflowInboundInterceptor) else None

    def init(self, outbound: chimera.worker.WorkflowOutboundInterceptor) -> None:
        """Goes around what the workflow calls, too."""
        super().init(_WorkflowCalls(outbound, self))

    async def execute_workflow(self, input: chimera.worker.ExecuteWorkflowInput) -> Any:
        """RunWorkflow, and CompleteWorkflow once it has ended."""
        with self._top_level_workflow_context(success_is_complete=True):
            self._completed_span(f"RunWorkflow:{workflow.info().workflow_type}", kind=SpanKind.SERVER)
            return await super().execute_workflow(input)

    async def handle_signal(self, input: chimera.worker.HandleSignalInput) -> None:
        """HandleSignal, linked to who sent it. A failure ends the workflow."""
        with self._top_level_workflow_context(success_is_complete=False):
            self._handler_span(f"HandleSignal:{input.signal}", input)
            await super().handle_signal(input)

    def handle_update_validator(self, input: chimera.worker.HandleUpdateInput) -> None:
        """ValidateUpdate, linked to who sent it."""
        with _workflow_context(self):
            self._handler_span(f"ValidateUpdate:{input.update}", input)
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: chimera.worker.HandleUpdateInput) -> Any:
        """HandleUpdate, linked to who sent it."""
        with _workflow_context(self):
            self._handler_span(f"HandleUpdate:{input.update}", input)
            return await super().handle_update_handler(input)

    async def handle_query(self, input: chimera.worker.HandleQueryInput) -> Any:
        """HandleQuery, a part of who asks, linked to the workflow, which has no part in it."""
        asked_by = self._context_of(input.headers)
        link = None if asked_by is None else self._load_workflow_context_carrier()
        with attached_context(self._set_on_context(Context() if asked_by is None else asked_by)):
            self._completed_span(
                f"HandleQuery:{input.query}",
                link_context_carrier=link,
                new_span_even_on_replay=True,
                kind=SpanKind.SERVER,
            )
            return await super().handle_query(input)

    def _handler_span(self, name: str, input: HasHeaders) -> None:
        self._completed_span(name, link_context_carrier=self._carrier_of(input.headers), kind=SpanKind.SERVER)

    def _load_workflow_context_carrier(self) -> Carrier | None:
        """Of the span that started the workflow."""
        if self._workflow_context_carrier is None:
            self._workflow_context_carrier = self._carrier_of(workflow.info().headers)
        return self._workflow_context_carrier

    def _set_on_context(self, context: Context) -> Context:
        return opentelemetry.context.set_value(_INTERCEPTOR, self, context)

    @contextmanager
    def _top_level_workflow_context(self, *, success_is_complete: bool) -> Iterator[None]:
        """Of code whose failure ends the workflow, and for the main one success, too."""
        with _workflow_context(self):
            try:
                yield
            except FailureError as failure:
                self._completed_span(f"CompleteWorkflow:{workflow.info().workflow_type}", exception=failure)
                raise
            if success_is_complete:
                self._completed_span(f"CompleteWorkflow:{workflow.info().workflow_type}")

    def _completed_span(
        self,
        span_name: str,
        *,
        link_context_carrier: Carrier | None = None,
        add_to_outbound: HasHeaders | None = None,
        new_span_even_on_replay: bool = False,
        additional_attributes: Attributes = None,
        exception: Exception | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Carrier | None:
        """Makes an instant below the current span; None where there is none to be made, as in replay."""
        if workflow.unsafe.is_replaying() and not new_span_even_on_replay:
            return None
        info = workflow.info()
        attributes: dict[str, AttributeValue] = {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}
        attributes.update(additional_attributes or {})
        instant = _Instant(
            name=span_name,
            kind=kind,
            attributes=attributes,
            time_ns=workflow.time_ns(),
            context=self._carrier(),
            has_parent=trace.get_current_span() is not trace.INVALID_SPAN,
            link=link_context_carrier,
            exception=exception,
        )
        carrier = workflow.extern_functions()[_COMPLETED_SPAN](instant)
        if add_to_outbound is not None:
            add_to_outbound.headers = self._with_carrier(add_to_outbound.headers, carrier)
        return carrier


def _workflow_context(interceptor: TracingWorkflowInboundInterceptor) -> AbstractContextManager[None]:
    """That of the span that started the workflow, or an empty one, and not what code around has."""
    carrier = interceptor._load_workflow_context_carrier()
    context = Context() if carrier is None else interceptor.text_map_propagator.extract(carrier)
    return attached_context(interceptor._set_on_context(context))


class _WorkflowCalls(chimera.worker.WorkflowOutboundInterceptor):
    """What a workflow starts and signals."""

    def __init__(
        self, next: chimera.worker.WorkflowOutboundInterceptor, root: TracingWorkflowInboundInterceptor
    ) -> None:
        super().__init__(next)
        self._root = root

    def _span(self, name: str, input: HasHeaders, kind: SpanKind = SpanKind.CLIENT) -> None:
        self._root._completed_span(name, add_to_outbound=input, kind=kind)

    def continue_as_new(self, input: chimera.worker.ContinueAsNewInput) -> NoReturn:
        # The next run is part of what this one is part of.
        input.headers = self._root._with_context(input.headers)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: chimera.worker.SignalChildWorkflowInput) -> None:
        self._span(f"SignalChildWorkflow:{input.signal}", input, SpanKind.SERVER)  # The kind of all official SDKs.
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: chimera.worker.SignalExternalWorkflowInput) -> None:
        self._span(f"SignalExternalWorkflow:{input.signal}", input)
        await super().signal_external_workflow(input)

    def start_activity(self, input: chimera.worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._span(f"StartActivity:{input.activity}", input)
        return super().start_activity(input)

    def start_local_activity(self, input: chimera.worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        self._span(f"StartActivity:{input.activity}", input)
        return super().start_local_activity(input)

    async def start_child_workflow(
        self, input: chimera.worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        self._span(f"StartChildWorkflow:{input.workflow}", input)
        return await super().start_child_workflow(input)

    async def start_nexus_operation(
        self, input: chimera.worker.StartNexusOperationInput[Any, Any]
    ) -> workflow.NexusOperationHandle[Any]:
        name = f"StartNexusOperation:{input.service}/{input.operation_name}"
        if carrier := self._root._completed_span(name, kind=SpanKind.CLIENT):
            input.headers = with_text(input.headers, carrier)
        return await super().start_nexus_operation(input)
