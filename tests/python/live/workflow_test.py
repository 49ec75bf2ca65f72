"""What workflow code itself does: time, cancellation, versions, memo and attributes, chains, children, randomness."""

import asyncio
import logging
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from live_support import CITY, ORDERS, events, until, worker

from chimera import activity, workflow
from chimera.client import Client, WorkflowContinuedAsNewError, WorkflowFailureError
from chimera.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from chimera.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)

OPTIONS = {"start_to_close_timeout": timedelta(seconds=10)}


@activity.defn
async def note(text: str) -> str:
    return f"noted {text}"


# Time


@workflow.defn
class Timers:
    @workflow.run
    async def run(self) -> list[Any]:
        start = workflow.now()
        seen: list[Any] = []
        await workflow.sleep(0.02)
        await asyncio.sleep(timedelta(milliseconds=20).total_seconds())
        seen.append(workflow.now() - start >= timedelta(milliseconds=40))
        seen.append(workflow.now().tzinfo == timezone.utc and abs(workflow.time() - workflow.now().timestamp()) < 1e-5)
        try:
            await workflow.wait_condition(lambda: False, timeout=0.02, timeout_summary="a wait")
        except asyncio.TimeoutError:
            seen.append("wait_condition timed out")
        await workflow.wait_condition(lambda: True, timeout=timedelta(hours=1))
        try:
            async with asyncio.timeout(0.02):
                await asyncio.Event().wait()
        except TimeoutError_:
            seen.append("asyncio.timeout")
        await asyncio.sleep(0)
        done, rest = await asyncio.wait(
            [asyncio.create_task(workflow.sleep(0.01)), asyncio.create_task(workflow.sleep(3600))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in rest:
            task.cancel()
        seen.append(len(done))
        await asyncio.gather(*(workflow.sleep(0.01) for _ in range(20)))
        return seen


TimeoutError_ = asyncio.TimeoutError


async def test_timer_fire_cancel_and_many_at_the_same_time(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Timers):
        result = await client.execute_workflow(Timers.run, id=name, task_queue=name)

    assert result == [True, True, "wait_condition timed out", "asyncio.timeout", 1]
    handle = client.get_workflow_handle(name)
    assert len(await events(handle, "timer_started")) == 26
    assert len(await events(handle, "timer_canceled")) == 1
    assert len(await events(handle, "timer_fired")) == 25


# Cancellation


@workflow.defn
class Cancellable:
    def __init__(self) -> None:
        self.seen: list[str] = []

    @workflow.run
    async def run(self, way: str) -> list[str]:
        try:
            if way == "shielded":
                inner = asyncio.ensure_future(self.finish())
                try:
                    await asyncio.shield(inner)
                except asyncio.CancelledError:
                    self.seen.append(f"finished all the same: {await inner}")
                    raise
            await workflow.sleep(timedelta(hours=1))
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            if way == "cleanup":
                # A cancelled workflow may still work: what starts now is not cancelled.
                self.seen.append(await workflow.execute_activity(note, "cleanup", **OPTIONS))
                raise
            if way == "swallow":
                return self.seen
            raise
        return self.seen

    async def finish(self) -> str:
        await workflow.sleep(0.05)
        return await workflow.execute_activity(note, "shielded", **OPTIONS)

    @workflow.query
    def so_far(self) -> list[str]:
        return self.seen


@pytest.mark.parametrize("way", ["plain", "cleanup", "swallow", "shielded"])
async def test_cancellation(client: Client, name: str, cache: int, way: str):
    async with worker(client, name, cache, Cancellable, note):
        handle = await client.start_workflow(Cancellable.run, way, id=name, task_queue=name)
        await handle.query(Cancellable.so_far)
        await handle.cancel(reason="enough")
        if way == "swallow":
            assert await handle.result() == ["cancelled"]
            return
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        seen = await handle.query(Cancellable.so_far)

    assert isinstance(failed.value.cause, CancelledError)
    assert seen == {
        "plain": ["cancelled"],
        "cleanup": ["cancelled", "noted cleanup"],
        "shielded": ["finished all the same: noted shielded", "cancelled"],
    }.get(way, seen)
    (requested,) = await events(handle, "workflow_execution_cancel_requested")
    assert requested.cause == "enough"


# Failures and timeouts of the workflow itself


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, way: str) -> None:
        if way == "retried" and workflow.info().attempt < 3:
            raise ApplicationError("again")
        if way == "retried":
            return
        if way == "timeout":
            await workflow.sleep(timedelta(hours=1))
        raise ApplicationError("on purpose", {"a": [1, None]}, type="Planned") from ValueError("because")


async def test_failure_with_details_and_cause(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Fails):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(Fails.run, "fail", id=name, task_queue=name)

    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, list(cause.details)) == ("Planned", [{"a": [1, None]}])
    assert isinstance(cause.cause, ApplicationError) and cause.cause.type == "ValueError"


