"""Valid requests about schedules, batches, deployments and options of workflows, for wrong_requests.py to change."""

import uuid
from collections.abc import Callable
from typing import Any

import temporalio.api.workflowservice.v1 as wf
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api import batch, common, deployment, schedule, taskqueue, workflow

FAR = 4_000_000_000  # Seconds since the epoch; nothing is due before.
Requests = dict[str, Callable[[], Message]]


def _time(offset: int) -> Timestamp:
    return Timestamp(seconds=FAR + offset)


def _hours(number: int) -> Duration:
    return Duration(seconds=3600 * number)


def a_schedule(server: Any) -> schedule.v1.Schedule:
    """With all that it may have."""
    s = schedule.v1
    calendar = s.StructuredCalendarSpec(
        second=[s.Range(start=1)], minute=[s.Range(start=2, end=4, step=2)], hour=[s.Range(start=3)],
        day_of_month=[s.Range(start=5)], month=[s.Range(start=6)], year=[s.Range(start=2098)],
        day_of_week=[s.Range(start=0, end=6)], comment="c",
    )  # fmt: skip
    text = s.CalendarSpec(
        second="1", minute="2-4/2", hour="*", day_of_month="5", month="6", year="2098", day_of_week="sun"
    )
    every = s.IntervalSpec(interval=_hours(2), phase=_hours(1))
    payload = common.v1.Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    start = workflow.v1.NewWorkflowExecutionInfo(
        workflow_id=server.name(), workflow_type=common.v1.WorkflowType(name="T"),
        task_queue=taskqueue.v1.TaskQueue(name="q", kind=1), workflow_execution_timeout=_hours(3),
        workflow_run_timeout=_hours(2), workflow_task_timeout=Duration(seconds=10),
        retry_policy=common.v1.RetryPolicy(initial_interval=Duration(seconds=1), backoff_coefficient=2,
                                           maximum_interval=Duration(seconds=10), maximum_attempts=3),
        memo=common.v1.Memo(fields={"k": payload}),
    )  # fmt: skip
    return s.Schedule(
        spec=s.ScheduleSpec(
            structured_calendar=[calendar], calendar=[text], cron_string=["0 12 * * MON"], interval=[every],
            # Without exclusions: the genuine server does not check them, and one that steps back fills its memory.
            start_time=_time(0), end_time=_time(10**7), jitter=Duration(seconds=10), timezone_name="Europe/Berlin",
        ),
        action=s.ScheduleAction(start_workflow=start),
        policies=s.SchedulePolicies(overlap_policy=1, catchup_window=Duration(seconds=60), pause_on_failure=True),
        state=s.ScheduleState(notes="n", paused=True, limited_actions=True, remaining_actions=3),
    )  # fmt: skip


def of_schedules(server: Any, namespace: str) -> Requests:
    ns = {"namespace": namespace}

    def create() -> wf.CreateScheduleRequest:
        return wf.CreateScheduleRequest(
            **ns, schedule_id=server.name(), schedule=a_schedule(server), identity="me", request_id=server.name("r")
        )

    def made() -> dict[str, str]:
        request = create()
        server.workflow.CreateSchedule(request)
        return {**ns, "schedule_id": request.schedule_id}

    def patch(**parts: Any) -> wf.PatchScheduleRequest:
        return wf.PatchScheduleRequest(
            **made(), patch=schedule.v1.SchedulePatch(**parts), identity="me", request_id=server.name("r")
        )

    backfill = schedule.v1.BackfillRequest(start_time=_time(0), end_time=_time(7200), overlap_policy=1)
    return {
        "CreateSchedule": create,
        "UpdateSchedule": lambda: wf.UpdateScheduleRequest(
            **made(), schedule=a_schedule(server), identity="me", request_id=server.name("r")),
        "PatchSchedule#pause": lambda: patch(pause="why"),
        "PatchSchedule#trigger": lambda: patch(
            trigger_immediately=schedule.v1.TriggerImmediatelyRequest(overlap_policy=1)),
        "PatchSchedule#backfill": lambda: patch(backfill_request=[backfill]),
        "ListScheduleMatchingTimes": lambda: wf.ListScheduleMatchingTimesRequest(
            **made(), start_time=_time(0), end_time=_time(7200)),
        "DescribeSchedule": lambda: wf.DescribeScheduleRequest(**made()),
        "DeleteSchedule": lambda: wf.DeleteScheduleRequest(**made(), identity="me"),
        "ListSchedules": lambda: wf.ListSchedulesRequest(**ns, maximum_page_size=10),
    }  # fmt: skip


