"""Two updates and a signal in one task, a reset to the task before it (the server puts UpdateAdmitted events into the new run), then more updates: one rejected, one with an activity."""
import asyncio
import uuid
from datetime import timedelta

import temporalio.api.common.v1 as common
import temporalio.api.workflowservice.v1 as ws
from temporalio import activity, workflow
from temporalio.client import WorkflowUpdateFailedError

S = timedelta(seconds=1)


@activity.defn
async def echo(x: str) -> str:
    return x


@workflow.defn
class Orders:
    def __init__(self):
        self.log, self.end = [], False

    @workflow.signal
    def note(self, x: str):
        self.log.append("note " + x)

    @workflow.signal
    def finish(self):
        self.end = True

    @workflow.update
    def add(self, x: str) -> str:
        self.log.append("add " + x)
        return f"{len(self.log)} {x}"

    @add.validator
    def check_add(self, x: str):
        if x == "bad":
            raise ValueError("not that")

    @workflow.update
    async def fetch(self, x: str) -> str:
        got = await workflow.execute_activity(echo, x, start_to_close_timeout=10 * S)
        self.log.append("fetch " + got)
        return got

    @workflow.run
    async def run(self) -> list:
        await workflow.sleep(0.1)
        self.log.append("slept")
        await workflow.wait_condition(lambda: self.end and workflow.all_handlers_finished())
        return self.log

WORKFLOWS, ACTIVITIES = [Orders], [echo]


async def scenario(r):
    async with r.worker():
        h = await r.start(Orders.run)
        await r.until(h, "TIMER_FIRED")
        await r.idle(h)
        async with r.hold(h):
            await h.signal(Orders.note, "first"); r.note("signal note first")
            await r.held()
            one = asyncio.create_task(h.execute_update(Orders.add, "one", id="u-one"))
            two = asyncio.create_task(h.execute_update(Orders.fetch, "two", id="u-two"))
            r.note("updates add one, fetch two")
            await asyncio.sleep(0.3)
            await h.signal(Orders.note, "second"); r.note("signal note second")
        print(await one, await two)
        await r.idle(h)
        hist = await h.fetch_history()
        done = [e.event_id for e in hist.events if e.event_type == 7]
        old = h.result_run_id
        rep = await r.client.workflow_service.reset_workflow_execution(ws.ResetWorkflowExecutionRequest(
            namespace="default", workflow_execution=common.WorkflowExecution(workflow_id=h.id, run_id=old),
            reason="golden", workflow_task_finish_event_id=done[0], request_id=str(uuid.uuid4())))
        r.note(f"reset to the task finished at event {done[0]}")
        n = r.client.get_workflow_handle(h.id, run_id=rep.run_id)
        await r.until(n, "ACTIVITY_TASK_COMPLETED")
        await r.idle(n)
        for name, x in (("add", "three"), ("add", "bad"), ("fetch", "four")):
            r.note(f"update {name} {x}")
            try:
                print(await n.execute_update(name, x, id=f"u-{x}"))
            except WorkflowUpdateFailedError as e:
                print(name, x, type(e.cause).__name__, e.cause)
            await r.idle(n, 0.2)
        await n.signal(Orders.finish); r.note("signal finish")
        print(await n.result())
    await r.save(n, "new run")
    await r.save(h, "old run, ended by the reset", run_id=old)
