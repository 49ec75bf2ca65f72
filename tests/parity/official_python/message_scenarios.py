"""Signals, queries and updates."""

import workflows
from judge import Bench, events, eventually, expect, fails, refused, scenario
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from temporalio.common import QueryRejectCondition, WorkflowIDConflictPolicy
from temporalio.service import RPCStatusCode
from workflows import Messages


@scenario
async def signal(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    for word in ("one", "two", "three"):
        await handle.signal(Messages.add, word)
    await handle.signal(Messages.end)
    expect("words", await handle.result(), ["one", "two", "three"])
    text = await refused("signal to a closed workflow", RPCStatusCode.NOT_FOUND, "workflow execution already completed",
                         handle.signal(Messages.add, "late"))
    return f"three in order, then: {text}"


@scenario
async def signal_with_start(bench: Bench) -> str:
    workflow_id = bench.new_id()
    first = await bench.start(Messages.run, id=workflow_id, start_signal="add", start_signal_args=["new"])
    second = await bench.start(Messages.run, id=workflow_id, start_signal="add", start_signal_args=["again"],
                               id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    expect("runs", second.result_run_id or second.first_execution_run_id, first.first_execution_run_id)
    await first.signal(Messages.end)
    expect("words", await first.result(), ["new", "again"])
    return "a new run, then the same run"


@scenario
async def external_signal_and_cancel(bench: Bench) -> str:
    target = await bench.start(Messages.run)
    nobody = await bench.execute(workflows.Caller.run, target.id)
    expect("signal to nobody", nobody.split(":")[0], "ExternalWorkflowExecutionNotFound")
    await fails("target", WorkflowFailureError, target.result())
    expect("target's status", (await target.describe()).status.name, "CANCELED")
    expect("target's words", await target.query(Messages.text, "+"), "from outside")
    return f"delivered; {nobody}"


@scenario
async def query(bench: Bench) -> str:
    handle = await bench.start(Messages.run, start_signal="add", start_signal_args=["a"])
    await handle.signal(Messages.add, "b")
    expect("running", await handle.query(Messages.text, "+"), "a+b")
    broken = await fails("failing query", WorkflowQueryFailedError, handle.query(Messages.broken))
    expect("its message", str(broken), "this query always fails")
    await fails("unknown query", WorkflowQueryFailedError, handle.query("no_such_query"))
    before = len(await events(handle))
    await handle.query(Messages.text, "+")
    expect("events that a query wrote", len(await events(handle)) - before, 0)
    await handle.signal(Messages.end)
    await handle.result()
    expect("closed", await handle.query(Messages.text, "-"), "a-b")
    rejected = await fails("rejected", WorkflowQueryRejectedError, handle.query(
        Messages.text, "-", reject_condition=QueryRejectCondition.NOT_OPEN))
    expect("rejected for status", rejected.status.name if rejected.status else None, "COMPLETED")
    return f"running a+b, closed a-b, failing: {broken}"


@scenario
async def update_accepted(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    expect("result", await handle.execute_update(Messages.append, "one", id="u1"), 1)
    expect("same id again", await handle.execute_update(Messages.append, "one", id="u1"), 1)
    expect("text", await handle.query(Messages.text, "+"), "one")
    await handle.signal(Messages.end)
    await handle.result()
    expect("after the end", await handle.get_update_handle("u1", result_type=int).result(), 1)
    await refused("update of a closed workflow", RPCStatusCode.NOT_FOUND, "workflow execution already completed",
                  handle.execute_update(Messages.append, "late"))
    return "completed once, known by its id, also after the end"


@scenario
async def update_rejected(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    await eventually("first task", lambda: _count(handle, "WORKFLOW_TASK_COMPLETED"), 1)
    before = await events(handle)
    error = await fails("update", WorkflowUpdateFailedError, handle.execute_update(Messages.append, ""))
    seen = workflows.describe_failure(error.cause)
    expect("failure", seen, [["EmptyWord", "an empty word", [], False]])
    expect("events after a rejection", await events(handle), before)
    return f"{seen[0]}, no trace in the history"


async def _count(handle, name: str) -> int:
    return (await events(handle)).count(name)


@scenario
async def update_with_activity(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    update = await handle.start_update(Messages.append_echo, "deep", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    expect("result", await update.result(), "deep")
    history = [e for e in await events(handle) if "UPDATE" in e or "ACTIVITY" in e]
    expect("events", history, ["WORKFLOW_EXECUTION_UPDATE_ACCEPTED", "ACTIVITY_TASK_SCHEDULED",
                               "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED",
                               "WORKFLOW_EXECUTION_UPDATE_COMPLETED"])
    return "accepted, ran an activity, completed"


@scenario
async def update_failing(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    update = await handle.start_update(Messages.fail_later, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    error = await fails("update", WorkflowUpdateFailedError, update.result())
    seen = workflows.describe_failure(error.cause)
    expect("failure", seen, [["TooLate", "accepted, then failed", [], False]])
    expect("status", (await handle.describe()).status.name, "RUNNING")
    return f"{seen[0]}, the workflow runs on"


@scenario
async def update_with_start(bench: Bench) -> str:
    workflow_id = bench.new_id()

    def operation() -> WithStartWorkflowOperation:
        return WithStartWorkflowOperation(Messages.run, id=workflow_id, task_queue=bench.task_queue,
                                          id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)

    new, existing = operation(), operation()
    expect("new", await bench.client.execute_update_with_start_workflow(
        Messages.append, "one", start_workflow_operation=new), 1)
    expect("existing", await bench.client.execute_update_with_start_workflow(
        Messages.append, "two", start_workflow_operation=existing), 2)
    handle = await new.workflow_handle()
    bench.started.append(handle)
    expect("runs", (await existing.workflow_handle()).first_execution_run_id, handle.first_execution_run_id)
    rejected = await fails("rejected", WorkflowUpdateFailedError, bench.client.execute_update_with_start_workflow(
        Messages.append, "", start_workflow_operation=operation()))
    expect("rejection", workflows.describe_failure(rejected.cause)[0][0], "EmptyWord")
    return "new run 1, same run 2, then rejected"
