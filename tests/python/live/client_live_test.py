"""What a client asks of the server: starting, describing, listing, counting, resetting, terminating, histories."""

from datetime import timedelta
from typing import Any

import pytest
from live_support import CITY, events, until, worker

from chimera import activity, workflow
from chimera.api.common.v1 import WorkflowExecution
from chimera.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from chimera.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleUpdate,
    StartWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
)
from chimera.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from chimera.exceptions import ApplicationError, TerminatedError, WorkflowAlreadyStartedError
from chimera.service import RPCError, RPCStatusCode
from chimera.worker import Replayer


@activity.defn
async def shout(word: str) -> str:
    return word.upper()


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, word: str) -> list[str]:
        options = {"start_to_close_timeout": timedelta(seconds=10)}
        self.words.append(await workflow.execute_activity(shout, word, **options))
        await workflow.wait_condition(lambda: "end" in self.words)
        if "fail" in self.words:
            raise ApplicationError("asked to")
        return self.words

    @workflow.signal
    def say(self, word: str) -> None:
        self.words.append(word)

    @workflow.query
    def so_far(self) -> list[str]:
        return self.words


async def ended(handle: WorkflowHandle[Any, Any]) -> list[str]:
    await handle.signal(Waits.say, "end")
    return await handle.result()


async def test_describe(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Waits, shout):
        handle = await client.start_workflow(
            Waits.run,
            "a",
            id=name,
            task_queue=name,
            memo={"why": "test"},
            static_summary="a summary",
            static_details="and details",
            search_attributes=TypedSearchAttributes([SearchAttributePair(CITY, "Lund")]),
        )
        running = await handle.describe()
        await ended(handle)
        closed = await handle.describe()

    assert (running.id, running.run_id) == (name, handle.first_execution_run_id)
    assert (running.workflow_type, running.task_queue) == ("Waits", name)
    assert running.status == WorkflowExecutionStatus.RUNNING and running.close_time is None
    assert await running.memo() == {"why": "test"}
    assert await running.static_summary() == "a summary" and await running.static_details() == "and details"
    assert running.typed_search_attributes[CITY] == "Lund"
    assert closed.status == WorkflowExecutionStatus.COMPLETED
    assert closed.close_time is not None and closed.close_time >= closed.start_time
    assert closed.history_length == len((await handle.fetch_history()).events)


async def test_list_and_count(client: Client, name: str):
    for number in range(3):
        await client.start_workflow(
            Waits.run,
            "a",
            id=f"{name}-{number}",
            task_queue=name,
            search_attributes=TypedSearchAttributes([SearchAttributePair(CITY, name)]),
        )
    query = f"City = '{name}' AND ExecutionStatus = 'Running'"

    async def all_three() -> list[str]:
        found = [each.id async for each in client.list_workflows(query, page_size=2)]
        return found if len(found) == 3 else []

    assert sorted(await until(all_three)) == [f"{name}-{number}" for number in range(3)]
    assert (await client.count_workflows(query)).count == 3
    assert len([each async for each in client.list_workflows(query, limit=2)]) == 2
    groups = (await client.count_workflows(f"City = '{name}' GROUP BY ExecutionStatus")).groups
    assert [(group.count, list(group.group_values)) for group in groups] == [(3, ["Running"])]
    for number in range(3):
        await client.get_workflow_handle(f"{name}-{number}").terminate()


async def test_list_refuses_a_wrong_filter(client: Client):
    with pytest.raises(RPCError) as raised:
        await client.count_workflows("Nothing = 'x'")
    assert raised.value.status == RPCStatusCode.INVALID_ARGUMENT and "Nothing" in raised.value.message


async def test_terminate(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Waits, shout):
        handle = await client.start_workflow(Waits.run, "a", id=name, task_queue=name)
        await handle.terminate("details", 7, reason="a reason")
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    assert isinstance(failed.value.cause, TerminatedError) and failed.value.cause.message == "a reason"
    assert list(failed.value.cause.details) == ["details", 7]
    with pytest.raises(RPCError, match="already completed"):
        await handle.terminate()


