"""Mistakes in code and input: what each leads to, and that other runs go on."""

import asyncio
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from live_support import events, until, worker

from chimera import activity, workflow
from chimera.api.common.v1 import Payload
from chimera.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from chimera.common import RawValue, RetryPolicy
from chimera.exceptions import ActivityError, ApplicationError

SECONDS = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)
UNREADABLE = RawValue(Payload(metadata={"encoding": b"no/such-encoding"}, data=b"?"))
BIG = 3 * 1024 * 1024


@workflow.defn
class Fine:
    @workflow.run
    async def run(self) -> str:
        return "fine"


async def others_go_on(client: Client, name: str) -> bool:
    """Whether another run of the same worker ends as it should."""
    return await client.execute_workflow(Fine.run, id=f"{name}-fine", task_queue=name) == "fine"


async def failed_task(handle: WorkflowHandle[Any, Any]) -> Any:
    return (await until(lambda: events(handle, "workflow_task_failed")))[0].failure


class Broken(Exception):
    pass


@workflow.defn(name="Repaired")
class Raises:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(milliseconds=1))
        raise Broken("a mistake in the code")


@workflow.defn(name="Repaired")
class Repaired:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(milliseconds=1))
        return "repaired"


@workflow.defn(name="Repaired", failure_exception_types=[Broken])
class RaisesOnPurpose(Raises):
    @workflow.run
    async def run(self) -> str:
        return await super().run()


async def test_an_unexpected_error_fails_the_task_and_not_the_workflow(client: Client, name: str):
    async with worker(client, name, 0, Raises, Fine):
        handle = await client.start_workflow(
            Raises.run, id=name, task_queue=name, task_timeout=timedelta(seconds=1)
        )
        failure = await failed_task(handle)
        assert await others_go_on(client, name)
    async with worker(client, name, 0, Repaired):
        assert await handle.result() == "repaired"

    assert failure.message == "a mistake in the code"
    assert failure.application_failure_info.type == "Broken" and "in run" in failure.stack_trace


@pytest.mark.parametrize("where", ["workflow", "worker"])
async def test_errors_that_are_meant_fail_the_workflow(client: Client, name: str, where: str):
    meant: Any = {"workflow_failure_exception_types": [Broken]} if where == "worker" else {}
    code = Raises if where == "worker" else RaisesOnPurpose
    async with worker(client, name, 10, code, **meant):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow("Repaired", id=name, task_queue=name)

    assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.type == "Broken"


spinning, blocking = threading.Event(), threading.Event()


@workflow.defn
class Spins:
    @workflow.run
    async def run(self) -> None:
        while not spinning.is_set():
            pass


@workflow.defn
class Blocks:
    @workflow.run
    async def run(self) -> None:
        blocking.wait()


@pytest.mark.parametrize("code, released", [(Spins, spinning), (Blocks, blocking)])
async def test_code_that_never_waits_fails_its_task_only(
    client: Client, name: str, code: Any, released: threading.Event, caplog: pytest.LogCaptureFixture
):
    released.clear()
    running = worker(client, name, 10, code, Fine)
    assert running._workflow_worker
    running._workflow_worker._deadlock_timeout_seconds = 0.3
    async with running:
        handle = await client.start_workflow(code.run, id=name, task_queue=name)
        fine = await others_go_on(client, name)
        failure = await failed_task(handle)
        await handle.terminate()
    released.set()  # Later: the worker ends without it.

    assert fine and "[TMPRL1101] Potential deadlock" in failure.message
    assert code.__name__ in caplog.text and "in run" in failure.stack_trace


@workflow.defn
class Greedy:
    @workflow.run
    async def run(self) -> str:
        while not workflow.info().is_continue_as_new_suggested():
            try:
                await workflow.wait_condition(lambda: False, timeout=0.01)
            except asyncio.TimeoutError:
                return "done"
            except BaseException:  # Its own eviction, too.
                pass
        return "never"


@workflow.defn
class KeepsCancelled:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.sleep(timedelta(milliseconds=10))
        except asyncio.CancelledError:
            await workflow.sleep(timedelta(milliseconds=10))
        return "done"


@pytest.mark.parametrize("code", [Greedy, KeepsCancelled])
async def test_code_that_swallows_its_eviction(client: Client, name: str, code: Any):
    running = worker(client, name, 0, code, Fine)
    assert running._workflow_worker
    running._workflow_worker._deadlock_timeout_seconds = 0.3
    async with running:
        handle = await client.start_workflow(code.run, id=name, task_queue=name)
        assert await others_go_on(client, name)
        assert await handle.result() == "done"