def of_batches(server: Any, namespace: str) -> Requests:
    ns = {"namespace": namespace}
    b = batch.v1

    def start(**operation: Any) -> wf.StartBatchOperationRequest:
        return wf.StartBatchOperationRequest(
            **ns, job_id=server.name(), visibility_query=f'WorkflowId = "{uuid.uuid4()}"', reason="why",
            max_operations_per_second=10, **operation,
        )  # fmt: skip

    options = workflow.v1.WorkflowExecutionOptions(priority=common.v1.Priority(priority_key=2))
    mask = {"paths": ["priority"]}
    return {
        "StartBatchOperation#terminate": lambda: start(
            termination_operation=b.BatchOperationTermination(identity="me")),
        "StartBatchOperation#signal": lambda: start(
            signal_operation=b.BatchOperationSignal(signal="s", identity="me")),
        "StartBatchOperation#cancel": lambda: start(
            cancellation_operation=b.BatchOperationCancellation(identity="me")),
        "StartBatchOperation#delete": lambda: start(deletion_operation=b.BatchOperationDeletion(identity="me")),
        "StartBatchOperation#reset": lambda: start(reset_operation=b.BatchOperationReset(
            identity="me", options=common.v1.ResetOptions(first_workflow_task={}))),
        "StartBatchOperation#options": lambda: start(
            update_workflow_options_operation=b.BatchOperationUpdateWorkflowExecutionOptions(
                identity="me", workflow_execution_options=options, update_mask=mask)),
        "StopBatchOperation": lambda: wf.StopBatchOperationRequest(
            **ns, job_id=server.name("z"), reason="why", identity="me"),
        "DescribeBatchOperation": lambda: wf.DescribeBatchOperationRequest(**ns, job_id=server.name("z")),
        "ListBatchOperations": lambda: wf.ListBatchOperationsRequest(**ns, page_size=10),
        "UpdateWorkflowExecutionOptions": lambda: wf.UpdateWorkflowExecutionOptionsRequest(
            **ns, workflow_execution=server.start()[0], workflow_execution_options=options, update_mask=mask),
    }  # fmt: skip


def of_deployments(server: Any, namespace: str) -> Requests:
    ns = {"namespace": namespace}

    def current() -> wf.SetWorkerDeploymentCurrentVersionRequest:
        return wf.SetWorkerDeploymentCurrentVersionRequest(
            **ns, deployment_name=server.name("d"), build_id="1", identity="me", ignore_missing_task_queues=True,
            allow_no_pollers=True,
        )  # fmt: skip

    def made() -> dict[str, str]:
        request = current()
        server.workflow.SetWorkerDeploymentCurrentVersion(request)
        return {**ns, "deployment_name": request.deployment_name}

    def version() -> dict[str, Any]:
        name = made()["deployment_name"]
        return {**ns, "deployment_version": deployment.v1.WorkerDeploymentVersion(deployment_name=name, build_id="1")}

    return {
        "SetWorkerDeploymentCurrentVersion": current,
        "SetWorkerDeploymentRampingVersion": lambda: wf.SetWorkerDeploymentRampingVersionRequest(
            **made(), build_id="2", percentage=10, identity="me", ignore_missing_task_queues=True,
            allow_no_pollers=True),
        "SetWorkerDeploymentManager": lambda: wf.SetWorkerDeploymentManagerRequest(
            **made(), manager_identity="m", identity="me"),
        "DescribeWorkerDeployment": lambda: wf.DescribeWorkerDeploymentRequest(**made()),
        "DescribeWorkerDeploymentVersion": lambda: wf.DescribeWorkerDeploymentVersionRequest(**version()),
        "DeleteWorkerDeployment": lambda: wf.DeleteWorkerDeploymentRequest(**made(), identity="me"),
        "DeleteWorkerDeploymentVersion": lambda: wf.DeleteWorkerDeploymentVersionRequest(
            **version(), skip_drainage=True, identity="me"),
        "ListWorkerDeployments": lambda: wf.ListWorkerDeploymentsRequest(**ns, page_size=10),
    }  # fmt: skip
