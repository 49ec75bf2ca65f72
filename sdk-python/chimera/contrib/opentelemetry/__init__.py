"""OpenTelemetry: traces through clients, workflows and activities, a runtime's metrics, providers for workflow code.

Two ways to trace, for a client and its workers:

    Client.connect(address, interceptors=[TracingInterceptor()])  # Spans of calls; those of workflows have no length.
    Client.connect(address, plugins=[OpenTelemetryPlugin()])      # Spans of the program's own, in workflow code, too.

The second needs a provider that is silent while a history is replayed. Such providers are global, and set once:

    opentelemetry.trace.set_tracer_provider(create_tracer_provider())
    opentelemetry.metrics.set_meter_provider(ReplaySafeMeterProvider(MeterProvider(readers)))

Queries and update validators are heard even when the run around them is replayed. Needs the distributions
opentelemetry-api and opentelemetry-sdk.
"""

from chimera.contrib.opentelemetry._interceptor import TracingInterceptor, TracingWorkflowInboundInterceptor
from chimera.contrib.opentelemetry._logger_provider import ReplaySafeLoggerProvider
from chimera.contrib.opentelemetry._meter_provider import ReplaySafeMeterProvider
from chimera.contrib.opentelemetry._metrics_exporter import MetricsExporter
from chimera.contrib.opentelemetry._otel_interceptor import OpenTelemetryInterceptor
from chimera.contrib.opentelemetry._plugin import OpenTelemetryPlugin
from chimera.contrib.opentelemetry._tracer_provider import ReplaySafeTracerProvider, create_tracer_provider

__all__ = [
    "MetricsExporter",
    "OpenTelemetryInterceptor",
    "OpenTelemetryPlugin",
    "ReplaySafeLoggerProvider",
    "ReplaySafeMeterProvider",
    "ReplaySafeTracerProvider",
    "TracingInterceptor",
    "TracingWorkflowInboundInterceptor",
    "create_tracer_provider",
]