async def test_first_run_id_guard(client: Client, name: str):
    await client.start_workflow(Waits.run, "a", id=name, task_queue=name)
    wrong = client.get_workflow_handle(name, first_execution_run_id="01a1fd57-98ca-7c5f-91a4-89c3178b0a81")

    for call in (wrong.cancel(), wrong.terminate()):
        with pytest.raises(RPCError) as raised:
            await call
        assert raised.value.status == RPCStatusCode.NOT_FOUND
    await client.get_workflow_handle(name).terminate()


async def test_reset(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Waits, shout):
        handle = await client.start_workflow(Waits.run, "a", id=name, task_queue=name)
        await handle.signal(Waits.say, "kept over the reset")
        await until(lambda: _two_words(handle))
        completed = [
            each.event_id
            for each in (await handle.fetch_history()).events
            if each.HasField("workflow_task_completed_event_attributes")
        ]
        reply = await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=name, run_id=handle.first_execution_run_id or ""),
                reason="try again",
                workflow_task_finish_event_id=completed[0],
                request_id=name,
            )
        )
        again = client.get_workflow_handle_for(Waits.run, name, run_id=reply.run_id)
        assert sorted(await ended(again)) == ["A", "end", "kept over the reset"]
        with pytest.raises(WorkflowFailureError) as failed:
            await client.get_workflow_handle(name, run_id=handle.first_execution_run_id).result(follow_runs=False)

    assert isinstance(failed.value.cause, TerminatedError)


async def _two_words(handle: WorkflowHandle[Any, Any]) -> bool:
    return len(await handle.query(Waits.so_far)) == 2


async def test_fetch_history_and_replay(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Waits, shout):
        handle = await client.start_workflow(Waits.run, "a", id=name, task_queue=name)
        await ended(handle)
    history = await handle.fetch_history()

    again = WorkflowHistory.from_json(name, history.to_json())
    await Replayer(workflows=[Waits]).replay_workflow(again)
    results = [result async for result in await _replay_all(client, name)]

    assert list(again.events) == list(history.events)
    assert results == [None]
    assert [each.event_id async for each in handle.fetch_history_events(page_size=2)] == [
        each.event_id for each in history.events
    ]


async def _replay_all(client: Client, name: str) -> Any:
    async def replay() -> Any:
        histories = client.list_workflows(f"WorkflowId = '{name}'").map_histories()
        async with Replayer(workflows=[Waits]).workflow_replay_iterator(histories) as replayed:
            async for result in replayed:
                yield result.replay_failure

    async def listed() -> bool:
        return bool([each async for each in client.list_workflows(f"WorkflowId = '{name}'")])

    await until(listed)
    return replay()


# Ids


@pytest.mark.parametrize(
    "policy, closed_by, starts",
    [
        (WorkflowIDReusePolicy.ALLOW_DUPLICATE, "end", True),
        (WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, "end", False),
        (WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, "fail", True),
        (WorkflowIDReusePolicy.REJECT_DUPLICATE, "fail", False),
    ],
    ids=["reuse_allow", "reuse_failed_only_completed", "reuse_failed_only_failed", "reuse_reject"],
)
async def test_reuse(client: Client, name: str, policy: WorkflowIDReusePolicy, closed_by: str, starts: bool):
    async with worker(client, name, 1000, Waits, shout):
        first = await client.start_workflow(Waits.run, "a", id=name, task_queue=name)
        await first.signal(Waits.say, closed_by)
        try:
            await ended(first)
        except WorkflowFailureError:
            assert closed_by == "fail"
        if not starts:
            with pytest.raises(WorkflowAlreadyStartedError) as raised:
                await client.start_workflow(Waits.run, "b", id=name, task_queue=name, id_reuse_policy=policy)
            assert (raised.value.workflow_id, raised.value.run_id) == (name, first.result_run_id)
            return
        second = await client.start_workflow(Waits.run, "b", id=name, task_queue=name, id_reuse_policy=policy)
        assert "B" in await ended(second)


