"""The border as the native module sees it: its classes, and what it says of commands that cannot be sent."""

import pathlib
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from chimera import _border as border, _bridge, common, workflow
from chimera.client import Client
from chimera.testing import WorkflowEnvironment
from chimera.worker import UnsandboxedWorkflowRunner, Worker

ROOT = pathlib.Path(__file__).resolve().parents[3]


def test_the_classes_are_those_of_the_native_module():
    written = (ROOT / "sdk-python/chimera/_border.py").read_text()
    assert written == _bridge.border_source(), "run scripts/border"


def test_classes_that_do_not_fit_are_refused(tmp_path: pathlib.Path):
    program = """
import chimera._border as border
del border.FireTimer
from chimera import _bridge
_bridge.WorkflowBridge(_bridge.Queue(), print, print)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError: chimera._border does not fit" in ended.stderr and "FireTimer" in ended.stderr


@workflow.defn
class Sends:
    """Its task fails as long as `command` cannot be sent."""

    command: Any = None

    @workflow.run
    async def run(self) -> str:
        from chimera.workflow._runtime import current

        if Sends.command is not None:
            run: Any = current()
            run.add_command(Sends.command)
        return "sent"


@workflow.defn
class Patches:
    @workflow.run
    async def run(self, name: str) -> None:
        workflow.patched(name.replace("!", "\ud800"))


@workflow.defn
class Schedules:
    @workflow.run
    async def run(self, days: int) -> None:
        await workflow.start_activity(
            "nobody's",
            args=["a", 1],
            task_queue="another",
            activity_id="mine",
            schedule_to_close_timeout=timedelta(days=days),
            schedule_to_start_timeout=timedelta(seconds=2),
            start_to_close_timeout=timedelta(seconds=3, microseconds=4),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=common.RetryPolicy(maximum_attempts=6),
            summary="said",
            priority=common.Priority(priority_key=4, fairness_key="k"),
        )


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local() as env:
        async with Worker(
            env.client,
            task_queue="q",
            workflows=[Sends, Patches, Schedules],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield env.client


ACTIVITY = border.ScheduleActivity(1, "1", "work", "q", {}, [], 0, 0, 0, 0, None, None, False, 0, False, None)


async def failure_of_task(client: Client, workflow_type: str, *args: Any) -> str:
    handle = await client.start_workflow(
        workflow_type, args=args, id=f"w-{uuid.uuid4()}", task_queue="q", run_timeout=timedelta(seconds=60)
    )
    try:
        while True:
            async for event in handle.fetch_history_events(wait_new_event=True):
                if event.HasField("workflow_task_failed_event_attributes"):
                    return event.workflow_task_failed_event_attributes.failure.message
    finally:
        await handle.terminate()


@pytest.mark.parametrize(
    "command, told",
    [
        (border.StartTimer("one", 0, None), "StartTimer.seq: "),  # type: ignore[arg-type]
        (border.StartTimer(-1, 0, None), "StartTimer.seq: "),
        (border.StartTimer(1, 0, b"\xff"), "StartTimer.user_metadata: these bytes are no "),
        (ACTIVITY._replace(arguments=["text"]), "ScheduleActivity.arguments: expected bytes, got str"),
        (ACTIVITY._replace(start_to_close_timeout="s"), ".start_to_close_timeout: expected int, got str"),
        (ACTIVITY._replace(heartbeat_timeout=10**30), ".heartbeat_timeout: not within 0 and 10,000 years"),
        (border.UpdateResponse("i", border.FireTimer(1)), "UpdateResponse.response: no place for a "),
        (border.UpdateResponse("i", border.UpdateRejected(b"\xff")), "response: UpdateRejected.failure: these bytes"),
        (border.CancelChildWorkflowExecution(1, "x\udc80"), "CancelChildWorkflowExecution.reason: this text "),
        (border.FireTimer(1), "is no command"),
        (("timer", 1), "a tuple is no command"),
    ],
)
async def test_a_command_that_cannot_be_sent_fails_its_task_and_says_why(client: Client, command: Any, told: str):
    Sends.command = command
    assert told in await failure_of_task(client, "Sends")


@pytest.mark.parametrize(
    "days, arrive",
    # A thousand years are more nanoseconds than 64 bits hold; the server keeps a hundred.
    [(1, timedelta(days=1)), (365_000, timedelta(days=36_500))],
)
async def test_activities_arrive_with_their_options(client: Client, days: int, arrive: timedelta):
    handle = await client.start_workflow("Schedules", days, id=f"w-{uuid.uuid4()}", task_queue="q")
    async for event in handle.fetch_history_events(wait_new_event=True):
        assert not event.HasField("workflow_task_failed_event_attributes"), event
        if event.HasField("activity_task_scheduled_event_attributes"):
            break
    await handle.terminate()

    told = event.activity_task_scheduled_event_attributes
    assert (told.activity_id, told.activity_type.name, told.task_queue.name) == ("mine", "nobody's", "another")
    assert [payload.data for payload in told.input.payloads] == [b'"a"', b"1"]
    assert told.schedule_to_close_timeout.ToTimedelta() == arrive
    assert told.schedule_to_start_timeout.ToTimedelta() == timedelta(seconds=2)
    assert told.start_to_close_timeout.ToTimedelta() == timedelta(seconds=3, microseconds=4)
    assert told.heartbeat_timeout.ToTimedelta() == timedelta(seconds=3, microseconds=4)  # The server shortens it.
    assert (told.retry_policy.maximum_attempts, told.retry_policy.initial_interval.seconds) == (6, 1)
    assert (told.priority.priority_key, told.priority.fairness_key) == (4, "k")
    assert event.user_metadata.summary.data == b'"said"' and not told.HasField("header")


async def test_a_patch_with_a_lone_surrogate_says_so(client: Client):
    said = await failure_of_task(client, "Patches", "ab!")
    assert said == (
        "SetPatchMarker.patch_id: this text cannot be sent: it has a lone surrogate, U+D800, at index 2"
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda text: _bridge.set_log_level(text),
        lambda text: _bridge.Metrics({"prefix": text}),
        lambda text: _bridge.Metrics({}).counter(text, "", []),
        lambda text: _bridge.Metrics({}).counter("n", "", [("k", text)]),
        lambda text: _bridge.Codec.aes_gcm(text, {}),
        lambda text: _bridge.Connection.connect({"target_host": text}, _bridge.Queue(), print),
        lambda text: _bridge.Connection.connect({"metadata": [("k", text)]}, _bridge.Queue(), print),
    ],
)
def test_text_that_cannot_be_sent_is_refused_wherever_it_crosses(call: Any):
    with pytest.raises(ValueError, match=r"lone surrogate, U\+DC80, at index 1"):
        call("a\udc80")