async def test_retry_workflow(client: Client, name: str, cache: int):
    policy = RetryPolicy(initial_interval=timedelta(milliseconds=10), backoff_coefficient=1)
    async with worker(client, name, cache, Fails):
        await client.execute_workflow(Fails.run, "retried", id=name, task_queue=name, retry_policy=policy)


@pytest.mark.parametrize("option", ["run_timeout", "execution_timeout"])
async def test_run_timeout(client: Client, name: str, cache: int, option: str):
    async with worker(client, name, cache, Fails):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(
                Fails.run, "timeout", id=name, task_queue=name, **{option: timedelta(milliseconds=300)}  # type: ignore
            )

    assert isinstance(failed.value.cause, TimeoutError)
    assert failed.value.cause.type == TimeoutType.START_TO_CLOSE


# Versions


@workflow.defn(name="Versioned")
class Old:
    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(note, "old", **OPTIONS)
        await workflow.wait_condition(lambda: self.on)
        return "old"

    def __init__(self) -> None:
        self.on = False

    @workflow.signal
    def go(self) -> None:
        self.on = True


@workflow.defn(name="Versioned")
class Patched(Old):
    @workflow.run
    async def run(self) -> str:
        if workflow.patched("new-note"):
            await workflow.execute_activity(note, "new", **OPTIONS)
            text = "new"
        else:
            await workflow.execute_activity(note, "old", **OPTIONS)
            text = "old"
        await workflow.wait_condition(lambda: self.on)
        return text


@workflow.defn(name="Versioned")
class Deprecated(Old):
    @workflow.run
    async def run(self) -> str:
        workflow.deprecate_patch("new-note")
        await workflow.execute_activity(note, "new", **OPTIONS)
        await workflow.wait_condition(lambda: self.on)
        return "new"


@pytest.mark.parametrize(
    "before, after, result", [(Old, Patched, "old"), (Patched, Deprecated, "new"), (Deprecated, Deprecated, "new")]
)
async def test_patches(client: Client, name: str, cache: int, before: type, after: type, result: str):
    async with worker(client, name, cache, before, note):
        handle = await client.start_workflow("Versioned", id=name, task_queue=name, result_type=str)
        await until(lambda: events(handle, "activity_task_completed"))
    async with worker(client, name, cache, after, note):
        await handle.signal("go")
        assert await handle.result() == result


async def test_nondeterminism_fails_the_task_and_not_the_workflow(client: Client, name: str):
    async with worker(client, name, 0, Patched, note):
        handle = await client.start_workflow(
            "Versioned", id=name, task_queue=name, result_type=str, task_timeout=timedelta(seconds=1)
        )
        await until(lambda: events(handle, "activity_task_completed"))
    async with worker(client, name, 0, Fails, Misfit):
        await handle.signal("go")
        (failed, *_) = await until(lambda: events(handle, "workflow_task_failed"))
    async with worker(client, name, 0, Patched, note):
        assert await handle.result() == "new", "the right code goes on"

    report = failed.failure.message
    assert "TMPRL1100" in report
    assert "StartTimer 1, start_to_fire_timeout=1s, at workflow_test.py:" in report and "in Misfit.run" in report


@workflow.defn(name="Versioned")
class Misfit(Old):
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(1)
        return "never"


# Memo and search attributes


@workflow.defn
class Upserts:
    @workflow.run
    async def run(self) -> list[Any]:
        seen = [dict(workflow.memo()), workflow.memo_value("missing", "default")]
        workflow.upsert_memo({"kept": None, "added": [1, 2]})
        workflow.upsert_search_attributes([CITY.value_set("Kiel"), ORDERS.value_set(2)])
        seen.append(dict(workflow.memo()))
        await workflow.sleep(0.01)
        workflow.upsert_search_attributes([ORDERS.value_unset()])
        attributes = workflow.info().typed_search_attributes
        return [*seen, attributes.get(CITY), attributes.get(ORDERS)]


