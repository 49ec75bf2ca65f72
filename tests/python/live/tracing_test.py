"""TracingInterceptor: one trace through clients, workflows and activities, each span once, on both servers."""

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from live_support import until, worker
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tracing_support import named, tree

import chimera.worker
from chimera import activity, workflow
from chimera.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from chimera.common import RetryPolicy, WorkflowIDConflictPolicy
from chimera.contrib.opentelemetry import TracingInterceptor, TracingWorkflowInboundInterceptor
from chimera.contrib.opentelemetry.workflow import completed_span
from chimera.converter import PayloadConverter
from chimera.exceptions import ApplicationError, ApplicationErrorCategory

OPTIONS = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=2),
}


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> trace.Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider.get_tracer("test")


def with_interceptors(client: Client, *interceptors: Any) -> Client:
    return Client(**{**client.config(), "interceptors": list(interceptors)})


@pytest.fixture
def traced(client: Client, tracer: trace.Tracer) -> Client:
    return with_interceptors(client, TracingInterceptor(tracer))


@activity.defn
async def second_time(text: str) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError("not yet")
    return f"{text} {baggage.get_baggage('tenant')}"


@activity.defn
def on_a_thread() -> int:
    assert threading.current_thread() is not threading.main_thread()
    return trace.get_current_span().get_span_context().span_id


@activity.defn
async def refuse(benign: bool) -> None:
    category = ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED
    raise ApplicationError("no", category=category, non_retryable=True)


@workflow.defn
class Child:
    def __init__(self) -> None:
        self._signals = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self._signals == 2)

    @workflow.signal
    def go(self) -> None:
        self._signals += 1


@workflow.defn
class Parent:
    def __init__(self) -> None:
        self._words: list[str] = []

    @workflow.run
    async def run(self, rounds: int) -> list[str]:
        completed_span("Mine", attributes={"round": rounds})
        await workflow.wait_condition(lambda: "go" in self._words)
        if rounds:
            child = await workflow.start_child_workflow(Child.run, id=f"{workflow.info().workflow_id}-child")
            await child.signal(Child.go)
            await workflow.get_external_workflow_handle_for(Child.run, child.id).signal(Child.go)
            await child
            workflow.continue_as_new(rounds - 1)
        said = await workflow.execute_activity(second_time, "remote", **OPTIONS)
        return [said, await workflow.execute_local_activity(second_time, "local", **OPTIONS)]

    @workflow.signal
    def say(self, word: str) -> None:
        self._words.append(word)

    @workflow.query
    def words(self) -> list[str]:
        return self._words

    @workflow.update
    def add(self, word: str) -> int:
        self._words.append(word)
        return len(self._words)

    @add.validator
    def check(self, word: str) -> None:
        if word == "bad":
            raise ApplicationError("bad word")


