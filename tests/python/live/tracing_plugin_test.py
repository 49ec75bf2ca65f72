"""OpenTelemetryPlugin: spans of the program's own in workflow code, whole and once, however often it is replayed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from live_support import worker
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tracing_support import named, tree

from chimera import activity, workflow
from chimera.client import Client
from chimera.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from chimera.contrib.opentelemetry.workflow import completed_span
from chimera.exceptions import ApplicationError

OPTIONS = {"start_to_close_timeout": timedelta(seconds=10)}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Of a provider that is the global one for a test; OpenTelemetry would have one for all."""
    exporter = InMemorySpanExporter()
    provider = create_tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


def with_plugin(client: Client, **options: Any) -> Client:
    return Client(client.service_client, plugins=[OpenTelemetryPlugin(**options)])


def span(name: str) -> Any:
    return trace.get_tracer("test").start_as_current_span(name)


@activity.defn
async def work(what: str) -> str:
    with span(f"work {what}"):
        return what


@workflow.defn
class Steps:
    def __init__(self) -> None:
        self._done = 0
        self._failed_once = False

    @workflow.run
    async def run(self, rounds: int) -> None:
        with span(f"round {rounds}"):
            with span("preparing"):
                await workflow.execute_activity(work, "remote", **OPTIONS)
            for number in (1, 2):
                with span(f"step {number}"):
                    await workflow.wait_condition(lambda: self._done >= number)  # noqa: B023 - before the next
            await workflow.execute_local_activity(work, "local", **OPTIONS)
            if rounds:
                workflow.continue_as_new(rounds - 1)

    @workflow.update
    async def do(self) -> int:
        with span("doing"):
            self._done += 1
            return self._done

    @workflow.query
    def done(self) -> int:
        with span("looking"):
            return self._done


async def test_spans_of_workflow_code_are_whole_and_once(
    client: Client, spans: InMemorySpanExporter, name: str, cache: int
):
    traced = with_plugin(client)
    async with worker(traced, name, cache, Steps, work):
        with span("order"):
            handle = await traced.start_workflow(Steps.run, 0, id=name, task_queue=name)
        for expected in (1, 2):
            with span("clerk"):
                assert await handle.execute_update(Steps.do) == expected
                if expected == 1:
                    assert await handle.query(Steps.done) == expected
        await handle.result()

    assert tree(spans) == [
        "internal clerk",
        "  internal doing",
        "internal clerk",
        "  internal doing",
        "  internal looking",
        "internal order",
        "  internal round 0",
        "    internal preparing",
        "      internal work remote",
        "    internal step 1",
        "    internal step 2",
        "    internal work local",
    ]
    whole, order = named(spans, "round 0"), named(spans, "order")
    assert whole.start_time and whole.end_time and whole.end_time > whole.start_time
    assert whole.context.trace_id == order.context.trace_id


async def test_the_next_run_is_part_of_the_same(client: Client, spans: InMemorySpanExporter, name: str):
    traced = with_plugin(client)
    async with worker(traced, name, 10, Steps, work):
        with span("order"):
            handle = await traced.start_workflow(Steps.run, 1, id=name, task_queue=name)
        for _ in range(2):
            await handle.execute_update(Steps.do)
        with pytest.raises(Exception, match="continued as new"):
            await traced.get_workflow_handle(name, run_id=handle.first_execution_run_id).result(follow_runs=False)
        for _ in range(2):
            await traced.get_workflow_handle_for(Steps.run, name).execute_update(Steps.do)
        await handle.result()

    rounds = [named(spans, f"round {number}") for number in (1, 0)]
    assert {each.context.trace_id for each in rounds} == {named(spans, "order").context.trace_id}
    assert rounds[1].parent and rounds[1].parent.span_id == rounds[0].context.span_id


async def test_spans_of_the_calls_are_added_when_asked_for(client: Client, spans: InMemorySpanExporter, name: str):
    traced = with_plugin(client, add_temporal_spans=True)
    async with worker(traced, name, 10, Steps, work):
        handle = await traced.start_workflow(Steps.run, 0, id=name, task_queue=name)
        for _ in range(2):
            await handle.execute_update(Steps.do)
        await handle.query(Steps.done)
        await handle.result()

    call = ["client StartWorkflowUpdate:do", "  server HandleUpdate:do", "    internal doing"]
    assert tree(spans) == [
        "client QueryWorkflow:done",
        "  server HandleQuery:done",
        "    internal looking",
        "client StartWorkflow:Steps",
        "  server RunWorkflow:Steps",
        "    internal round 0",
        "      client StartActivity:work",
        "        server RunActivity:work",
        "          internal work local",
        "      internal preparing",
        "        client StartActivity:work",
        "          server RunActivity:work",
        "            internal work remote",
        "      internal step 1",
        "      internal step 2",
        *call,
        *call,
    ]


@workflow.defn
class Stumbling:
    @workflow.run
    async def run(self) -> None:
        with span("stumbling"):
            if not workflow.unsafe.is_replaying() and not STUMBLED:
                STUMBLED.append(workflow.info().attempt)
                raise RuntimeError("fails the task")
        completed_span("noted", attributes={"answer": 42}, exception=ValueError("odd"))
        raise ApplicationError("the end")


STUMBLED: list[int] = []


async def test_a_span_that_fails_the_task_is_that_of_the_next_try(
    client: Client, spans: InMemorySpanExporter, name: str
):
    traced = with_plugin(client)
    with pytest.warns(DeprecationWarning, match="prefer using opentelemetry directly"):
        async with worker(traced, name, 10, Stumbling):
            with span("order"), pytest.raises(Exception, match="Workflow execution failed"):
                await traced.execute_workflow(Stumbling.run, id=name, task_queue=name)

    assert STUMBLED
    assert [line.strip() for line in tree(spans)][1:] == ["internal noted [exception: odd]", "internal stumbling"]


def test_a_global_provider_of_another_kind_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(trace, "get_tracer_provider", TracerProvider)
    with pytest.raises(ValueError, match="set one of create_tracer_provider"):
        worker(with_plugin(client), name, 10, Steps)
