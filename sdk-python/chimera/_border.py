"""What crosses between the core and Python: activations, commands, and the tasks of activities and of Nexus.

Written by scripts/border from bindings/python/shapes.h; a test compares the two.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

Nanoseconds: TypeAlias = int

# Messages cross serialized. Between workflow code and a codec they are the messages themselves.
ContinueAsNewWorkflowExecutionCommandAttributes: TypeAlias = Any
Failure: TypeAlias = Any
Memo: TypeAlias = Any
Payload: TypeAlias = Any
Priority: TypeAlias = Any
Request: TypeAlias = Any
RequestCancelExternalWorkflowExecutionCommandAttributes: TypeAlias = Any
RetryPolicy: TypeAlias = Any
ScheduleNexusOperationCommandAttributes: TypeAlias = Any
SearchAttributes: TypeAlias = Any
SignalExternalWorkflowExecutionCommandAttributes: TypeAlias = Any
StartChildWorkflowExecutionCommandAttributes: TypeAlias = Any
UserMetadata: TypeAlias = Any
WorkflowExecutionStartedEventAttributes: TypeAlias = Any


class Completed(NamedTuple):
    """It has a result, or ended without one."""

    result: Payload | None


class Failed(NamedTuple):
    """It has failed."""

    failure: Failure


class Cancelled(NamedTuple):
    """It was cancelled."""

    failure: Failure


class Backoff(NamedTuple):
    """A local activity is to be tried again after a timer."""

    attempt: int
    duration: Nanoseconds
    original_schedule_time: Nanoseconds


class TimedOut(NamedTuple):
    """It has timed out."""

    failure: Failure


class ChildStarted(NamedTuple):
    """The child has begun."""

    run_id: str


class ChildStartFailed(NamedTuple):
    """The cause is a StartChildWorkflowExecutionFailedCause."""

    workflow_id: str
    workflow_type: str
    cause: int


class OperationToken(NamedTuple):
    """The operation has begun."""

    token: str


class StartedSync(NamedTuple):
    """The operation was over at once."""


class DeploymentVersion(NamedTuple):
    """Of the worker that completes the task."""

    deployment_name: str
    build_id: str


class InitializeWorkflow(NamedTuple):
    """The first job of a run. The start time is that of the execution."""

    started: WorkflowExecutionStartedEventAttributes
    workflow_id: str
    randomness_seed: int
    start_time: Nanoseconds


class FireTimer(NamedTuple):
    """A timer is due."""

    seq: int


class UpdateRandomSeed(NamedTuple):
    """The run was reset."""

    randomness_seed: int


class QueryWorkflow(NamedTuple):
    """Queries come alone."""

    query_id: str
    query_type: str
    arguments: list[Payload]
    headers: dict[str, Payload]


class CancelWorkflow(NamedTuple):
    """Somebody asks for the run's cancellation."""

    reason: str


class SignalWorkflow(NamedTuple):
    """A signal came."""

    signal_name: str
    input: list[Payload]
    headers: dict[str, Payload]
    identity: str


class ResolveActivity(NamedTuple):
    """An activity has ended."""

    seq: int
    result: Completed | Failed | Cancelled | Backoff
    is_local: bool


class NotifyHasPatch(NamedTuple):
    """The history has this patch's marker."""

    patch_id: str


class ResolveChildWorkflowExecutionStart(NamedTuple):
    """A child has begun, or will not."""

    seq: int
    status: ChildStarted | ChildStartFailed | Cancelled


class ResolveChildWorkflowExecution(NamedTuple):
    """A child has ended."""

    seq: int
    result: Completed | Failed | Cancelled


class ResolveSignalExternalWorkflow(NamedTuple):
    """A signal has arrived, or will not."""

    seq: int
    failure: Failure | None


class ResolveRequestCancelExternalWorkflow(NamedTuple):
    """Another workflow was asked for its cancellation, or will not be."""

    seq: int
    failure: Failure | None


class DoUpdate(NamedTuple):
    """An update came; a validator runs unless it was accepted before."""

    id: str
    protocol_instance_id: str
    name: str
    input: list[Payload]
    headers: dict[str, Payload]
    identity: str
    run_validator: bool


class ResolveNexusOperationStart(NamedTuple):
    """An operation has begun, or will not."""

    seq: int
    status: OperationToken | StartedSync | Failed


class ResolveNexusOperation(NamedTuple):
    """An operation has ended."""

    seq: int
    result: Completed | Failed | Cancelled | TimedOut


class NotifyRecorded(NamedTuple):
    """Of languages that record side effects and versions: none comes to Python."""

    kind: int
    id: str
    number: int
    value: Payload


class RemoveFromCache(NamedTuple):
    """The run's code is to end. Comes alone; answered without commands."""

    reason: int
    message: str


Job: TypeAlias = (
    InitializeWorkflow
    | FireTimer
    | UpdateRandomSeed
    | QueryWorkflow
    | CancelWorkflow
    | SignalWorkflow
    | ResolveActivity
    | NotifyHasPatch
    | ResolveChildWorkflowExecutionStart
    | ResolveChildWorkflowExecution
    | ResolveSignalExternalWorkflow
    | ResolveRequestCancelExternalWorkflow
    | DoUpdate
    | ResolveNexusOperationStart
    | ResolveNexusOperation
    | NotifyRecorded
    | RemoveFromCache
)


class Activation(NamedTuple):
    """What has happened to a run, in order."""

    time: Nanoseconds
    is_replaying: bool
    history_length: int
    history_size_bytes: int
    continue_as_new_suggested: bool
    suggest_continue_as_new_reasons: list[int]
    target_worker_deployment_version_changed: bool
    deployment_version: DeploymentVersion | None
    available_internal_flags: list[int]
    jobs: list[Job]


