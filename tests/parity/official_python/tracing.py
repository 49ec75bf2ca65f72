"""One side of a trace, of either package: tracing.py PACKAGE worker|client ADDRESS NAME

The worker serves the task queue NAME until its input ends; the client runs the workflow NAME. Each prints its spans, a
JSON array a line: name, kind, trace, span, parent, links, names of attributes.
"""

import asyncio
import importlib
import json
import sys
from datetime import timedelta
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

PACKAGE, ROLE, ADDRESS, NAME = sys.argv[1:5]


def module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


activity, workflow = module("activity"), module("workflow")
OPTIONS = {"start_to_close_timeout": timedelta(seconds=10)}
SPANS = InMemorySpanExporter()


@activity.defn
async def shout(text: str) -> str:
    return f"{text}!"


@workflow.defn
class Traced:
    def __init__(self) -> None:
        self.gone = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.gone)
        remote = await workflow.execute_activity(shout, "remote", **OPTIONS)
        local = await workflow.execute_local_activity(shout, "local", **OPTIONS)
        return f"{remote} {local}"

    @workflow.signal
    def go(self) -> None:
        self.gone = True

    @workflow.query
    def ask(self) -> int:
        return 1

    @workflow.update
    def change(self) -> int:
        return 2

    @change.validator
    def check(self) -> None:
        pass


async def serve(client: Any) -> None:
    worker = module("worker")
    async with worker.Worker(
        client,
        task_queue=NAME,
        workflows=[Traced],
        activities=[shout],
        workflow_runner=worker.UnsandboxedWorkflowRunner(),
    ):
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def call(client: Any) -> None:
    handle = await client.start_workflow("Traced", id=NAME, task_queue=NAME, result_type=str)
    assert await handle.query("ask") == 1
    assert await handle.execute_update("change") == 2
    await handle.signal("go")
    assert await handle.result() == "remote! local!"


async def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    tracing = module("contrib.opentelemetry").TracingInterceptor(provider.get_tracer("parity"))
    client = await module("client").Client.connect(ADDRESS, interceptors=[tracing])
    await (serve if ROLE == "worker" else call)(client)
    for span in SPANS.get_finished_spans():
        parent = f"{span.parent.span_id:016x}" if span.parent else None
        links = [f"{link.context.span_id:016x}" for link in span.links]
        own = f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"
        print(json.dumps([span.name, span.kind.name, *own, parent, links, sorted(span.attributes or {})]))


asyncio.run(main())
