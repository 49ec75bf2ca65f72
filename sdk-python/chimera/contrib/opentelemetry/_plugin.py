"""OpenTelemetryPlugin: tracing for a client and its workers."""

from __future__ import annotations

import dataclasses

from chimera.contrib.opentelemetry._otel_interceptor import OpenTelemetryInterceptor
from chimera.plugin import SimplePlugin
from chimera.worker import WorkflowRunner
from chimera.worker.workflow_sandbox import SandboxedWorkflowRunner


def _sharing_opentelemetry(runner: WorkflowRunner | None) -> WorkflowRunner:
    if runner is None:
        raise ValueError("No WorkflowRunner provided to the OpenTelemetry plugin.")
    if isinstance(runner, SandboxedWorkflowRunner):  # The context is the process's, or nothing travels.
        shared = runner.restrictions.with_passthrough_modules("opentelemetry")
        return dataclasses.replace(runner, restrictions=shared)
    return runner


class OpenTelemetryPlugin(SimplePlugin):
    """Tracing with OpenTelemetry's own calls, in clients, activities and workflow code alike:

        opentelemetry.trace.set_tracer_provider(create_tracer_provider())
        client = await Client.connect(address, plugins=[OpenTelemetryPlugin()])  # Its workers have it, too.

    Spans of workflow code have the same ids in every replay and are exported when they end, once. They are as long as
    what they are around: of a workflow that runs for a year, a year. Experimental, as in temporalio.
    """

    def __init__(self, *, add_temporal_spans: bool = False) -> None:
        """With spans of the calls themselves, such as StartWorkflow and RunActivity, if asked for."""
        super().__init__(
            "OpenTelemetryPlugin",
            interceptors=[OpenTelemetryInterceptor(add_temporal_spans)],
            workflow_runner=_sharing_opentelemetry,
        )