@workflow.defn
class Strict:
    def __init__(self) -> None:
        self.seen: list[int] = []

    @workflow.run
    async def run(self, wanted: int) -> list[int]:
        await workflow.wait_condition(lambda: len(self.seen) >= wanted)
        return self.seen

    @workflow.signal
    def add(self, number: int) -> None:
        self.seen.append(number)

    @workflow.query
    def times(self, factor: int) -> int:
        return factor * len(self.seen)

    @workflow.update
    def set(self, number: int) -> int:
        self.seen.append(number)
        return number


@pytest.mark.parametrize("argument", [["text"], [1, 2], [], [UNREADABLE]], ids=["type", "many", "none", "unreadable"])
async def test_wrong_arguments_of_a_workflow_fail_its_task(client: Client, name: str, argument: list):
    async with worker(client, name, 10, Strict, Fine):
        handle = await client.start_workflow("Strict", args=argument, id=name, task_queue=name)
        failure = await failed_task(handle)
        assert await others_go_on(client, name)
        await handle.terminate()

    assert "argument" in failure.message


async def test_wrong_messages_leave_the_workflow_as_it_was(
    client: Client, name: str, cache: int, caplog: pytest.LogCaptureFixture
):
    async with worker(client, name, cache, Strict):
        handle = await client.start_workflow(Strict.run, 2, id=name, task_queue=name)
        await handle.signal("add", "text")
        await handle.signal("add", UNREADABLE)
        await handle.signal("unknown")
        for call, text in (
            (lambda: handle.query("times", "text"), "Failed decoding arguments"),
            (lambda: handle.query("times"), "missing 1 required positional argument"),
            (lambda: handle.query("unknown"), r"unknown.*known queries: \[.*times\]"),
        ):
            with pytest.raises(WorkflowQueryFailedError, match=text):
                await call()
        for update, text in (
            (lambda: handle.execute_update("set", "text"), "Failed decoding arguments"),
            (lambda: handle.execute_update("set", args=[1, 2]), "set takes 1 argument.*2 came"),
            (lambda: handle.execute_update("unknown"), r"unknown.*known updates: \[set\]"),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as refused:
                await update()
            assert refused.value.cause and re.search(text, str(refused.value.cause))
        await handle.signal("add", 1)
        assert await handle.execute_update("set", 2) == 2
        assert await handle.result() == [1, 2]

    assert "dropping the signal" in caplog.text


@workflow.defn(name="Strict")
class Mended:
    def __init__(self) -> None:
        self.seen: list[int] = []

    @workflow.run
    async def run(self, wanted: int) -> list[int]:
        await workflow.wait_condition(lambda: len(self.seen) >= wanted)
        return self.seen

    @workflow.signal
    def add(self, number: int = 5, _other: int = 0) -> None:
        self.seen.append(number)


@pytest.mark.parametrize("arguments", [[], [1, 2]], ids=["few", "many"])
async def test_a_signal_of_a_wrong_number_of_arguments_fails_the_task(client: Client, name: str, arguments: list):
    """It waits there for a worker whose handler takes them, as with the official package."""
    async with worker(client, name, 10, Strict, Fine):
        handle = await client.start_workflow("Strict", 1, id=name, task_queue=name)
        await handle.signal("add", args=arguments)
        failure = await failed_task(handle)
        assert await others_go_on(client, name)
    async with worker(client, name, 10, Mended):
        assert await handle.result() == (arguments[:1] or [5])

    assert "positional argument" in failure.message


@workflow.defn
class Bare:
    """Handlers without parameters."""

    def __init__(self) -> None:
        self.gone = False

    @workflow.run
    async def run(self) -> bool:
        await workflow.wait_condition(lambda: self.gone)
        return self.gone

    @workflow.signal
    def go(self) -> None:
        self.gone = True

    @workflow.query
    def has_gone(self) -> bool:
        return self.gone

    @workflow.update
    def touch(self) -> str:
        return "touched"


async def test_handlers_without_parameters_take_any_arguments(client: Client, name: str, cache: int):
    """As in the official worker. Go's client, for one, sends a null with every signal."""
    async with worker(client, name, cache, Bare):
        handle = await client.start_workflow(Bare.run, id=name, task_queue=name)
        assert await handle.query("has_gone", "extra") is False
        assert await handle.execute_update("touch", "extra") == "touched"
        await handle.signal("go", None)
        assert await handle.result() is True


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, activity_type: str) -> Any:
        return await workflow.execute_activity(
            activity_type, "text", start_to_close_timeout=SECONDS, retry_policy=ONCE
        )


@activity.defn
async def twice(number: int) -> int:
    return 2 * number


