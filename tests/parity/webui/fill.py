"""Fills a server with one of everything that the Web UI shows; its workers then run until standard input ends.

    python fill.py ADDRESS

The server needs SERVER_ARGUMENTS. When all is there and settled it prints one line, the run id of each workflow id as
JSON.
"""

import asyncio
import json
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from temporalio.api.batch.v1 import BatchOperationSignal, BatchOperationTermination
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import BatchOperationState, IndexedValueType, PendingActivityState
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    DescribeWorkerDeploymentRequest,
    ListWorkflowExecutionsRequest,
    PauseActivityRequest,
    PauseWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
    StartBatchOperationRequest,
)
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateStage,
)
from temporalio.common import (
    Priority,
    RetryPolicy,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
)
from temporalio.exceptions import ApplicationError
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig
from workflows import ACTIVITIES, COLOUR, LONG, WORKFLOWS, Pinned

SERVER_ARGUMENTS = ["--namespace", "ui-other", "--search-attribute", "UiColour=Keyword"]
# What server 1.32 has switched off as it comes, or 1.29 as it came.
SETTINGS = ["frontend.WorkflowPauseEnabled=true", "frontend.WorkerHeartbeatsEnabled=true",
            "frontend.ListWorkersEnabled=true"]
SERVER_ARGUMENTS += [part for setting in SETTINGS for part in ("--dynamic-config-value", setting)]
NAMESPACE = "default"
QUEUE = "ui-queue"
IDLE = "ui-idle"  # Has no worker.
VERSIONED = "ui-versioned"
DEPLOYMENT = "ui-deployment"
BUILDS = ["1.0", "2.0", "3.0"]
IDENTITY = "ui-worker"
SETTLE_SECONDS = 60


async def until(what: str, seen: Callable[[], Awaitable[Any]]) -> None:
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while not await seen():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise RuntimeError(f"fill: within {SETTLE_SECONDS} s it was not so that {what}") from None


