"""For workflow code of workers that have a `TracingInterceptor`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from opentelemetry.trace import get_tracer

from chimera.contrib.opentelemetry._interceptor import TracingWorkflowInboundInterceptor

if TYPE_CHECKING:
    from opentelemetry.util.types import Attributes


def completed_span(name: str, *, attributes: Attributes = None, exception: Exception | None = None) -> None:
    """Makes a span that has ended, below the one that the code is part of, with the ids of workflow and run.

    None is made in replay, nor in a workflow that was started without one (`always_create_workflow_spans` of the
    interceptor). With `OpenTelemetryPlugin` use OpenTelemetry's own calls: a span of theirs has a length.
    """
    interceptor = TracingWorkflowInboundInterceptor._from_context()
    if interceptor is not None:
        interceptor._completed_span(name, additional_attributes=attributes, exception=exception)
        return
    warnings.warn(
        "When using OpenTelemetryPlugin, you should prefer using opentelemetry directly.", DeprecationWarning
    )
    span = get_tracer(__name__).start_span(name, attributes=attributes)
    if exception is not None:
        span.record_exception(exception)
    span.end()
