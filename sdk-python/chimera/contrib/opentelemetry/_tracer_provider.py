"""Spans of workflow code: the same ids in every replay, each exported once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import opentelemetry.sdk.trace as sdk
from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.util._decorator import _agnosticcontextmanager

from chimera import workflow
from chimera.contrib.opentelemetry._id_generator import TemporalIdGenerator
from chimera.contrib.opentelemetry._replay import Wrapper, repeats_history

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import sampling
    from opentelemetry.util import types


class _ReplaySafeSpan(Wrapper, trace.Span):
    """A span is exported when it ends, so it is the end that is left out.

    That holds for an error that leaves the span and fails the workflow task, too: the task is tried again, and the span
    with it.
    """

    _error: BaseException | None = None

    def end(self, end_time: int | None = None) -> None:
        if repeats_history():
            return
        error = self._error
        leaves = error is sys.exc_info()[1]
        if error is not None and leaves and workflow.in_workflow() and not workflow.is_failure_exception(error):
            return
        self._inner.end(end_time=end_time)

    def record_exception(
        self,
        exception: BaseException,
        attributes: types.Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        self._error = exception
        self._inner.record_exception(exception, attributes, timestamp, escaped)

    def get_span_context(self) -> trace.SpanContext:
        return self._inner.get_span_context()

    def set_attributes(self, attributes: Mapping[str, types.AttributeValue]) -> None:
        self._inner.set_attributes(attributes)

    def set_attribute(self, key: str, value: types.AttributeValue) -> None:
        self._inner.set_attribute(key, value)

    def add_event(self, name: str, attributes: types.Attributes = None, timestamp: int | None = None) -> None:
        self._inner.add_event(name, attributes, timestamp)

    def add_link(self, context: trace.SpanContext, attributes: types.Attributes = None) -> None:
        self._inner.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        self._inner.update_name(name)

    def is_recording(self) -> bool:
        return self._inner.is_recording()

    def set_status(self, status: trace.Status | trace.StatusCode, description: str | None = None) -> None:
        self._inner.set_status(status, description)


class _ReplaySafeTracer(Wrapper, trace.Tracer):
    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: types.Attributes = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        if repeats_history():
            # A span that was open when the run left the cache began then, not now.
            start_time = start_time or workflow.time_ns()
        span = self._inner.start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        return _ReplaySafeSpan(span)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        attributes: types.Attributes = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[trace.Span]:
        span = self.start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        with trace.use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ):
            yield span


class ReplaySafeTracerProvider(trace.TracerProvider):
    """A provider whose spans of workflow code are exported once, with ids that a replay gives again."""

    def __init__(self, tracer_provider: sdk.TracerProvider, id_generator: TemporalIdGenerator) -> None:
        """Around a provider that uses this generator; `create_tracer_provider` makes both.

        Raises:
            ValueError: The provider has another kind of generator.
        """
        if not isinstance(tracer_provider.id_generator, TemporalIdGenerator):
            raise ValueError(
                "ReplaySafeTracerProvider needs a TracerProvider made with a TemporalIdGenerator, or a replay would "
                "give its spans other ids; use create_tracer_provider"
            )
        self._tracer_provider = tracer_provider
        self._id_generator = id_generator

    def id_generator(self) -> TemporalIdGenerator:
        """The generator of ids."""
        return self._id_generator

    def add_span_processor(self, span_processor: sdk.SpanProcessor) -> None:
        """Adds one to the wrapped provider."""
        self._tracer_provider.add_span_processor(span_processor)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flushes the wrapped provider; whether that was done in time."""
        return self._tracer_provider.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Ends the wrapped provider."""
        self._tracer_provider.shutdown()

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: types.Attributes | None = None,
    ) -> trace.Tracer:
        """The wrapped provider's tracer, silent in replay."""
        inner: Any = self._tracer_provider.get_tracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )
        return _ReplaySafeTracer(inner)


def create_tracer_provider(
    sampler: sampling.Sampler | None = None,
    resource: Resource | None = None,
    shutdown_on_exit: bool = True,
    active_span_processor: sdk.SynchronousMultiSpanProcessor | sdk.ConcurrentMultiSpanProcessor | None = None,
    id_generator: IdGenerator | None = None,
    span_limits: sdk.SpanLimits | None = None,
) -> ReplaySafeTracerProvider:
    """A provider for programs with workflows, from the arguments of OpenTelemetry's own."""
    generator = TemporalIdGenerator(id_generator or RandomIdGenerator())
    provider = sdk.TracerProvider(
        sampler=sampler,
        resource=resource,
        shutdown_on_exit=shutdown_on_exit,
        active_span_processor=active_span_processor,
        id_generator=generator,
        span_limits=span_limits,
    )
    return ReplaySafeTracerProvider(provider, generator)