async def test_upsert_memo_and_search_attributes(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Upserts):
        result = await client.execute_workflow(
            Upserts.run, id=name, task_queue=name, memo={"kept": "a", "other": "b"}
        )
        description = await client.get_workflow_handle(name).describe()

    assert result == [{"kept": "a", "other": "b"}, "default", {"other": "b", "added": [1, 2]}, "Kiel", None]
    assert await description.memo() == {"other": "b", "added": [1, 2]}
    assert description.typed_search_attributes.get(CITY) == "Kiel"
    assert description.typed_search_attributes.get(ORDERS) is None


# Chains


@workflow.defn
class Counts:
    @workflow.run
    async def run(self, number: int, goal: int) -> dict[str, Any]:
        if number < goal:
            workflow.continue_as_new(args=[number + 1, goal], memo={"number": number})
        info = workflow.info()
        return {
            "number": number,
            "memo": dict(workflow.memo()),
            "chain": bool(info.continued_run_id),
            "first": info.first_execution_run_id != info.run_id,
        }


async def test_can_followed_result(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Counts):
        handle = await client.start_workflow(Counts.run, args=[0, 3], id=name, task_queue=name)
        result = await handle.result()
        with pytest.raises(WorkflowContinuedAsNewError) as continued:
            await handle.result(follow_runs=False)

    assert result == {"number": 3, "memo": {"number": 2}, "chain": True, "first": True}
    assert continued.value.new_execution_run_id != handle.result_run_id


# Children


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, way: str) -> str:
        if way == "fail":
            raise ApplicationError("child", type="ChildFailed", non_retryable=True)
        if way == "wait":
            await workflow.wait_condition(lambda: bool(self.words))
        parent = workflow.info().parent
        assert parent is not None
        return f"{way} of {parent.workflow_id}: {self.words}"

    @workflow.signal
    def tell(self, word: str) -> None:
        self.words.append(word)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> list[str]:
        own = workflow.info().workflow_id
        seen = [await workflow.execute_child_workflow(Child.run, "plain", id=f"{own}-plain")]
        child = await workflow.start_child_workflow(Child.run, "wait", id=f"{own}-wait")
        assert child.first_execution_run_id
        try:
            await workflow.start_child_workflow(Child.run, "wait", id=child.id)
        except WorkflowAlreadyStartedError as error:
            seen.append(f"already started: {error.workflow_type}")
        await child.signal(Child.tell, "word")
        seen.append(await child)
        try:
            await workflow.execute_child_workflow(Child.run, "fail", id=f"{own}-fail")
        except ChildWorkflowError as error:
            assert isinstance(error.cause, ApplicationError)
            seen.append(error.cause.type or "")
        cancelled = await workflow.start_child_workflow(Child.run, "wait", id=f"{own}-cancel")
        cancelled.cancel()
        try:
            await cancelled
        except ChildWorkflowError as error:
            seen.append(type(error.cause).__name__)
        other = await workflow.start_child_workflow(Child.run, "wait", id=f"{own}-external")
        await workflow.get_external_workflow_handle(other.id).cancel()
        try:
            await other
        except ChildWorkflowError as error:
            seen.append(type(error.cause).__name__)
        return seen


async def test_children(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Parent, Child):
        result = await client.execute_workflow(Parent.run, id=name, task_queue=name)

    assert result == [
        f"plain of {name}: []",
        "already started: Child",
        f"wait of {name}: ['word']",
        "ChildFailed",
        "CancelledError",
        "CancelledError",
    ]


@workflow.defn
class Leaves:
    @workflow.run
    async def run(self, policy: int) -> None:
        await workflow.start_child_workflow(
            Child.run,
            "wait",
            id=f"{workflow.info().workflow_id}-child",
            parent_close_policy=workflow.ParentClosePolicy(policy),
        )


@pytest.mark.parametrize(
    "policy, error",
    [
        (workflow.ParentClosePolicy.TERMINATE, TerminatedError),
        (workflow.ParentClosePolicy.REQUEST_CANCEL, CancelledError),
        (workflow.ParentClosePolicy.ABANDON, None),
    ],
    ids=["parent_close_terminate", "parent_close_cancel", "parent_close_abandon"],
)
async def test_parent_close(client: Client, name: str, cache: int, policy: Any, error: Any):
    async with worker(client, name, cache, Leaves, Child):
        await client.execute_workflow(Leaves.run, int(policy), id=name, task_queue=name)
        child = client.get_workflow_handle_for(Child.run, f"{name}-child")
        if error is None:
            await child.signal(Child.tell, "abandoned")
            assert "abandoned" in await child.result()
            return
        with pytest.raises(WorkflowFailureError) as failed:
            await child.result()

    assert isinstance(failed.value.cause, error)


