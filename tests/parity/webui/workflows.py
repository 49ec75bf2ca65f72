"""What runs on the servers that the Web UI shows."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, VersioningBehavior
from temporalio.exceptions import ApplicationError

COLOUR = SearchAttributeKey.for_keyword("UiColour")
LONG = timedelta(hours=2)
ONE_TRY_AN_HOUR = RetryPolicy(initial_interval=timedelta(hours=1), backoff_coefficient=1.0)
QUICK_TRIES = RetryPolicy(initial_interval=timedelta(milliseconds=10), backoff_coefficient=1.0)


@activity.defn
async def echo(value: str) -> str:
    return value


@activity.defn
async def flaky(value: str) -> str:
    raise ApplicationError(f"no {value} yet", "a detail", type="NotYet")


@activity.defn
async def second_time(value: str) -> str:
    if activity.info().attempt == 1:
        raise ApplicationError(f"no {value} at first", type="NotYet")
    return value


@activity.defn
async def beat(value: str) -> str:
    """Waits for its answer from elsewhere, after one heartbeat."""
    activity.heartbeat(value)
    activity.raise_complete_async()


@workflow.defn
class Echo:
    @workflow.run
    async def run(self, value: str = "") -> str:
        return value


@workflow.defn
class Sleeps:
    """Waits for ever."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(LONG, summary="a long sleep")


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, message: str, once: bool) -> None:
        raise ApplicationError(message, "a detail", 7, type="Broken", non_retryable=once) from ApplicationError(
            "the root", type="Root")


@workflow.defn
class Countdown:
    @workflow.run
    async def run(self, left: int) -> str:
        if left > 0:
            workflow.continue_as_new(left - 1)
        return "zero"


@workflow.defn
class Stuck:
    """Its workflow task fails again and again."""

    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("a bug in the workflow")


@workflow.defn
class Messages:
    """Takes signals, queries and updates until it is told to end."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[str]:
        workflow.set_current_details("waits for *words*")
        workflow.upsert_memo({"step": "waiting"})
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

    @workflow.update(description="appends a word")
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


@workflow.defn
class Activities:
    """Has activities open: one that failed and waits, one that beats, one of a queue without a worker."""

    @workflow.run
    async def run(self) -> None:
        kinds = [("flaky", None), ("beat", None), ("echo", "ui-idle")]
        await asyncio.gather(*(
            workflow.execute_activity(
                kind, kind, activity_id=f"the-{kind}", task_queue=queue, start_to_close_timeout=LONG,
                heartbeat_timeout=LONG, retry_policy=ONE_TRY_AN_HOUR, summary=f"what {kind} is for")
            for kind, queue in kinds))


@workflow.defn
class Everything:
    """One of each kind of event that a workflow's code makes, one after the other."""

    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, neighbour: str) -> str:
        await workflow.wait_condition(lambda: len(self.words) > 1)
        await workflow.sleep(timedelta(milliseconds=10), summary="a short sleep")
        await workflow.execute_activity(
            "second_time", "word", activity_id="tried-twice", start_to_close_timeout=LONG, retry_policy=QUICK_TRIES)
        await workflow.execute_local_activity(
            "echo", "near", activity_id="a-local-one", start_to_close_timeout=LONG, summary="a local one")
        await workflow.execute_child_workflow(
            "Echo", "small", id=f"{workflow.info().workflow_id}-child", static_summary="a small child")
        workflow.upsert_search_attributes([COLOUR.value_set("red")])
        workflow.upsert_memo({"step": "painted"})
        workflow.patched("first-coat")
        await workflow.get_external_workflow_handle(neighbour).signal("add", "from a neighbour")
        timer = asyncio.create_task(workflow.sleep(LONG))
        await asyncio.sleep(0)
        timer.cancel()
        return "all done"

    @workflow.signal
    def add(self, word: str) -> None:
        self.words.append(word)

    @workflow.update
    def append(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self, child_id: str) -> None:
        await asyncio.gather(
            workflow.execute_child_workflow("Sleeps", id=child_id),
            workflow.execute_child_workflow("Echo", "done", id=f"{child_id}-done"))


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Pinned:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(LONG)


WORKFLOWS = [Echo, Sleeps, Fails, Countdown, Stuck, Messages, Activities, Everything, Parent]
ACTIVITIES = [echo, flaky, second_time, beat]
