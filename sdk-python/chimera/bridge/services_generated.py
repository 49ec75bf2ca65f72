"""The RPCs of each service by name, and the classes whose methods call them. The module has temporalio's name.

Only names are listed here; request and reply types come from the service's own descriptor at the first call, so that
importing a client does not load the whole protocol.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Protocol

if TYPE_CHECKING:
    import google.protobuf.message

_WORKFLOW_RPCS = """
    count_activity_executions count_nexus_operation_executions count_schedules count_workers
    count_workflow_executions create_schedule create_worker_deployment create_worker_deployment_version
    create_workflow_rule delete_activity_execution delete_nexus_operation_execution delete_schedule
    delete_worker_deployment delete_worker_deployment_version delete_workflow_execution delete_workflow_rule
    deprecate_namespace describe_activity_execution describe_batch_operation describe_deployment describe_namespace
    describe_nexus_operation_execution describe_schedule describe_task_queue describe_worker
    describe_worker_deployment describe_worker_deployment_version describe_workflow_execution describe_workflow_rule
    execute_multi_operation fetch_worker_config get_cluster_info get_current_deployment get_deployment_reachability
    get_search_attributes get_system_info get_worker_build_id_compatibility get_worker_task_reachability
    get_worker_versioning_rules get_workflow_execution_history get_workflow_execution_history_reverse
    list_activity_executions list_archived_workflow_executions list_batch_operations list_closed_workflow_executions
    list_deployments list_namespaces list_nexus_operation_executions list_open_workflow_executions
    list_schedule_matching_times list_schedules list_task_queue_partitions list_worker_deployments list_workers
    list_workflow_executions list_workflow_rules patch_schedule pause_activity pause_activity_execution
    pause_workflow_execution poll_activity_execution poll_activity_task_queue poll_nexus_operation_execution
    poll_nexus_task_queue poll_workflow_execution_time_skipping poll_workflow_execution_update
    poll_workflow_task_queue query_workflow record_activity_task_heartbeat record_activity_task_heartbeat_by_id
    record_worker_heartbeat register_namespace request_cancel_activity_execution
    request_cancel_nexus_operation_execution request_cancel_workflow_execution reset_activity
    reset_activity_execution reset_sticky_task_queue reset_workflow_execution respond_activity_task_canceled
    respond_activity_task_canceled_by_id respond_activity_task_completed respond_activity_task_completed_by_id
    respond_activity_task_failed respond_activity_task_failed_by_id respond_nexus_task_completed
    respond_nexus_task_failed respond_query_task_completed respond_workflow_task_completed
    respond_workflow_task_failed scan_workflow_executions set_current_deployment
    set_worker_deployment_current_version set_worker_deployment_manager set_worker_deployment_ramping_version
    shutdown_worker signal_with_start_workflow_execution signal_workflow_execution start_activity_execution
    start_batch_operation start_nexus_operation_execution start_workflow_execution stop_batch_operation
    terminate_activity_execution terminate_nexus_operation_execution terminate_workflow_execution
    trigger_workflow_rule unpause_activity unpause_activity_execution unpause_workflow_execution
    update_activity_execution_options update_activity_options update_namespace update_schedule
    update_task_queue_config update_worker_build_id_compatibility update_worker_config
    update_worker_deployment_version_compute_config update_worker_deployment_version_metadata
    update_worker_versioning_rules update_workflow_execution update_workflow_execution_options
    validate_worker_deployment_version_compute_config
""".split()
_OPERATOR_RPCS = """
    add_or_update_remote_cluster add_search_attributes create_nexus_endpoint delete_namespace delete_nexus_endpoint
    get_nexus_endpoint list_clusters list_nexus_endpoints list_search_attributes remove_remote_cluster
    remove_search_attributes update_nexus_endpoint