# Determinism


@workflow.defn
class Deterministic:
    def __init__(self) -> None:
        self.values: list[Any] = []
        self.on = False

    @workflow.run
    async def run(self) -> list[Any]:
        self.draw()
        await workflow.sleep(0.01)
        workflow.logger.info("a line in the log")
        self.draw()
        await workflow.wait_condition(lambda: self.on)
        return self.values

    def draw(self) -> None:
        info = workflow.info()
        self.values += [
            workflow.random().random(),
            workflow.random().randint(0, 1000),
            str(workflow.uuid4()),
            workflow.now().isoformat(),
            info.run_id,
        ]

    @workflow.signal
    def go(self) -> None:
        self.on = True

    @workflow.query
    def drawn(self) -> list[Any]:
        return self.values

    @workflow.query
    def about(self) -> dict[str, Any]:
        info = workflow.info()
        return {
            "type": info.workflow_type,
            "namespace": info.namespace,
            "queue": info.task_queue,
            "attempt": info.attempt,
            "length": info.get_current_history_length(),
            "timeout": info.run_timeout and info.run_timeout.total_seconds(),
        }


async def test_random_uuid_now_and_info(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Deterministic):
        handle = await client.start_workflow(
            Deterministic.run, id=name, task_queue=name, run_timeout=timedelta(minutes=5)
        )
        first = await until(lambda: _ten(handle))
        about = await handle.query(Deterministic.about)
    async with worker(client, name, cache, Deterministic):
        await handle.signal(Deterministic.go)
        result = await handle.result()

    assert result == first, "the same again in another worker"
    assert len(set(map(str, result[:3] + result[5:8]))) == 6
    assert uuid.UUID(result[2]).version == 4
    assert datetime.fromisoformat(result[3]) <= datetime.fromisoformat(result[8])
    assert result[4] == handle.first_execution_run_id
    assert (about["type"], about["namespace"], about["queue"]) == ("Deterministic", "default", name)
    assert (about["attempt"], about["timeout"]) == (1, 300) and about["length"] > 3


async def _ten(handle: Any) -> Any:
    values = await handle.query(Deterministic.drawn)
    return values if len(values) == 10 else None


async def test_the_log_is_silent_in_replay(client: Client, name: str, cache: int, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    for _ in range(2):
        async with worker(client, name, cache, Deterministic):
            handle = await client.start_workflow(
                Deterministic.run,
                id=name,
                task_queue=name,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            await until(lambda: _ten(handle))  # noqa: B023 - called before the next one
    await handle.terminate()

    lines = [record for record in caplog.records if "a line in the log" in record.getMessage()]
    assert len(lines) == 1
    assert getattr(lines[0], "temporal_workflow", {}).get("workflow_id") == name


# Activities in parallel, as the loop of the workflow runs them


@workflow.defn
class Fan:
    @workflow.run
    async def run(self) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(workflow.execute_activity(note, str(number), **OPTIONS)) for number in range(10)
            ]
        try:
            await workflow.execute_activity("nobody", schedule_to_close_timeout=timedelta(milliseconds=100))
        except ActivityError as error:
            return [*(task.result() for task in tasks), type(error.cause).__name__]
        return []


async def test_a_group_of_activities(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Fan, note):
        result = await client.execute_workflow(Fan.run, id=name, task_queue=name)

    assert result[:10] == [f"noted {number}" for number in range(10)]


TOLD = asyncio.Event()


@workflow.defn
class Telling:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(0.05)  # Until the loop of the worker has nothing to do.
        TOLD.set()
        await workflow.wait_condition(lambda: False)


async def test_an_event_of_asyncio_that_workflow_code_sets_is_seen(client: Client, name: str):
    """Workflow code runs on another thread here; officially it takes turns with the worker's loop."""
    async with worker(client, name, 10, Telling):
        handle = await client.start_workflow(Telling.run, id=name, task_queue=name)
        await TOLD.wait()
    await handle.terminate()
    TOLD.clear()
