"""What workflow code uses: decorators, the run's context, activities, children, signals, timers.

Functions of this module work in workflow code only, except for the decorators.
"""

from chimera.types import (
    AnyType,
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    CallableAsyncType,
    CallableSyncNoParam,
    CallableSyncOrAsyncReturnNoneType,
    CallableSyncOrAsyncType,
    CallableSyncSingleParam,
    CallableType,
    ClassType,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    MethodSyncNoParam,
    MethodSyncOrAsyncNoParam,
    MethodSyncOrAsyncSingleParam,
    MethodSyncSingleParam,
    MultiParamSpec,
    ParamType,
    ProtocolReturnType,
    ReturnType,
    SelfType,
)
from chimera.workflow._activities import (
    ActivityCancellationType,
    ActivityConfig,
    ActivityHandle,
    LocalActivityConfig,
    execute_activity,
    execute_activity_class,
    execute_activity_method,
    start_activity,
    start_activity_class,
    start_activity_method,
)
from chimera.workflow._children import (
    ChildWorkflowCancellationType,
    ChildWorkflowConfig,
    ChildWorkflowHandle,
    ExternalWorkflowHandle,
    ParentClosePolicy,
    continue_as_new,
    execute_child_workflow,
    get_external_workflow_handle,
    get_external_workflow_handle_for,
    start_child_workflow,
)
from chimera.workflow._context import (
    cancellation_reason,
    deprecate_patch,
    extern_functions,
    get_current_details,
    get_last_completion_result,
    get_last_failure,
    has_last_completion_result,
    in_workflow,
    info,
    instance,
    is_failure_exception,
    memo,
    memo_value,
    metric_meter,
    new_random,
    now,
    patched,
    payload_converter,
    random,
    random_seed,
    register_random_seed_callback,
    set_current_details,
    sleep,
    time,
    time_ns,
    upsert_memo,
    upsert_search_attributes,
    uuid4,
    uuid7,
    wait_condition,
)
from chimera.workflow._definition import (
    DynamicWorkflowConfig,
    _Definition,
    defn,
    dynamic_config,
    init,
    run,
)
from chimera.workflow._errors import (
    ContinueAsNewError,
    ContinueAsNewVersioningBehavior,
    NondeterminismError,
    ReadOnlyContextError,
    VersioningIntent,
)
from chimera.workflow._event_groups import EventGroup, create_event_group
from chimera.workflow._handlers import (
    HandlerUnfinishedPolicy,
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
    UpdateMethodMultiParam,
    _QueryDefinition,
    _SignalDefinition,
    _UpdateDefinition,
    all_handlers_finished,
    get_dynamic_query_handler,
    get_dynamic_signal_handler,
    get_dynamic_update_handler,
    get_query_handler,
    get_signal_handler,
    get_update_handler,
    query,
    set_dynamic_query_handler,
    set_dynamic_signal_handler,
    set_dynamic_update_handler,
    set_query_handler,
    set_signal_handler,
    set_update_handler,
    signal,
    update,
)
from chimera.workflow._info import Info, ParentInfo, RootInfo, UpdateInfo, current_update_info
from chimera.workflow._local_activities import (
    execute_local_activity,
    execute_local_activity_class,
    execute_local_activity_method,
    start_local_activity,
    start_local_activity_class,
    start_local_activity_method,
)
from chimera.workflow._logging import (
    LoggerAdapter,
    SandboxImportNotificationPolicy,
    logger,
    unsafe,
)
from chimera.workflow._nexus import (
    NexusClient,
    NexusOperationCancellationType,
    NexusOperationHandle,
    create_nexus_client,
)
from chimera.workflow._waiting import as_completed, wait

__all__ = [
    name
    for name in globals()
    if not name.startswith("__") and (not name.startswith("_") or name.endswith("Definition"))
]
