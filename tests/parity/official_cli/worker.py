"""The worker beside the commands, of the official Python SDK. Runs until standard input ends.

    python worker.py ADDRESS TASK_QUEUE

All that it does is settled by what the commands send: nothing races, so that two servers can be compared.
"""

import asyncio
import logging
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

COLOUR = SearchAttributeKey.for_keyword("CliColour")
LONG = timedelta(minutes=10)
ONE_TRY_AN_HOUR = RetryPolicy(initial_interval=timedelta(hours=1), backoff_coefficient=1.0)


@activity.defn
async def echo(value: str) -> str:
    return value


@activity.defn
async def flaky(value: str) -> str:
    raise ApplicationError(f"no {value} yet", "detail", type="NotYet")


@activity.defn
async def beat(value: str) -> str:
    """Waits for its answer from elsewhere, after one heartbeat."""
    activity.heartbeat(value)
    activity.raise_complete_async()


@activity.defn
async def later(value: str) -> str:
    activity.raise_complete_async()


@workflow.defn
class Echo:
    @workflow.run
    async def run(self, value: str = "") -> str:
        return value


@workflow.defn
class Activity:
    """Runs one activity of the given type."""

    @workflow.run
    async def run(self, activity_type: str, value: str) -> str:
        return await workflow.execute_activity(
            activity_type, value, activity_id="the-activity", start_to_close_timeout=LONG,
            retry_policy=ONE_TRY_AN_HOUR, result_type=str, summary="what it is for",
        )


@workflow.defn
class Two:
    """Runs two activities that fail, and tells which ended."""

    @workflow.run
    async def run(self) -> str:
        waiting = [
            workflow.execute_activity(
                kind, name, activity_id=name, start_to_close_timeout=LONG, retry_policy=ONE_TRY_AN_HOUR)
            for kind, name in (("flaky", "first"), ("flaky", "second"))
        ]
        await asyncio.gather(*waiting)
        return "both"


@workflow.defn
class Messages:
    """Takes signals, queries and updates until it is told to end."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.ended = False

    @workflow.run
    async def run(self, first: str = "") -> list[str]:
        workflow.set_current_details("waits for *words*")
        if first:
            self.words.append(first)
        await workflow.wait_condition(lambda: self.ended)
        return self.words

    @workflow.signal(description="adds a word")
    def add(self, word: str) -> None:
        self.words.append(word)

    @workflow.signal
    def end(self) -> None:
        self.ended = True

    @workflow.query(description="the words, joined")
    def text(self, separator: str = "+") -> str:
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
    async def append_when_ended(self, word: str) -> str:
        await workflow.wait_condition(lambda: self.ended)
        return word

    @workflow.update
    async def fail_later(self) -> None:
        raise ApplicationError("accepted, then failed", type="TooLate")


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, message: str) -> None:
        raise ApplicationError(message, "detail", 7, type="Broken", non_retryable=True) from ApplicationError(
            "the root", type="Root")


@workflow.defn
class Sleeps:
    """Waits for ever; when cancelled, runs an activity first."""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.sleep(timedelta(hours=1), summary="a long sleep")
        except asyncio.CancelledError:
            await workflow.execute_activity("echo", "swept", start_to_close_timeout=LONG)
            raise


@workflow.defn
class Countdown:
    @workflow.run
    async def run(self, left: int) -> str:
        if left > 0:
            workflow.continue_as_new(left - 1)
        return "zero"


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, child_type: str, child_id: str) -> str:
        await workflow.execute_child_workflow(child_type, id=child_id)
        return "the child has ended"


@workflow.defn
class Tagged:
    @workflow.run
    async def run(self, colour: str) -> str:
        workflow.upsert_search_attributes([COLOUR.value_set(colour)])
        workflow.upsert_memo({"step": "painted"})
        workflow.patched("first-coat")
        return str(workflow.memo_value("step"))


async def main(address: str, task_queue: str) -> None:
    # Failures are what many commands are about.
    logging.disable(logging.CRITICAL)
    runtime = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="off")))
    client = await Client.connect(address, runtime=runtime)
    workflows = [Echo, Activity, Two, Messages, Fails, Sleeps, Countdown, Parent, Tagged]
    async with Worker(client, task_queue=task_queue, workflows=workflows, activities=[echo, flaky, beat, later],
                      workflow_runner=UnsandboxedWorkflowRunner(), build_id="cli-build"):
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