class Filler:
    def __init__(self, client: Client) -> None:
        self.client = client
        self.service = client.workflow_service

    async def start(self, kind: str, workflow_id: str, *arguments: Any, **options: Any) -> WorkflowHandle:
        options.setdefault("task_queue", QUEUE)
        return await self.client.start_workflow(kind, args=arguments, id=workflow_id, **options)

    async def tried(self, call: Awaitable[Any]) -> bool:
        """Whether the server has the call: servers before 1.32 may not."""
        try:
            await call
        except RPCError as error:
            if error.status != RPCStatusCode.UNIMPLEMENTED:
                raise
            return False
        return True

    async def closed_ones(self) -> None:
        await (await self.start("Echo", "ui-completed", "a word")).result()
        failed = await self.start("Fails", "ui-failed", "it cannot be", True)
        await ended(failed)
        cancelled = await self.start("Sleeps", "ui-cancelled")
        await until("ui-cancelled has a timer", lambda: has_event(cancelled, "timer_started_event_attributes"))
        await cancelled.cancel()
        await ended(cancelled)
        terminated = await self.start("Sleeps", "ui-terminated", task_queue=IDLE)
        await terminated.terminate("a detail", reason="enough of it")
        await (await self.start("Countdown", "ui-continued", 1)).result()
        timed_out = await self.start("Sleeps", "ui-timed-out", run_timeout=timedelta(seconds=1), task_queue=IDLE)
        await ended(timed_out)
        retried = await self.start(
            "Fails", "ui-retried", "twice", False, retry_policy=RetryPolicy(maximum_attempts=2))
        await ended(retried)

    async def open_ones(self) -> None:
        messages = await self.start(
            "Messages", "ui-running", memo={"note": "kept"}, static_summary="what it is *for*",
            static_details="and **more** of it", priority=Priority(priority_key=2, fairness_key="tenant"),
            search_attributes=TypedSearchAttributes([SearchAttributePair(COLOUR, "blue")]))
        await messages.signal("add", "one")
        await messages.execute_update("append", "two", id="appends")
        try:
            await messages.execute_update("append", "", id="is-refused")
        except Exception as error:  # The validator's no.
            assert "rejected" in str(error) or "empty" in str(error.__cause__), error
        await messages.start_update(
            "append_when_ended", "three", id="waits", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await self.start("Sleeps", "ui-cron", cron_schedule="0 5 1 1 *")
        await self.start("Sleeps", "ui-delayed", start_delay=LONG)
        await self.start("Sleeps", "ui-unpolled", task_queue=IDLE)
        stuck = await self.start("Stuck", "ui-stuck")
        await until("ui-stuck failed a task", lambda: has_event(stuck, "workflow_task_failed_event_attributes"))
        parent = await self.start("Parent", "ui-parent", "ui-child")
        await until("the children of ui-parent run", lambda: has_event(
            parent, *(f"child_workflow_execution_{done}_event_attributes" for done in ("started", "completed"))))
        paused = await self.start("Sleeps", "ui-paused")
        await until("ui-paused has a timer", lambda: has_event(paused, "timer_started_event_attributes"))
        await self.tried(self.service.pause_workflow_execution(PauseWorkflowExecutionRequest(
            namespace=NAMESPACE, workflow_id="ui-paused", identity=IDENTITY, reason="while we look",
            request_id="pauses")))

    async def activities(self) -> None:
        handle = await self.start("Activities", "ui-activities")

        async def pending() -> bool:
            reply = (await handle.describe()).raw_description
            by_id = {a.activity_id: a for a in reply.pending_activities}
            return (len(by_id) == 3 and by_id["the-flaky"].attempt == 2
                    and by_id["the-beat"].HasField("heartbeat_details"))
        await until("ui-activities has three open", pending)
        paused = await self.start("Activities", "ui-activity-paused")

        async def beats() -> bool:
            reply = (await paused.describe()).raw_description
            return any(a.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and a.attempt == 2
                       for a in reply.pending_activities)
        await until("ui-activity-paused has failed once", beats)
        await self.service.pause_activity(PauseActivityRequest(
            namespace=NAMESPACE, execution=WorkflowExecution(workflow_id=paused.id), id="the-flaky",
            identity=IDENTITY, reason="not now"))

    async def everything(self) -> None:
        neighbour = await self.start("Messages", "ui-neighbour")
        handle = await self.start("Everything", "ui-everything", neighbour.id)
        await handle.signal("add", "signalled")
        await handle.execute_update("append", "updated", id="an-update")
        assert await handle.result() == "all done"

    async def reset(self) -> None:
        handle = await self.start("Echo", "ui-reset", "again")
        await handle.result()
        await self.service.reset_workflow_execution(ResetWorkflowExecutionRequest(
            namespace=NAMESPACE, workflow_execution=WorkflowExecution(workflow_id=handle.id), reason="once more",
            workflow_task_finish_event_id=4, request_id="resets"))
        assert await self.client.get_workflow_handle(handle.id).result() == "again"

    async def for_actions(self) -> None:
        """What pages.py changes by the buttons of its pages."""
        for kind, action in [("Messages", "signal"), ("Messages", "update"), ("Sleeps", "cancel"),
                             ("Sleeps", "terminate"), ("Sleeps", "pause")]:
            handle = await self.start(kind, f"ui-to-{action}")
            await until(f"ui-to-{action} has begun",
                        lambda handle=handle: has_event(handle, "workflow_task_completed_event_attributes"))
        await (await self.start("Echo", "ui-to-reset", "again")).result()
        for number in range(2):
            await self.start("Sleeps", f"ui-to-end-{number}", task_queue=IDLE)
        await self.start("Activities", "ui-to-change")
        await self.client.create_schedule("ui-schedule-to-change", Schedule(
            action=ScheduleActionStartWorkflow("Echo", "again", id="ui-changed", task_queue=QUEUE),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))])))

    async def batches(self) -> None:
        ids = ["ui-batch-1", "ui-batch-2"]
        for workflow_id in ids:
            await self.start("Sleeps", workflow_id, task_queue=IDLE)
        query = "WorkflowId STARTS_WITH 'ui-batch'"
        await self.listed(query, 2)
        for job, operation in [
            ("ui-signals", {"signal_operation": BatchOperationSignal(signal="add", identity=IDENTITY)}),
            ("ui-terminates", {"termination_operation": BatchOperationTermination(identity=IDENTITY)}),
        ]:
            request = StartBatchOperationRequest(
                namespace=NAMESPACE, visibility_query=query, job_id=job, reason=f"why {job}", **operation)

            async def taken(request: StartBatchOperationRequest = request) -> bool:
                try:
                    await self.service.start_batch_operation(request)
                except RPCError as error:  # One at a time, and what lists show of the last one lags.
                    if error.status != RPCStatusCode.RESOURCE_EXHAUSTED:
                        raise
                    return False
                return True
            await until(f"the batch operation {job} was taken", taken)

            async def completed(job: str = job) -> bool:
                reply = await self.service.describe_batch_operation(DescribeBatchOperationRequest(
                    namespace=NAMESPACE, job_id=job))
                return reply.state == BatchOperationState.BATCH_OPERATION_STATE_COMPLETED
            await until(f"the batch operation {job} has ended", completed)

    async def schedules(self) -> None:
        action = ScheduleActionStartWorkflow(
            "Echo", "by schedule", id="ui-scheduled", task_queue=QUEUE, memo={"note": "by schedule"},
            static_summary="what a schedule starts")
        spec = ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=timedelta(days=2), offset=timedelta(hours=1))],
            calendars=[ScheduleCalendarSpec(
                hour=[ScheduleRange(9, 17, 2)], day_of_week=[ScheduleRange(1, 5)], comment="working hours")],
            cron_expressions=["30 6 1 */3 *"],
            start_at=datetime(2020, 1, 1, tzinfo=timezone.utc), end_at=datetime(2090, 1, 1, tzinfo=timezone.utc),
            jitter=timedelta(seconds=7), time_zone_name="Europe/Berlin")
        full = await self.client.create_schedule("ui-schedule", Schedule(
            action=action, spec=spec, policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            state=ScheduleState(note="with all kinds of times")), memo={"note": "of a schedule"})
        await self.client.create_schedule("ui-schedule-paused", Schedule(
            action=action, spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))]),
            state=ScheduleState(note="not for now", paused=True, limited_actions=True, remaining_actions=3)))
        await self.client.create_schedule("ui-schedule-week", Schedule(
            action=action, spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(
                day_of_week=[ScheduleRange(0)], hour=[ScheduleRange(12)])])))
        for times in (1, 2):
            await full.trigger()

            async def ran(times: int = times) -> bool:
                info = (await full.describe()).info
                return len(info.recent_actions) == times and not info.running_actions
            await until(f"ui-schedule has run {times} times", ran)
            await asyncio.sleep(1)  # The second is a part of the workflow's id.

    async def deployments(self) -> None:
        async def known() -> bool:
            try:
                reply = await self.service.describe_worker_deployment(DescribeWorkerDeploymentRequest(
                    namespace=NAMESPACE, deployment_name=DEPLOYMENT))
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise
                return False
            return len(reply.worker_deployment_info.version_summaries) == len(BUILDS)
        await until("all versions are known", known)
        await self.make_current(BUILDS[0])
        pinned = await self.start("Pinned", "ui-pinned", task_queue=VERSIONED)
        await until("ui-pinned has a timer", lambda: has_event(pinned, "timer_started_event_attributes"))
        await self.make_current(BUILDS[1])
        await self.service.set_worker_deployment_ramping_version(SetWorkerDeploymentRampingVersionRequest(
            namespace=NAMESPACE, deployment_name=DEPLOYMENT, build_id=BUILDS[2], percentage=25, identity=IDENTITY))

    async def make_current(self, build: str) -> None:
        await self.service.set_worker_deployment_current_version(SetWorkerDeploymentCurrentVersionRequest(
            namespace=NAMESPACE, deployment_name=DEPLOYMENT, build_id=build, identity=IDENTITY))

    async def listed(self, query: str, wanted: int) -> None:
        async def seen() -> bool:
            return (await self.client.count_workflows(query)).count == wanted
        await until(f"{wanted} workflows are listed with {query}", seen)

    async def all(self) -> dict[str, str]:
        """Fills, waits until lists show it, and gives each workflow's latest run."""
        await until("UiColour is there", self.colour_is_there)
        await asyncio.gather(self.closed_ones(), self.open_ones(), self.activities(), self.everything(), self.reset(),
                             self.for_actions(), self.batches(), self.schedules(), self.deployments())
        closed = {"Failed": 3, "Canceled": 1, "Terminated": 3, "ContinuedAsNew": 1, "TimedOut": 1}
        for status, wanted in closed.items():
            await self.listed(f"ExecutionStatus = '{status}' AND WorkflowId STARTS_WITH 'ui-'", wanted)
        listed = await self.service.list_workflow_executions(ListWorkflowExecutionsRequest(
            namespace=NAMESPACE, query="WorkflowId STARTS_WITH 'ui-' AND ExecutionStatus != 'ContinuedAsNew'"))
        runs: dict[str, str] = {}
        for run in listed.executions:
            runs.setdefault(run.execution.workflow_id, run.execution.run_id)
        return runs

    async def colour_is_there(self) -> bool:
        reply = await self.client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=NAMESPACE))
        return reply.custom_attributes.get("UiColour") == IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD


