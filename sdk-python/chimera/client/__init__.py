"""The client of a Temporal service: starts workflows, talks to them, lists them, keeps schedules."""

from typing import TYPE_CHECKING

from chimera._lazy import late_names as _late_names
from chimera.client._async_activity import AsyncActivityHandle, AsyncActivityIDReference
from chimera.client._client import Client
from chimera.client._config import ClientConfig, ClientConnectConfig
from chimera.client._enums import (
    ActivityExecutionStatus,
    PendingActivityState,
    ScheduleOverlapPolicy,
    TaskReachabilityType,
    WorkflowExecutionStatus,
    WorkflowHistoryEventFilterType,
    WorkflowUpdateStage,
)
from chimera.client._errors import (
    ActivityFailureError,
    AsyncActivityCancelledError,
    RPCTimeoutOrCancelledError,
    ScheduleAlreadyRunningError,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from chimera.client._handle import WithStartWorkflowOperation, WorkflowHandle, WorkflowUpdateHandle
from chimera.client._history import (
    WorkflowHistory,
    WorkflowHistoryEventAsyncIterator,
    _history_from_json,
)
from chimera.client._interceptor import Interceptor, OutboundInterceptor
from chimera.client._plugin import Plugin
from chimera.client._workflow import (
    WorkflowExecution,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionCountAggregationGroup,
    WorkflowExecutionDescription,
)
from chimera.common import HeaderCodecBehavior
from chimera.converter import (
    ActivitySerializationContext,
    DataConverter,
    SerializationContext,
    StorageDriverActivityInfo,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from chimera.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    RPCError,
    RPCStatusCode,
    ServiceClient,
    TLSConfig,
)
from chimera.types import (
    AnyType,
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableSyncNoParam,
    CallableSyncSingleParam,
    LocalReturnType,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MultiParamSpec,
    ParamType,
    ReturnType,
    SelfType,
)

if TYPE_CHECKING:
    from chimera.client._cloud import CloudOperationsClient
    from chimera.client._inputs import (
        BackfillScheduleInput,
        CancelActivityInput,
        CancelNexusOperationInput,
        CancelWorkflowInput,
        CompleteAsyncActivityInput,
        CountActivitiesInput,
        CountNexusOperationsInput,
        CountWorkflowsInput,
        CreateScheduleInput,
        DeleteScheduleInput,
        DescribeActivityInput,
        DescribeNexusOperationInput,
        DescribeScheduleInput,
        DescribeWorkflowInput,
        FailAsyncActivityInput,
        FetchWorkflowHistoryEventsInput,
        GetNexusOperationResultInput,
        GetWorkerBuildIdCompatibilityInput,
        GetWorkerTaskReachabilityInput,
        HeartbeatAsyncActivityInput,
        ListActivitiesInput,
        ListNexusOperationsInput,
        ListSchedulesInput,
        ListWorkflowsInput,
        PauseActivityInput,
        PauseScheduleInput,
        QueryWorkflowInput,
        ReportCancellationAsyncActivityInput,
        SignalWorkflowInput,
        StartActivityInput,
        StartNexusOperationInput,
        StartWorkflowInput,
        StartWorkflowUpdateInput,
        StartWorkflowUpdateWithStartInput,
        TerminateActivityInput,
        TerminateNexusOperationInput,
        TerminateWorkflowInput,
        TriggerScheduleInput,
        UnpauseActivityInput,
        UnpauseScheduleInput,
        UpdateActivityOptionsInput,
        UpdateScheduleInput,
        UpdateWithStartStartWorkflowInput,
        UpdateWithStartUpdateWorkflowInput,
        UpdateWorkerBuildIdCompatibilityInput,
    )
    from chimera.client._schedule import (
        Schedule,
        ScheduleAction,
        ScheduleActionStartWorkflow,
        ScheduleBackfill,
        ScheduleCalendarSpec,
        ScheduleIntervalSpec,
        SchedulePolicy,
        ScheduleRange,
        ScheduleSpec,
        ScheduleState,
    )
    from chimera.client._schedule_handle import (
        ScheduleActionExecution,
        ScheduleActionExecutionStartWorkflow,
        ScheduleActionResult,
        ScheduleAsyncIterator,
        ScheduleDescription,
        ScheduleHandle,
        ScheduleInfo,
        ScheduleListAction,
        ScheduleListActionStartWorkflow,
        ScheduleListDescription,
        ScheduleListInfo,
        ScheduleListSchedule,
        ScheduleListState,
        ScheduleUpdate,
        ScheduleUpdateInput,
    )
    from chimera.client._versioning import (
        BuildIdOp,
        BuildIdOpAddNewCompatible,
        BuildIdOpAddNewDefault,
        BuildIdOpMergeSets,
        BuildIdOpPromoteBuildIdWithinSet,
        BuildIdOpPromoteSetByBuildId,
        BuildIdReachability,
        BuildIdVersionSet,
        WorkerBuildIdVersionSets,
        WorkerTaskReachability,
    )
else:
    __getattr__, __dir__ = _late_names(
        globals(),
        [f"chimera.client.{name}" for name in ("_schedule", "_schedule_handle", "_cloud", "_versioning", "_inputs")],
    )
