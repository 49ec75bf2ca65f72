"""How runs end, follow each other, survive their worker, and replay."""

import workflows
from judge import Bench, Wrong, events, eventually, expect, fails, refused, scenario
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError, TerminatedError, WorkflowAlreadyStartedError
from temporalio.service import RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from workflows import Messages


async def status(bench: Bench, workflow_id: str, run_id: str | None = None) -> str:
    return (await bench.client.get_workflow_handle(workflow_id, run_id=run_id).describe()).status.name


@scenario
async def workflow_cancel(bench: Bench) -> str:
    handle = await bench.start(workflows.CleansUp.run)
    await handle.cancel()
    error = await fails("result", WorkflowFailureError, handle.result())
    expect("cause", type(error.cause), CancelledError)
    expect("status", await status(bench, handle.id), "CANCELED")
    if "ACTIVITY_TASK_COMPLETED" not in await events(handle):
        raise Wrong("the clean-up activity did not run")
    await handle.cancel()  # Of a closed workflow: no error.
    return "cleaned up by an activity, then CANCELED"


@scenario
async def workflow_terminate(bench: Bench) -> str:
    handle = await bench.start(workflows.CleansUp.run)
    await handle.terminate("a detail", reason="no longer wanted")
    error = await fails("result", WorkflowFailureError, handle.result())
    expect("cause", type(error.cause), TerminatedError)
    expect("reason", str(error.cause), "no longer wanted")
    expect("status", await status(bench, handle.id), "TERMINATED")
    await refused("terminate again", RPCStatusCode.NOT_FOUND, "workflow execution already completed",
                  handle.terminate())
    return f"TERMINATED: {error.cause}"


@scenario
async def start_twice(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    error = await fails("second start", WorkflowAlreadyStartedError, bench.start(Messages.run, id=handle.id))
    expect("run", error.run_id, handle.first_execution_run_id)
    await refused("unknown id", RPCStatusCode.NOT_FOUND, "workflow not found for ID",
                  bench.client.get_workflow_handle(bench.new_id()).describe())
    return f"{error}"


@scenario
async def continue_as_new(bench: Bench) -> str:
    handle = await bench.start(workflows.Countdown.run, 2, [], memo={"kept": "yes"})
    runs = await handle.result()
    expect("different runs", len(set(runs)), 3)
    expect("statuses", [await status(bench, handle.id, run) for run in runs],
           ["CONTINUED_AS_NEW", "CONTINUED_AS_NEW", "COMPLETED"])
    last = bench.client.get_workflow_handle(handle.id, run_id=runs[2])
    bench.started.append(last)
    first = await anext(aiter(last.fetch_history_events()))
    started = first.workflow_execution_started_event_attributes
    expect("chain", (started.continued_execution_run_id, started.first_execution_run_id), (runs[1], runs[0]))
    expect("memo", await (await last.describe()).memo(), {"kept": "yes"})
    return "three runs, result followed, memo kept"


@scenario
async def parent_close_policy(bench: Bench) -> str:
    wanted = {1: "TERMINATED", 2: "RUNNING", 3: "CANCELED"}  # TERMINATE, ABANDON, REQUEST_CANCEL.
    children = {policy: bench.new_id() for policy in wanted}
    for policy, child in children.items():
        await bench.execute(workflows.Leaver.run, policy, child)
    for policy, child in children.items():
        await eventually(f"child under policy {policy}", lambda child=child: status(bench, child), wanted[policy])
    await bench.client.get_workflow_handle(children[2]).terminate()
    return ", ".join(wanted.values())


@scenario
async def reset(bench: Bench) -> str:
    handle = await bench.start(Messages.run)
    expect("update", await handle.execute_update(Messages.append, "first"), 1)
    await handle.signal(Messages.add, "second")
    await handle.signal(Messages.end)
    expect("words", await handle.result(), ["first", "second"])
    # Back to the first workflow task; signals after it are applied again, and so are updates.
    reply = await bench.client.workflow_service.reset_workflow_execution(ResetWorkflowExecutionRequest(
        namespace=bench.client.namespace, reason="try again", request_id=bench.new_id(),
        workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id),
        workflow_task_finish_event_id=4))
    again = bench.client.get_workflow_handle(handle.id, run_id=reply.run_id)
    expect("words after the reset", await again.result(), ["first", "second"])
    if reply.run_id == handle.first_execution_run_id:
        raise Wrong("the reset run has the run id of its base")
    if "WORKFLOW_TASK_FAILED" not in await events(again):
        raise Wrong("no WorkflowTaskFailed event marks the reset")
    bench.started.append(again)
    return "a new run from event 4, signals and update applied again"


@scenario
async def sticky_cache_lost(bench: Bench) -> str:
    """The first worker goes away with its cache; the second one replays from the beginning."""
    queue = bench.new_id()
    async with bench.worker(queue):
        handle = await bench.start(Messages.run, task_queue=queue)
        await handle.execute_update(Messages.append_echo, "before")
    async with bench.worker(queue):
        expect("after the restart", await handle.query(Messages.text, "+"), "before")
        await handle.execute_update(Messages.append_echo, "after")
    async with bench.worker(queue, max_cached_workflows=0):
        expect("without a cache", await handle.query(Messages.text, "+"), "before+after")
        await handle.signal(Messages.end)
        expect("words", await handle.result(), ["before", "after"])
    return "three workers, one state"


async def replay(bench: Bench) -> str:
    """Every history that the scenarios left, through the official replayer. Runs last."""
    replayer = Replayer(workflows=workflows.ALL, workflow_runner=UnsandboxedWorkflowRunner())
    seen = set()
    for handle in bench.started:
        history = await handle.fetch_history()
        seen.add((handle.id, handle.run_id or handle.result_run_id))
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure:
            raise Wrong(f"{handle.id}: {result.replay_failure!r}")
    if not seen:
        raise Wrong("there is no history to replay")
    return f"{len(seen)} histories"
