"""Signals, queries and updates, in and out of order, rejected, unfinished, and with work in their handlers."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from live_support import events, worker

from chimera import activity, workflow
from chimera.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from chimera.common import QueryRejectCondition, RawValue, WorkflowIDConflictPolicy
from chimera.exceptions import ApplicationError
from chimera.service import RPCError, RPCStatusCode

OPTIONS = {"start_to_close_timeout": timedelta(seconds=10)}


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Talk:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closing = False
        self.abandon = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.closing)
        if not self.abandon:
            await workflow.wait_condition(workflow.all_handlers_finished)
        return self.heard

    @workflow.signal
    def say(self, word: str, times: int = 1) -> None:
        self.heard.append(word * times)

    @workflow.signal
    async def say_later(self, word: str) -> None:
        await workflow.sleep(0.01)
        self.heard.append(f"{word} doubled: {await workflow.execute_activity(double, 4, **OPTIONS)}")

    @workflow.signal(name="closing-time")
    def close(self, abandon: bool = False) -> None:
        self.closing, self.abandon = True, abandon

    @workflow.signal(dynamic=True)
    async def any_signal(self, name: str, args: Sequence[RawValue]) -> None:
        self.heard.append(f"signal {name} {[workflow.payload_converter().from_payload(a.payload) for a in args]}")

    @workflow.query
    def count(self) -> int:
        return len(self.heard)

    @workflow.query
    def broken(self) -> int:
        raise ApplicationError("cannot say")

    @workflow.query(dynamic=True)
    def any_query(self, name: str, args: Sequence[RawValue]) -> str:
        return f"query {name} {[workflow.payload_converter().from_payload(a.payload) for a in args]}"

    @workflow.update
    def note(self, word: str) -> int:
        self.heard.append(word)
        info = workflow.current_update_info()
        assert info is not None and info.name == "note"
        return len(self.heard)

    @note.validator
    def check_note(self, word: str) -> None:
        if not word:
            raise ApplicationError("an empty note", "details of the refusal", type="Empty")

    @workflow.update
    async def work(self, number: int) -> int:
        """An activity, then a timer."""
        result = await workflow.execute_activity(double, number, **OPTIONS)
        await workflow.sleep(0.01)
        self.heard.append(f"worked {result}")
        return result

    @workflow.update
    async def refuse(self) -> None:
        await workflow.sleep(0.01)
        raise ApplicationError("no after all", type="Refused")

    @workflow.update
    async def never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def never_mind(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def end(self) -> str:
        self.closing = True
        return "ended"

    @workflow.update(dynamic=True)
    async def any_update(self, name: str, args: Sequence[RawValue]) -> str:
        return f"update {name} {len(args)}"


class Conversation:
    """A running Talk and its handle."""

    def __init__(self, client: Client, name: str, cache: int, **options: Any) -> None:
        self.client, self.name = client, name
        self.worker = worker(client, name, cache, Talk, double, **options)

    async def __aenter__(self) -> Any:
        await self.worker.__aenter__()
        return await self.client.start_workflow(Talk.run, id=self.name, task_queue=self.name)

    async def __aexit__(self, *exception: Any) -> None:
        await self.worker.__aexit__(*exception)


async def test_signals_in_order(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        for number in range(5):
            await handle.signal(Talk.say, f"{number}")
        await handle.signal(Talk.say, args=["x", 3])
        await handle.signal("closing-time")
        result = await handle.result()

    assert result == ["0", "1", "2", "3", "4", "xxx"]


async def test_signals_before_the_first_task(client: Client, name: str, cache: int):
    handle = await client.start_workflow(
        Talk.run, id=name, task_queue=name, start_signal="say", start_signal_args=["a"]
    )
    await handle.signal(Talk.say, "b")
    await handle.signal(Talk.close)
    async with worker(client, name, cache, Talk):
        assert await handle.result() == ["a", "b"]


async def test_sws_existing(client: Client, name: str, cache: int):
    start = {"id": name, "task_queue": name, "start_signal": "say"}
    async with worker(client, name, cache, Talk):
        first = await client.start_workflow(Talk.run, **start, start_signal_args=["new"])
        second = await client.start_workflow(Talk.run, **start, start_signal_args=["existing"])
        await second.signal(Talk.close)
        assert await first.result() == ["new", "existing"]

    assert len(await events(first, "workflow_execution_signaled")) == 3


async def test_signal_handlers_that_work(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        await handle.signal(Talk.say_later, "later")
        await handle.signal(Talk.close)
        assert await handle.result() == ["later doubled: 8"]


async def test_dynamic_handlers(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        await handle.signal("unknown", args=[1, "two"])
        query = await handle.query("asked", 3, result_type=str)
        update = await handle.execute_update("told", args=[1, 2], result_type=str)
        await handle.signal(Talk.close)
        result = await handle.result()

    assert (query, update) == ("query asked [3]", "update told 2")
    assert result == ["signal unknown [1, 'two']"]


async def test_queries(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        assert await handle.query(Talk.count) == 0
        await handle.signal(Talk.say, "a")
        assert await handle.query(Talk.count) == 1, "attached_consistent: a query sees the signals before it"
        with pytest.raises(WorkflowQueryFailedError, match="cannot say"):
            await handle.query(Talk.broken)
        await handle.signal(Talk.close)
        await handle.result()
        assert await handle.query(Talk.count) == 1, "closed_workflow"
        with pytest.raises(WorkflowQueryRejectedError):
            await handle.query(Talk.count, reject_condition=QueryRejectCondition.NOT_OPEN)


async def test_query_without_a_worker(client: Client, name: str):
    handle = await client.start_workflow(Talk.run, id=name, task_queue=name)

    with pytest.raises(RPCError) as raised:
        await handle.query(Talk.count, rpc_timeout=timedelta(seconds=1))
    assert raised.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    await handle.terminate()


async def test_accept_complete(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        assert await handle.execute_update(Talk.note, "a") == 1
        assert await handle.execute_update(Talk.work, 21) == 42
        assert await asyncio.gather(*(handle.execute_update(Talk.work, n) for n in range(3))) == [0, 2, 4]
        await handle.signal(Talk.close)
        result = await handle.result()

    assert result[:2] == ["a", "worked 42"] and sorted(result[2:]) == ["worked 0", "worked 2", "worked 4"]


async def test_reject_no_trace(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        await handle.execute_update(Talk.note, "so that the first task is over")
        before = (await handle.fetch_history()).events
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(Talk.note, "")
        after = (await handle.fetch_history()).events
        await handle.terminate()

    cause = refused.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message, list(cause.details)) == ("Empty", "an empty note", ["details of the refusal"])
    assert len(before) == len(after)


async def test_an_update_that_fails_later(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(Talk.refuse)
        await handle.signal(Talk.close)
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.type == "Refused"


async def test_accepted_then_poll_and_duplicate_id(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        update = await handle.start_update(
            Talk.work, 5, id="five", wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        again = await handle.execute_update(Talk.work, 7, id="five")
        by_id = handle.get_update_handle_for(Talk.work, "five")
        assert (await update.result(), again, await by_id.result()) == (10, 10, 10)
        await handle.execute_update(Talk.end)
        assert await handle.result() == ["worked 10"]
        assert await by_id.result() == 10, "result_after_close"


async def test_wf_closes_accepted(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        update = await handle.start_update(Talk.never_mind, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await handle.signal(Talk.close, True)
        assert await handle.result() == []
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await update.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "AcceptedUpdateCompletedWorkflow"


async def test_unfinished_handlers_are_warned_about(client: Client, name: str, cache: int):
    with pytest.warns(workflow.UnfinishedUpdateHandlersWarning, match="never"):
        async with Conversation(client, name, cache) as handle:
            await handle.start_update(Talk.never, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
            await handle.signal(Talk.close, True)
            await handle.result()


async def test_uws_new_and_existing(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Talk, double):
        for word, seen in (("new", 1), ("existing", 2)):
            start = WithStartWorkflowOperation(
                Talk.run, id=name, task_queue=name, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
            )
            result = await client.execute_update_with_start_workflow(
                Talk.note, word, start_workflow_operation=start
            )
            assert result == seen
        handle = await start.workflow_handle()
        await handle.execute_update(Talk.end)
        assert await handle.result() == ["new", "existing"]


async def test_uws_refused_by_the_validator(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Talk):
        start = WithStartWorkflowOperation(
            Talk.run, id=name, task_queue=name, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
        with pytest.raises(WorkflowUpdateFailedError):
            await client.execute_update_with_start_workflow(Talk.note, "", start_workflow_operation=start)
        assert await (await start.workflow_handle()).query(Talk.count) == 0
        await client.get_workflow_handle(name).terminate()


async def test_signals_and_updates_of_a_closed_workflow(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        await handle.signal(Talk.close)
        await handle.result()
        for call in (handle.signal(Talk.say, "late"), handle.execute_update(Talk.note, "late")):
            with pytest.raises(RPCError) as raised:
                await call
            assert raised.value.status == RPCStatusCode.NOT_FOUND


# Handlers that are set by the code, and messages from one workflow to another.


@workflow.defn
class SetsHandlers:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.sleep(0.01)
        workflow.set_signal_handler("late", self.words.append)
        workflow.set_query_handler("how_many", lambda: len(self.words))
        workflow.set_update_handler("count", self.counted, validator=self.check)
        await workflow.wait_condition(lambda: "end" in self.words)
        return self.words

    async def counted(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)

    def check(self, word: str) -> None:
        if word == "bad":
            raise ValueError("bad word")


async def test_handlers_set_by_the_code(client: Client, name: str, cache: int):
    async with worker(client, name, cache, SetsHandlers):
        handle = await client.start_workflow(SetsHandlers.run, id=name, task_queue=name)
        await handle.signal("late", "waited for its handler")
        while not await _asks(handle, "how_many"):
            await asyncio.sleep(0.01)
        assert await handle.execute_update("count", "two", result_type=int) == 2
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("count", "bad")
        await handle.signal("late", "end")
        assert await handle.result() == ["waited for its handler", "two", "end"]


async def _asks(handle: Any, name: str) -> Any:
    try:
        return await handle.query(name)
    except WorkflowQueryFailedError as error:
        assert "how_many" in str(error) and "not found" in str(error)  # Not set yet.


@workflow.defn
class Messenger:
    @workflow.run
    async def run(self, other: str) -> str:
        handle = workflow.get_external_workflow_handle_for(Talk.run, other)
        await handle.signal(Talk.say, "from a workflow")
        await handle.signal(Talk.close)
        try:
            await workflow.get_external_workflow_handle("there-is-none").signal("x")
        except ApplicationError as error:
            return f"{error.type}: {error.message}"
        return "delivered"


async def test_signal_external_and_signal_external_nf(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as talk:
        async with worker(client, f"{name}-m", cache, Messenger):
            answer = await client.execute_workflow(Messenger.run, name, id=f"{name}-m", task_queue=f"{name}-m")
        assert await talk.result() == ["from a workflow"]

    assert "not found" in answer


async def test_a_wrong_argument_fails_the_update_and_not_the_workflow(client: Client, name: str, cache: int):
    async with Conversation(client, name, cache) as handle:
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("work", "not a number")
        await handle.signal(Talk.close)
        assert await handle.result() == []


@workflow.defn
class Touchy:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    async def poke(self) -> None:
        raise ApplicationError("ouch")


async def test_an_error_in_a_signal_handler_fails_the_workflow(client: Client, name: str, cache: int):
    async with worker(client, name, cache, Touchy):
        handle = await client.start_workflow(Touchy.run, id=name, task_queue=name)
        await handle.signal(Touchy.poke)
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    assert isinstance(failed.value.cause, ApplicationError) and failed.value.cause.message == "ouch"
