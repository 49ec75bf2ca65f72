"""Activities, timers, workflow and child failures."""

from datetime import timedelta

import activities
import workflows
from judge import Bench, Wrong, events, eventually, expect, fails, scenario
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import ActivityExecutionStatus, ActivityFailureError, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityAlreadyStartedError, TerminatedError


@scenario
async def activity_retry(bench: Bench) -> str:
    handle = await bench.start(workflows.Retried.run, 3)
    expect("result", await handle.result(), 3)
    started = [e.activity_task_started_event_attributes async for e in handle.fetch_history_events()
               if e.HasField("activity_task_started_event_attributes")]
    expect("started events", len(started), 1)  # The attempts before the last one leave no event.
    expect("attempt in history", started[0].attempt, 3)
    expect("last failure", started[0].last_failure.message, "attempt 2 of 3")
    expect("last failure's type", started[0].last_failure.application_failure_info.type, "NotYet")
    return f"attempt {started[0].attempt}, after {started[0].last_failure.message!r}"


@scenario
async def activity_failure(bench: Bench) -> str:
    seen = await bench.execute(workflows.Declined.run, "order-17")
    expect("failure", seen, ["decline_card", [["CardDeclined", "card declined", ["order-17", 42], True],
                                              ["BankError", "the bank said no", ["code 51"], False]]])
    return f"{seen[1]}"


@scenario
async def heartbeat_timeout(bench: Bench) -> str:
    seen = await bench.execute(workflows.Heartbeats.run, 1)
    expect("timeout", seen, "HEARTBEAT with ['half']")
    return seen


@scenario
async def heartbeat_next_attempt(bench: Bench) -> str:
    seen = await bench.execute(workflows.Heartbeats.run, 2)
    expect("details in the next attempt", seen, "attempt 2 found half")
    return seen


@scenario
async def activity_cancel(bench: Bench) -> str:
    handle = await bench.start(workflows.CancelsActivity.run)
    expect("cause", await handle.result(), "CancelledError")
    history = [e for e in await events(handle) if e.startswith("ACTIVITY_")]
    expect("events", sorted(history), ["ACTIVITY_TASK_CANCELED", "ACTIVITY_TASK_CANCEL_REQUESTED",
                                       "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED"])
    return "requested, heard at a heartbeat, canceled"


@scenario
async def activity_answered_by_client(bench: Bench) -> str:
    handle = await bench.start(workflows.AnsweredLater.run)

    async def attempts() -> list[int]:
        description = await handle.describe()
        return [a.attempt for a in description.raw_description.pending_activities if a.last_worker_identity]

    await eventually("pending activity", attempts, [1])
    await bench.client.get_async_activity_handle(
        workflow_id=handle.id, run_id=handle.result_run_id, activity_id="later").complete("by id")
    expect("result", await handle.result(), "by id")
    return "completed by id"


@scenario
async def activity_without_workflow(bench: Bench) -> str:
    asked = DescribeNamespaceRequest(namespace=bench.client.namespace)
    namespace = (await bench.client.workflow_service.describe_namespace(asked)).namespace_info
    if not namespace.capabilities.standalone_activities:
        return "this server has none"
    options = {"task_queue": bench.task_queue, "start_to_close_timeout": timedelta(seconds=20)}
    first = await bench.client.start_activity(activities.succeed_at, 2, id=bench.new_id(), **options,
                                              retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)))
    expect("result", await first.result(), 2)
    described = await first.describe(include_input=True, include_outcome=True, include_last_failure=True)
    expect("described", (described.status, described.attempt, await described.input(), await described.result()),
           (ActivityExecutionStatus.COMPLETED, 2, [2], 2))
    expect("last failure", str(await described.last_failure()), "NotYet: attempt 1 of 2")
    declined = bench.client.execute_activity(activities.decline_card, "order-17", id=bench.new_id(), **options)
    failed = await fails("declined", ActivityFailureError, declined)
    expect("failure", failed.cause.type, "CardDeclined")
    options["task_queue"] += "-nobody"
    waits = await bench.client.start_activity(activities.echo, "x", id=bench.new_id(), **options)
    again = bench.client.start_activity(activities.echo, "x", id=waits.id, **options)
    taken = await fails("the id again", ActivityAlreadyStartedError, again)
    expect("who has the id", taken.run_id, waits.run_id)
    await waits.terminate(reason="enough")
    ended = await fails("terminated", ActivityFailureError, waits.result())
    expect("end", (type(ended.cause), str(ended.cause)), (TerminatedError, "enough"))

    async def listed() -> list[tuple[str, ActivityExecutionStatus]]:
        found = bench.client.list_activities(f"ActivityId = '{waits.id}'")
        return [(each.activity_type, each.status) async for each in found]

    await eventually("listed", listed, [("echo", ActivityExecutionStatus.TERMINATED)])
    return "completed at the second attempt, refused, terminated and listed"