async def test_each_call_has_its_span_once_in_one_trace(
    traced: Client, tracer: trace.Tracer, spans: InMemorySpanExporter, name: str, cache: int
):
    options: dict[str, Any] = {"id": name, "task_queue": name}
    attached = context.attach(baggage.set_baggage("tenant", "blue"))
    async with worker(traced, name, cache, Parent, Child, second_time):
        with tracer.start_as_current_span("all"):
            handle = await traced.start_workflow(Parent.run, 1, start_signal="say", start_signal_args=["hi"], **options)
            assert await handle.query(Parent.words) == ["hi"]
            assert await handle.execute_update(Parent.add, "there") == 2
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(Parent.add, "bad")
            await handle.signal(Parent.say, "go")
            runs = traced.get_workflow_handle(name)

            async def second_run() -> bool:
                return (await runs.describe()).run_id != handle.first_execution_run_id

            await until(second_run)
            again = WithStartWorkflowOperation(
                Parent.run, 0, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING, **options
            )
            await traced.execute_update_with_start_workflow(Parent.add, "go", start_workflow_operation=again)
            assert await handle.result() == ["remote blue", "local blue"]
    context.detach(attached)

    failed = "server RunActivity:second_time ! ApplicationError: not yet [exception: not yet]"
    start, update = "SignalWithStartWorkflow:Parent", "StartWorkflowUpdate:add"
    again_called = "StartUpdateWithStartWorkflow:Parent"
    assert tree(spans) == [
        "internal all",
        "  client QueryWorkflow:words",
        f"    server HandleQuery:words -> {start}",
        f"  client {start}",
        "    client SignalExternalWorkflow:go",
        "    client StartActivity:second_time",
        "      server RunActivity:second_time",
        f"      {failed}",
        "    client StartActivity:second_time",
        "      server RunActivity:second_time",
        f"      {failed}",
        "    client StartChildWorkflow:Child",
        "      internal CompleteWorkflow:Child",
        "      server HandleSignal:go -> SignalChildWorkflow:go",
        "      server HandleSignal:go -> SignalExternalWorkflow:go",
        "      server RunWorkflow:Child",
        "    internal CompleteWorkflow:Parent",
        "    internal Mine",
        "    internal Mine",
        f"    server HandleSignal:say -> {start}",
        "    server HandleSignal:say -> SignalWorkflow:say",
        f"    server HandleUpdate:add -> {again_called}",
        f"    server HandleUpdate:add -> {update}",
        "    server RunWorkflow:Parent",
        "    server RunWorkflow:Parent",
        "    server SignalChildWorkflow:go",
        f"    server ValidateUpdate:add -> {again_called}",
        f"    server ValidateUpdate:add -> {update}",
        f"    server ValidateUpdate:add -> {update}",
        "  client SignalWorkflow:say",
        f"  client {again_called}",
        f"  client {update}",
        f"  client {update}",
    ]
    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 1


@workflow.defn
class Short:
    @workflow.run
    async def run(self) -> int:
        completed_span("Mine", attributes={"answer": 42}, exception=ValueError("noted"))
        return await workflow.execute_activity(on_a_thread, **OPTIONS)


async def test_spans_have_the_attributes_and_times_of_the_official_ones(
    traced: Client, spans: InMemorySpanExporter, name: str
):
    async with worker(traced, name, 10, Short, on_a_thread):
        handle = await traced.start_workflow(Short.run, id=name, task_queue=name)
        current_in_activity = await handle.result()

    of_run = {"temporalWorkflowID": name, "temporalRunID": handle.first_execution_run_id}
    attributes = {span.name: dict(span.attributes or {}) for span in spans.get_finished_spans()}
    assert attributes == {
        "StartWorkflow:Short": {"temporalWorkflowID": name},
        "RunWorkflow:Short": of_run,
        "Mine": {**of_run, "answer": 42},
        "StartActivity:on_a_thread": of_run,
        "RunActivity:on_a_thread": {**of_run, "temporalActivityID": "1"},
        "CompleteWorkflow:Short": of_run,
    }
    mine = named(spans, "Mine")
    assert mine.start_time == mine.end_time, "a workflow's span has no length"
    assert [event.name for event in mine.events] == ["exception"]
    assert current_in_activity == named(spans, "RunActivity:on_a_thread").context.span_id


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        for benign in (True, False):
            try:
                await workflow.execute_activity(refuse, benign, **OPTIONS)
            except Exception:
                workflow.logger.debug("as expected")
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() and self.asked)
        raise ApplicationError("the end")

    def __init__(self) -> None:
        self.asked = False

    @workflow.update
    async def fail(self) -> None:
        self.asked = True
        raise ApplicationError("not this")


async def test_what_fails_is_an_error_unless_it_is_benign(traced: Client, spans: InMemorySpanExporter, name: str):
    async with worker(traced, name, 10, Failing, refuse):
        handle = await traced.start_workflow(Failing.run, id=name, task_queue=name)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Failing.fail)
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    lines = [line.strip() for line in tree(spans)]
    assert [line for line in lines if "RunActivity" in line] == [
        "server RunActivity:refuse ! ApplicationError: no [exception: no]",
        "server RunActivity:refuse [exception: no]",
    ]
    # The update's failure is none of the workflow.
    assert [line for line in lines if "Complete" in line] == ["internal CompleteWorkflow:Failing [exception: the end]"]