""".split()
_CLOUD_RPCS = """
    add_namespace_region add_user_group_member create_account_audit_log_sink create_api_key create_billing_report
    create_connectivity_rule create_custom_role create_namespace create_namespace_export_sink create_nexus_endpoint
    create_service_account create_user create_user_group delete_account_audit_log_sink delete_api_key
    delete_connectivity_rule delete_custom_role delete_namespace delete_namespace_export_sink
    delete_namespace_region delete_nexus_endpoint delete_service_account delete_user delete_user_group
    failover_namespace_region get_account get_account_audit_log_sink get_account_audit_log_sinks get_api_key
    get_api_keys get_async_operation get_audit_logs get_billing_report get_connectivity_rule get_connectivity_rules
    get_current_identity get_custom_role get_custom_roles get_namespace get_namespace_capacity_info
    get_namespace_export_sink get_namespace_export_sinks get_namespaces get_nexus_endpoint get_nexus_endpoints
    get_region get_regions get_service_account get_service_account_namespace_assignments get_service_accounts
    get_usage get_user get_user_group get_user_group_members get_user_group_namespace_assignments get_user_groups
    get_user_namespace_assignments get_users remove_user_group_member rename_custom_search_attribute
    set_service_account_namespace_access set_user_group_namespace_access set_user_namespace_access update_account
    update_account_audit_log_sink update_api_key update_custom_role update_namespace update_namespace_export_sink
    update_namespace_tags update_nexus_endpoint update_service_account update_user update_user_group
    validate_account_audit_log_sink validate_namespace_export_sink
""".split()
_TEST_RPCS = """
    get_current_time lock_time_skipping sleep sleep_until unlock_time_skipping unlock_time_skipping_with_sleep
""".split()


def _method(snake_name: str) -> Callable[..., Awaitable[Any]]:
    rpc = "".join(word.capitalize() for word in snake_name.split("_"))

    async def call(
        self: RpcService,
        req: google.protobuf.message.Message,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> Any:
        return await self._client._rpc_call(
            rpc, req, self._response_type(rpc), service=self._service, retry=retry, metadata=metadata, timeout=timeout
        )

    call.__name__ = snake_name
    call.__doc__ = f"Calls {rpc}."
    return call


class Caller(Protocol):
    """What calls an RPC by its name: a `chimera.service.ServiceClient`."""

    async def _rpc_call(
        self,
        rpc: str,
        req: google.protobuf.message.Message,
        resp_type: type[Any],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> Any: ...


class RpcService:
    """What the services share: a method for each RPC, bound to one client."""

    _service: ClassVar[str] = ""
    _module: ClassVar[str] = ""

    def __init__(self, client: Caller) -> None:
        """Calls go through this client."""
        self._client = client

    def __init_subclass__(cls, *, rpcs: list[str] = [], **kwargs: Any) -> None:  # noqa: B006
        super().__init_subclass__(**kwargs)
        for name in rpcs:
            method = _method(name)
            method.__qualname__ = f"{cls.__name__}.{name}"
            setattr(cls, name, method)

    if TYPE_CHECKING:

        def __getattr__(self, rpc: str) -> Callable[..., Awaitable[Any]]:
            """Any RPC of the service; the names are not known to type checkers."""

    @classmethod
    @functools.cache
    def _response_type(cls, rpc: str) -> type[google.protobuf.message.Message]:
        from google.protobuf import message_factory

        try:
            descriptor = importlib.import_module(cls._module).DESCRIPTOR
        except ModuleNotFoundError:
            raise RuntimeError(f"Cannot call {rpc}: this build has no definitions of {cls._service}") from None
        service = descriptor.services_by_name[cls._service.rpartition(".")[2]]
        return message_factory.GetMessageClass(service.methods_by_name[rpc].output_type)


class WorkflowService(RpcService, rpcs=_WORKFLOW_RPCS):
    """The service of workflows, activities, schedules and task queues."""

    _service = "temporal.api.workflowservice.v1.WorkflowService"
    _module = "chimera.api.workflowservice.v1.service_pb2"


class OperatorService(RpcService, rpcs=_OPERATOR_RPCS):
    """The service of a cluster's operator."""

    _service = "temporal.api.operatorservice.v1.OperatorService"
    _module = "chimera.api.operatorservice.v1.service_pb2"


class CloudService(RpcService, rpcs=_CLOUD_RPCS):
    """The service of Temporal Cloud."""

    _service = "temporal.api.cloud.cloudservice.v1.CloudService"
    _module = "chimera.api.cloud.cloudservice.v1.service_pb2"


class TestService(RpcService, rpcs=_TEST_RPCS):
    """The clock of a test server."""

    __test__ = False  # Not a pytest class.
    _service = "temporal.api.testservice.v1.TestService"
    _module = "chimera.api.testservice.v1.service_pb2"


class HealthService(RpcService, rpcs=["check"]):
    """Whether a server's services answer."""

    _service = "grpc.health.v1.Health"
    _module = "chimera._health"