class UpdateAccepted(NamedTuple):
    pass


class UpdateRejected(NamedTuple):
    """Before its acceptance: rejected. After it: completed with this failure."""

    failure: Failure


class UpdateCompleted(NamedTuple):
    result: Payload


class ScheduleActivity(NamedTuple):
    """Times of 0 are unset."""

    seq: int
    activity_id: str
    activity_type: str
    task_queue: str
    header: dict[str, Payload]
    arguments: list[Payload]
    schedule_to_close_timeout: Nanoseconds
    schedule_to_start_timeout: Nanoseconds
    start_to_close_timeout: Nanoseconds
    heartbeat_timeout: Nanoseconds
    retry_policy: RetryPolicy | None
    priority: Priority | None
    use_workflow_build_id: bool
    cancellation_type: int
    do_not_eagerly_execute: bool
    user_metadata: UserMetadata | None


class ScheduleLocalActivity(NamedTuple):
    """Times of 0 are unset. The time of scheduling is that of the first attempt."""

    seq: int
    activity_id: str
    activity_type: str
    attempt: int
    original_schedule_time: Nanoseconds | None
    header: dict[str, Payload]
    arguments: list[Payload]
    schedule_to_close_timeout: Nanoseconds
    schedule_to_start_timeout: Nanoseconds
    start_to_close_timeout: Nanoseconds
    retry_policy: RetryPolicy
    local_retry_threshold: Nanoseconds
    cancellation_type: int
    user_metadata: UserMetadata | None


class RequestCancelActivity(NamedTuple):
    seq: int


class RequestCancelLocalActivity(NamedTuple):
    seq: int


class StartTimer(NamedTuple):
    seq: int
    start_to_fire_timeout: Nanoseconds
    user_metadata: UserMetadata | None


class CancelTimer(NamedTuple):
    seq: int


class StartChildWorkflowExecution(NamedTuple):
    seq: int
    attributes: StartChildWorkflowExecutionCommandAttributes
    cancellation_type: int
    user_metadata: UserMetadata | None


class CancelChildWorkflowExecution(NamedTuple):
    """The number is the child's."""

    seq: int
    reason: str


class SignalExternalWorkflowExecution(NamedTuple):
    seq: int
    attributes: SignalExternalWorkflowExecutionCommandAttributes


class CancelSignalWorkflow(NamedTuple):
    seq: int


class RequestCancelExternalWorkflowExecution(NamedTuple):
    seq: int
    attributes: RequestCancelExternalWorkflowExecutionCommandAttributes


class SetPatchMarker(NamedTuple):
    patch_id: str
    deprecated: bool


class UpsertWorkflowSearchAttributes(NamedTuple):
    search_attributes: SearchAttributes


class ModifyWorkflowProperties(NamedTuple):
    upserted_memo: Memo


class CompleteWorkflowExecution(NamedTuple):
    result: Payload | None


class FailWorkflowExecution(NamedTuple):
    failure: Failure


class CancelWorkflowExecution(NamedTuple):
    pass


class ContinueAsNewWorkflowExecution(NamedTuple):
    """What is unset is the run's own."""

    attributes: ContinueAsNewWorkflowExecutionCommandAttributes


class ScheduleNexusOperation(NamedTuple):
    seq: int
    attributes: ScheduleNexusOperationCommandAttributes
    cancellation_type: int
    user_metadata: UserMetadata | None


class RequestCancelNexusOperation(NamedTuple):
    seq: int


class RespondToQuery(NamedTuple):
    """With a result or with a failure."""

    query_id: str
    result: Payload | None
    failure: Failure | None


class UpdateResponse(NamedTuple):
    protocol_instance_id: str
    response: UpdateAccepted | UpdateRejected | UpdateCompleted


class RecordOnce(NamedTuple):
    """Of languages that record side effects and versions: none comes from Python."""

    kind: int
    id: str
    number: int
    value: Payload


Command: TypeAlias = (
    ScheduleActivity
    | ScheduleLocalActivity
    | RequestCancelActivity
    | RequestCancelLocalActivity
    | StartTimer
    | CancelTimer
    | StartChildWorkflowExecution
    | CancelChildWorkflowExecution
    | SignalExternalWorkflowExecution
    | CancelSignalWorkflow
    | RequestCancelExternalWorkflowExecution
    | SetPatchMarker
    | UpsertWorkflowSearchAttributes
    | ModifyWorkflowProperties
    | CompleteWorkflowExecution
    | FailWorkflowExecution
    | CancelWorkflowExecution
    | ContinueAsNewWorkflowExecution
    | ScheduleNexusOperation
    | RequestCancelNexusOperation
    | RespondToQuery
    | UpdateResponse
    | RecordOnce
)


class ActivityTask(NamedTuple):
    """An attempt of an activity that is to be run. Times and durations of 0 are unset."""

    token: bytes
    activity_type: str
    activity_id: str
    activity_run_id: str
    workflow_namespace: str
    workflow_id: str
    workflow_run_id: str
    workflow_type: str
    attempt: int
    input: list[Payload]
    headers: dict[str, Payload]
    heartbeat_details: list[Payload]
    scheduled_time: Nanoseconds
    current_attempt_scheduled_time: Nanoseconds
    started_time: Nanoseconds
    schedule_to_close_timeout: Nanoseconds
    start_to_close_timeout: Nanoseconds
    heartbeat_timeout: Nanoseconds
    retry_policy: RetryPolicy | None
    priority: Priority | None
    is_local: bool


class NexusTask(NamedTuple):
    """A request to start or to cancel an operation. The deadline is the caller's."""

    token: bytes
    request: Request
    deadline: Nanoseconds | None
