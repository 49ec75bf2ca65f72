"""The workflows of all scenarios."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)

COLOUR = SearchAttributeKey.for_keyword("ParityColour")
SHORT = timedelta(seconds=20)


def describe_failure(error: BaseException | None) -> list[Any]:
    """Type, message and details of a failure and of each of its causes."""
    chain = []
    while error is not None:
        if isinstance(error, ApplicationError):
            chain.append([error.type, error.message, list(error.details), error.non_retryable])
        else:
            chain.append([type(error).__name__])
        error = getattr(error, "cause", None)
    return chain


@workflow.defn
class Echo:
    @workflow.run
    async def run(self, value: str) -> str:
        return value


@workflow.defn
class Retried:
    @workflow.run
    async def run(self, attempt: int) -> int:
        return await workflow.execute_activity(
            "succeed_at", attempt, start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20), backoff_coefficient=1.0))


@workflow.defn
class Declined:
    @workflow.run
    async def run(self, order: str) -> list[Any]:
        try:
            await workflow.execute_activity("decline_card", order, start_to_close_timeout=SHORT)
        except ActivityError as error:
            return [error.activity_type, describe_failure(error.cause)]
        return []


@workflow.defn
class Heartbeats:
    """The first beat's detail, as seen by the timeout or by the next attempt."""

    @workflow.run
    async def run(self, attempts: int) -> str:
        try:
            return await workflow.execute_activity(
                "heartbeat_then_hang", "half", start_to_close_timeout=SHORT,
                heartbeat_timeout=timedelta(seconds=1), result_type=str,
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=attempts))
        except ActivityError as error:
            if not isinstance(error.cause, TimeoutError):
                raise
            kind = TimeoutType(error.cause.type).name if error.cause.type is not None else "none"
            return f"{kind} with {list(error.cause.last_heartbeat_details)}"


@workflow.defn
class CancelsActivity:
    def __init__(self) -> None:
        self.begun = False

    @workflow.run
    async def run(self) -> str:
        task = workflow.start_activity(
            "heartbeat_until_cancelled", workflow.info().workflow_id, start_to_close_timeout=SHORT,
            heartbeat_timeout=timedelta(seconds=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
        await workflow.wait_condition(lambda: self.begun)
        task.cancel()
        try:
            await task
        except ActivityError as error:
            return type(error.cause).__name__
        return "not cancelled"

    @workflow.signal(name="begun")
    def on_begun(self) -> None:
        self.begun = True


@workflow.defn
class AnsweredLater:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity("answer_later", activity_id="later", start_to_close_timeout=SHORT,
                                               result_type=str)


@workflow.defn
class Timers:
    @workflow.run
    async def run(self) -> str:
        begun = workflow.time()
        long = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0.2)
        long.cancel()
        return "late" if workflow.time() - begun >= 0.2 else "early"


@workflow.defn
class Messages:
    """Takes signals, queries and updates until it is told to end."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.ended)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.words

    @workflow.signal
    def add(self, word: str) -> None:
        self.words.append(word)

    @workflow.signal
    def end(self) -> None:
        self.ended = True

    @workflow.query
    def text(self, separator: str) -> str:
        return separator.join(self.words)

    @workflow.query
    def broken(self) -> str:
        raise ApplicationError("this query always fails")

    @workflow.update
    def append(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)

    @append.validator
    def check_append(self, word: str) -> None:
        if not word:
            raise ApplicationError("an empty word", type="EmptyWord")

    @workflow.update
    async def append_echo(self, word: str) -> str:
        echoed = await workflow.execute_activity("echo", word, start_to_close_timeout=SHORT, result_type=str)
        self.words.append(echoed)
        return echoed

    @workflow.update
    async def fail_later(self) -> None:
        await asyncio.sleep(0.01)
        raise ApplicationError("accepted, then failed", type="TooLate")


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, message: str) -> None:
        raise ApplicationError(message, "detail", 7, type="Broken", non_retryable=True) from ApplicationError(
            "the root", type="Root")


@workflow.defn
class FailsUntil:
    @workflow.run
    async def run(self, attempt: int) -> int:
        if workflow.info().attempt < attempt:
            raise ApplicationError("not yet", type="NotYet")
        return workflow.info().attempt


@workflow.defn
class CleansUp:
    """Waits for ever; when cancelled, runs an activity first."""

    @workflow.run
    async def run(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await workflow.execute_activity("echo", "swept", start_to_close_timeout=SHORT)
            raise


@workflow.defn
class Countdown:
    @workflow.run
    async def run(self, left: int, runs: list[str]) -> list[str]:
        runs = [*runs, workflow.info().run_id]
        if left > 0:
            workflow.continue_as_new(args=[left - 1, runs])
        return runs


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, child_type: str, argument: str, child_id: str) -> list[Any]:
        try:
            return [await workflow.execute_child_workflow(child_type, argument, id=child_id)]
        except ChildWorkflowError as error:
            return [error.workflow_id, describe_failure(error.cause)]
        except WorkflowAlreadyStartedError as error:
            return [error.workflow_id, "WorkflowAlreadyStartedError"]


@workflow.defn
class Leaver:
    """Starts a child that waits, and ends before it."""

    @workflow.run
    async def run(self, policy: int, child_id: str) -> str:
        child = await workflow.start_child_workflow(
            "CleansUp", id=child_id, parent_close_policy=workflow.ParentClosePolicy(policy),
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON)
        return child.first_execution_run_id or ""


@workflow.defn
class Tagged:
    @workflow.run
    async def run(self, colour: str) -> str:
        workflow.upsert_search_attributes([COLOUR.value_set(colour)])
        workflow.upsert_memo({"step": "painted", "dropped": None})
        workflow.patched("first-coat")
        return str(workflow.memo_value("step"))


@workflow.defn
class Caller:
    """Signals and cancels another workflow."""

    @workflow.run
    async def run(self, other: str) -> str:
        handle = workflow.get_external_workflow_handle(other)
        await handle.signal("add", "from outside")
        await handle.cancel()
        try:
            await workflow.get_external_workflow_handle(other + "-missing").signal("add", "lost")
        except ApplicationError as error:
            return f"{error.type}: {error.message}"
        return "signal to nobody was delivered"


ALL = [Echo, Retried, Declined, Heartbeats, CancelsActivity, AnsweredLater, Timers, Messages, Fails, FailsUntil,
       CleansUp, Countdown, Parent, Leaver, Tagged, Caller]
