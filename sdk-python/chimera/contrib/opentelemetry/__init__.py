"""OpenTelemetry in workflow code: providers that are silent while a history is replayed.

Wrap what the program uses and make it the global provider, once:

    opentelemetry.metrics.set_meter_provider(ReplaySafeMeterProvider(MeterProvider(readers)))
    opentelemetry.trace.set_tracer_provider(create_tracer_provider())

Queries and update validators are heard even when the run around them is replayed. Needs the distributions
opentelemetry-api and, for tracing, opentelemetry-sdk.
"""

from typing import NoReturn

from chimera.contrib.opentelemetry._logger_provider import ReplaySafeLoggerProvider
from chimera.contrib.opentelemetry._meter_provider import ReplaySafeMeterProvider
from chimera.contrib.opentelemetry._tracer_provider import ReplaySafeTracerProvider, create_tracer_provider

__all__ = [
    "ReplaySafeLoggerProvider",
    "ReplaySafeMeterProvider",
    "ReplaySafeTracerProvider",
    "create_tracer_provider",
]

_MISSING = {
    "MetricsExporter",
    "OpenTelemetryInterceptor",
    "OpenTelemetryPlugin",
    "TracingInterceptor",
    "TracingWorkflowInboundInterceptor",
}


def __getattr__(name: str) -> NoReturn:
    if name in _MISSING:
        raise ImportError(
            f"chimera.contrib.opentelemetry has no {name} yet: spans do not travel between clients, workflows and "
            "activities; the ReplaySafe providers work"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