async def ended(handle: WorkflowHandle) -> None:
    try:
        await handle.result()
    except WorkflowFailureError:
        return
    raise ApplicationError(f"{handle.id} was not to complete")


async def has_event(handle: WorkflowHandle, *attributes: str) -> bool:
    kinds = {event.WhichOneof("attributes") async for event in handle.fetch_history_events()}
    return kinds.issuperset(attributes)


def workers(client: Client) -> Sequence[Worker]:
    common: dict[str, Any] = {"workflow_runner": UnsandboxedWorkflowRunner(), "identity": IDENTITY}
    return [
        Worker(client, task_queue=QUEUE, workflows=WORKFLOWS, activities=ACTIVITIES, build_id="ui-build", **common),
        *(Worker(client, task_queue=VERSIONED, workflows=[Pinned], **common, deployment_config=WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(DEPLOYMENT, build), use_worker_versioning=True)) for build in BUILDS),
    ]


async def main(address: str) -> None:
    logging.disable(logging.CRITICAL)  # Failures are a part of what is shown.
    runtime = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="off")),
                      worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(address, runtime=runtime, identity=IDENTITY)
    all_workers = workers(client)
    running = [asyncio.create_task(worker.run()) for worker in all_workers]
    try:
        runs = await Filler(client).all()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # The workers would wait for what runs on them.
    print(json.dumps(runs), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.gather(*(worker.shutdown() for worker in all_workers), *running)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