@pytest.mark.parametrize("always", [False, True])
async def test_a_workflow_that_a_schedule_started_has_spans_only_if_asked_for(
    client: Client, tracer: trace.Tracer, spans: InMemorySpanExporter, name: str, always: bool
):
    tracing = TracingInterceptor(tracer, always_create_workflow_spans=always)
    action = ScheduleActionStartWorkflow(Short.run, id=name, task_queue=name)
    schedule = await with_interceptors(client, tracing).create_schedule(name, Schedule(action, ScheduleSpec()))
    async with worker(client, name, 10, Short, on_a_thread, interceptors=[tracing]):
        await schedule.trigger()

        async def ended() -> bool:
            seen = (await schedule.describe()).info.recent_actions
            if not seen:
                return False
            await client.get_workflow_handle(seen[0].action.workflow_id).result()
            return True

        await until(ended)
    await schedule.delete()

    of_workflow = ["RunWorkflow:Short", "Mine", "StartActivity:on_a_thread", "CompleteWorkflow:Short"]
    names = [span.name for span in spans.get_finished_spans()]
    assert sorted(names) == sorted(["RunActivity:on_a_thread", *(of_workflow if always else [])])
    parent = named(spans, "RunActivity:on_a_thread").parent
    assert (parent.span_id if parent else None) == (
        named(spans, "StartActivity:on_a_thread").context.span_id if always else None
    )


class ForeignHeader(chimera.client.Interceptor):
    """Puts something else where the trace travels."""

    def intercept_client(self, next: chimera.client.OutboundInterceptor) -> chimera.client.OutboundInterceptor:
        class Link(chimera.client.OutboundInterceptor):
            async def start_workflow(self, input: chimera.client.StartWorkflowInput) -> Any:
                header = PayloadConverter.default.to_payloads(["no carrier"])[0]
                input.headers = {**input.headers, "_tracer-data": header}
                return await super().start_workflow(input)

        return Link(next)


async def test_a_header_of_somebody_else_is_passed_over(
    client: Client, tracer: trace.Tracer, spans: InMemorySpanExporter, name: str, caplog: pytest.LogCaptureFixture
):
    starter = with_interceptors(client, ForeignHeader())
    with caplog.at_level(logging.WARNING):
        async with worker(client, name, 10, Short, on_a_thread, interceptors=[TracingInterceptor(tracer)]):
            await starter.execute_workflow(Short.run, id=name, task_queue=name)

    assert [span.name for span in spans.get_finished_spans()] == ["RunActivity:on_a_thread"]
    assert "_tracer-data is no carrier of a trace, and is passed over: 'no carrier'" in caplog.text


class OwnWorkflowTracing(TracingWorkflowInboundInterceptor):
    header_key = "own-header"


class OwnTracing(TracingInterceptor):
    header_key = "own-header"

    def workflow_interceptor_class(
        self, input: chimera.worker.WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor]:
        super().workflow_interceptor_class(input)
        return OwnWorkflowTracing


async def test_a_subclass_may_have_another_header(
    client: Client, tracer: trace.Tracer, spans: InMemorySpanExporter, name: str
):
    own = with_interceptors(client, OwnTracing(tracer))
    async with worker(own, name, 10, Short, on_a_thread):
        handle = await own.start_workflow(Short.run, id=name, task_queue=name)
        await handle.result()

    assert headers_of(await handle.fetch_history()) == {"own-header"}
    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 1


def headers_of(history: Any) -> set[str]:
    """Of the start and of activities."""
    events: Sequence[Any] = history.events
    started = events[0].workflow_execution_started_event_attributes
    scheduled = [event.activity_task_scheduled_event_attributes for event in events]
    return {key for each in (started, *scheduled) for key in each.header.fields}