@activity.defn
async def pair(number: str, other: str) -> str:
    return number + other


@activity.defn
async def big() -> str:
    return "x" * BIG


@pytest.mark.parametrize(
    "activity_type, text",
    [
        ("twice", "Failed decoding arguments"),
        ("pair", "missing 1 required positional argument"),
        ("none", "none.*pair, twice"),
    ],
)
async def test_wrong_calls_of_activities(client: Client, name: str, activity_type: str, text: str):
    async with worker(client, name, 10, Calls, twice, pair):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(Calls.run, activity_type, id=name, task_queue=name)

    assert isinstance(failed.value.cause, ActivityError)
    assert re.search(text, str(failed.value.cause.cause))


async def test_an_unknown_workflow_type_fails_its_task_and_names_the_known_ones(client: Client, name: str):
    async with worker(client, name, 10, Fine, Strict):
        handle = await client.start_workflow("Unknown", id=name, task_queue=name)
        failure = await failed_task(handle)
        assert await others_go_on(client, name)
        await handle.terminate()

    assert "Unknown" in failure.message and "Fine, Strict" in failure.message


@workflow.defn
class Big:
    @workflow.run
    async def run(self) -> str:
        return "x" * BIG


@workflow.defn
class CallsBig:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(big, start_to_close_timeout=SECONDS, retry_policy=ONCE)


async def gives_up(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether the run has ended, or its task has failed."""
    closed = (await handle.describe()).close_time is not None
    return closed or bool(await events(handle, "workflow_task_failed"))


@pytest.mark.parametrize("code", [Big, CallsBig])
async def test_a_result_of_3_mib_is_refused_and_other_runs_go_on(client: Client, name: str, code: Any):
    async with worker(client, name, 10, code, Fine, big):
        handle = await client.start_workflow(code.run, id=name, task_queue=name)
        await until(lambda: gives_up(handle))
        assert await others_go_on(client, name)


@pytest.mark.parametrize(
    "disabled, text", [(False, r"\[TMPRL1103\].*3145"), (True, "Complete result exceeds size limit")]
)
async def test_who_refuses_a_result_that_is_too_large(
    client: Client, name: str, genuine: bool, disabled: bool, text: str
):
    """The worker itself, unless it is told to leave that to the server, or the server (1.29) says no limit."""
    if genuine:
        text += "|exceeds size limit"
    async with worker(client, name, 10, CallsBig, big, disable_payload_error_limit=disabled):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(CallsBig.run, id=name, task_queue=name)

    assert isinstance(failed.value.cause, ActivityError)
    assert re.search(text, str(failed.value.cause.cause))


@workflow.defn
class Works:
    def __init__(self) -> None:
        self.log: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: len(self.log) == 4)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return sorted(self.log)

    @workflow.update
    async def work(self, number: int) -> int:
        doubled = await workflow.execute_activity(twice, number, start_to_close_timeout=SECONDS)
        self.log.append(f"doubled {number}")
        await workflow.sleep(timedelta(milliseconds=10 * number))
        self.log.append(f"slept {number}")
        return doubled


async def test_updates_that_run_activities_and_timers(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Works, twice):
        handle = await client.start_workflow(Works.run, id=name, task_queue=name)
        results = await asyncio.gather(*(handle.execute_update(Works.work, number) for number in (1, 2)))

        assert results == [2, 4]
        assert await handle.result() == ["doubled 1", "doubled 2", "slept 1", "slept 2"]


@activity.defn
async def slow() -> str:
    await asyncio.to_thread(released_late.wait)
    return "slow"


released_late = threading.Event()


@workflow.defn
class Races:
    def __init__(self) -> None:
        self.polled = 0

    @workflow.run
    async def run(self) -> list[str]:
        task = workflow.start_activity(slow, start_to_close_timeout=SECONDS)
        first, _ = await workflow.wait(
            [asyncio.ensure_future(task), asyncio.create_task(asyncio.sleep(0.01))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        order = ["activity" if task in first else "timer"]
        turns = 0
        while not self.polled:
            turns += 1
            await asyncio.sleep(0.02)
        order.append("polled" if turns else "at once")
        order.append(await task)
        return order

    @workflow.signal
    def poll(self) -> None:
        self.polled += 1


async def test_races_replay_as_they_went(client: Client, name: str):
    released_late.clear()
    async with worker(client, name, 0, Races, slow):
        handle = await client.start_workflow(Races.run, id=name, task_queue=name)
        await until(lambda: events(handle, "timer_fired"))
        released_late.set()
        await handle.signal(Races.poll)
        assert await handle.result() == ["timer", "polled", "slow"]

        assert not await events(handle, "workflow_task_failed")