@scenario
async def timer(bench: Bench) -> str:
    handle = await bench.start(workflows.Timers.run)
    expect("time passed", await handle.result(), "late")
    times = {}
    async for event in handle.fetch_history_events():
        if event.HasField("timer_started_event_attributes"):
            seconds = event.timer_started_event_attributes.start_to_fire_timeout.ToSeconds()
            times["long" if seconds else "short"] = event.event_time.ToNanoseconds()
        elif event.HasField("timer_fired_event_attributes"):
            times["fired"] = event.event_time.ToNanoseconds()
        elif event.HasField("timer_canceled_event_attributes"):
            times["canceled"] = event.event_time.ToNanoseconds()
    expect("events", sorted(times), ["canceled", "fired", "long", "short"])
    millis = (times["fired"] - times["short"]) // 1_000_000
    if not 200 <= millis < 5000:
        raise Wrong(f"a timer of 200 ms fired after {millis} ms")
    return "200 ms, never early; the other one canceled"


@scenario
async def workflow_failure(bench: Bench) -> str:
    handle = await bench.start(workflows.Fails.run, "broken on purpose")
    error = await fails("result", WorkflowFailureError, handle.result())
    seen = workflows.describe_failure(error.cause)
    expect("failure", seen, [["Broken", "broken on purpose", ["detail", 7], True], ["Root", "the root", [], False]])
    expect("status", (await handle.describe()).status.name, "FAILED")
    return f"{seen}"


@scenario
async def workflow_retry(bench: Bench) -> str:
    handle = await bench.start(workflows.FailsUntil.run, 3, retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=20), backoff_coefficient=1.0, maximum_attempts=3))
    expect("result", await handle.result(), 3)
    first = await bench.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id).describe()
    last = await bench.client.get_workflow_handle(handle.id).describe()
    expect("statuses", (first.status.name, last.status.name), ("FAILED", "COMPLETED"))
    if first.run_id == last.run_id:
        raise Wrong(f"attempt 3 ran as attempt 1's run {first.run_id}")
    return "attempt 3, in a run of its own"


@scenario
async def child_workflow(bench: Bench) -> str:
    child_id = bench.new_id()
    handle = await bench.start(workflows.Parent.run, "Echo", "hello", child_id)
    expect("result", await handle.result(), ["hello"])
    description = await bench.client.get_workflow_handle(child_id).describe()
    expect("parent", description.parent_id, handle.id)
    history = [e for e in await events(handle) if "CHILD" in e]
    expect("events", history, ["START_CHILD_WORKFLOW_EXECUTION_INITIATED", "CHILD_WORKFLOW_EXECUTION_STARTED",
                               "CHILD_WORKFLOW_EXECUTION_COMPLETED"])
    return "completed, and knows its parent"


@scenario
async def child_failure(bench: Bench) -> str:
    child_id = bench.new_id()
    seen = await bench.execute(workflows.Parent.run, "Fails", "child broke", child_id)
    expect("failure", seen, [child_id, [["Broken", "child broke", ["detail", 7], True],
                                        ["Root", "the root", [], False]]])
    return f"{seen[1]}"


@scenario
async def child_id_taken(bench: Bench) -> str:
    """A child under the id of a running workflow never starts."""
    taken = await bench.start(workflows.Messages.run)
    handle = await bench.start(workflows.Parent.run, "Echo", "hello", taken.id)
    expect("result", await handle.result(), [taken.id, "WorkflowAlreadyStartedError"])
    history = [e for e in await events(handle) if "CHILD" in e]
    expect("events", history, ["START_CHILD_WORKFLOW_EXECUTION_INITIATED", "START_CHILD_WORKFLOW_EXECUTION_FAILED"])
    return "refused, and the parent was told"