async def test_conflicts(client: Client, name: str):
    start = {"id": name, "task_queue": name}
    first = await client.start_workflow(Waits.run, "a", **start)

    with pytest.raises(WorkflowAlreadyStartedError):
        await client.start_workflow(Waits.run, "a", **start, id_conflict_policy=WorkflowIDConflictPolicy.FAIL)
    existing = await client.start_workflow(
        Waits.run, "a", **start, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    assert existing.first_execution_run_id == first.first_execution_run_id
    other = await client.start_workflow(
        Waits.run, "a", **start, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING
    )
    assert other.first_execution_run_id != first.first_execution_run_id
    run = client.get_workflow_handle(name, run_id=first.first_execution_run_id)
    assert (await run.describe()).status == WorkflowExecutionStatus.TERMINATED
    await other.terminate()


async def test_start_delay(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Waits, shout):
        handle = await client.start_workflow(
            Waits.run, "a", id=name, task_queue=name, start_delay=timedelta(milliseconds=500)
        )
        await until(lambda: events(handle, "activity_task_completed"))
        history = await handle.fetch_history()
        await ended(handle)

    began, scheduled = history.events[0], history.events[1]
    wait = scheduled.event_time.ToDatetime() - began.event_time.ToDatetime()
    assert wait >= timedelta(milliseconds=490)
    assert began.workflow_execution_started_event_attributes.first_workflow_task_backoff.ToTimedelta() == timedelta(
        milliseconds=500
    )


async def test_cron(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Says, shout):
        handle = await client.start_workflow(Says.run, id=name, task_queue=name, cron_schedule="@every 1s")
        await until(lambda: _another_run(client, name, handle.first_execution_run_id))
        (completed,) = await events(
            client.get_workflow_handle(name, run_id=handle.first_execution_run_id), "workflow_execution_completed"
        )
        assert completed.new_execution_run_id
        await client.get_workflow_handle(name).terminate()


async def _another_run(client: Client, name: str, first: str | None) -> bool:
    return (await client.get_workflow_handle(name).describe()).run_id != first


@workflow.defn
class Says:
    @workflow.run
    async def run(self) -> str:
        return "said"


# Interceptors


class Tracer(Interceptor):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        tracer = self

        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
                tracer.seen.append(input.workflow)
                return await super().start_workflow(input)

        return Outbound(next)


async def test_interceptors_of_a_client(client: Client, name: str):
    tracer = Tracer()
    config = client.config()
    config["interceptors"] = [tracer]

    handle = await Client(**config).start_workflow(Waits.run, "a", id=name, task_queue=name)
    await handle.terminate()

    assert tracer.seen == ["Waits"]


async def test_schedules(client: Client, name: str):
    action = ScheduleActionStartWorkflow(Says.run, id=f"{name}-run", task_queue=name)
    schedule = Schedule(action=action, spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))]))
    async with worker(client, name, 1000, Says):
        handle = await client.create_schedule(name, schedule, memo={"a": 1})
        await handle.trigger()
        actions = await until(lambda: _recent(handle))
        run = actions[0].action
        assert await client.get_workflow_handle(run.workflow_id, run_id=run.first_execution_run_id).result() == "said"
        await handle.pause(note="paused by a test")
        await handle.update(lambda input: ScheduleUpdate(schedule=input.description.schedule))
        description = await handle.describe()
        assert description.schedule.state.paused and description.schedule.state.note == "paused by a test"
        assert await description.memo() == {"a": 1}
        await handle.unpause()

        async def listed() -> bool:
            return name in [each.id async for each in await client.list_schedules()]

        await until(listed)
        await handle.delete()
        with pytest.raises(RPCError):
            await handle.describe()


async def _recent(handle: Any) -> Any:
    return (await handle.describe()).info.recent_actions
