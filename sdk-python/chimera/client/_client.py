"""The client: everything that a program asks of a namespace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import Self

import chimera.converter
import chimera.service
from chimera import common
from chimera._lazy import LazyModule
from chimera.client import _names
from chimera.client._activity_client import ActivityMethods
from chimera.client._async_activity import AsyncActivityHandle, AsyncActivityIDReference
from chimera.client._config import ClientConfig
from chimera.client._enums import WorkflowUpdateStage
from chimera.client._handle import (
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateHandle,
    check_stage,
)
from chimera.client._impl import ClientImpl
from chimera.client._interceptor import Interceptor, OutboundInterceptor
from chimera.client._nexus_client import NexusMethods
from chimera.client._plugin import Plugin
from chimera.client._schedule_client import ScheduleMethods
from chimera.client._versioning_client import VersioningMethods
from chimera.client._workflow import WorkflowExecutionAsyncIterator, WorkflowExecutionCount
from chimera.service import ConnectConfig, GrpcCompression, KeepAliveConfig, PayloadLimitsConfig, ServiceClient

if TYPE_CHECKING:
    from typing import Concatenate

    from typing_extensions import Unpack

    import chimera.runtime
    import chimera.workflow
    from chimera.client import _inputs as inputs
    from chimera.client._options import StartOptions, StartUpdateOptions, UpdateOptions
    from chimera.types import (
        LocalReturnType,
        MethodAsyncNoParam,
        MethodAsyncSingleParam,
        MultiParamSpec,
        ParamType,
        ReturnType,
        SelfType,
    )
else:
    inputs = LazyModule("chimera.client._inputs")


class Client(ActivityMethods, NexusMethods, ScheduleMethods, VersioningMethods):
    """One namespace on one connection. Safe to share; bound to no event loop once it is connected."""

    @classmethod
    async def connect(
        cls,
        target_host: str,
        *,
        namespace: str = "default",
        api_key: str | None = None,
        data_converter: chimera.converter.DataConverter = chimera.converter.DataConverter.default,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        default_workflow_query_reject_condition: common.QueryRejectCondition | None = None,
        tls: bool | chimera.service.TLSConfig | None = None,
        retry_config: chimera.service.RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        connect_timeout: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        lazy: bool = False,
        runtime: chimera.runtime.Runtime | None = None,
        http_connect_proxy_config: chimera.service.HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: chimera.service.DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
        payload_limits: PayloadLimitsConfig = PayloadLimitsConfig(),
        header_codec_behavior: common.HeaderCodecBehavior = common.HeaderCodecBehavior.NO_CODEC,
    ) -> Self:
        """Connects to HOST:PORT. An API key turns TLS on unless `tls` says otherwise."""
        config = ConnectConfig(
            target_host=target_host,
            api_key=api_key,
            tls=tls,
            retry_config=retry_config,
            keep_alive_config=keep_alive_config,
            rpc_metadata=rpc_metadata,
            identity=identity or "",
            lazy=lazy,
            runtime=runtime,
            http_connect_proxy_config=http_connect_proxy_config,
            dns_load_balancing_config=dns_load_balancing_config,
            grpc_compression=grpc_compression,
            payload_limits=payload_limits,
            connect_timeout=connect_timeout,
        )
        connect: Callable[[ConnectConfig], Awaitable[ServiceClient]] = ServiceClient.connect
        for plugin in reversed(plugins):
            connect = partial(plugin.connect_service_client, next=connect)
        return cls(
            await connect(config),
            namespace=namespace,
            data_converter=data_converter,
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )

    def __init__(
        self,
        service_client: ServiceClient,
        *,
        namespace: str = "default",
        data_converter: chimera.converter.DataConverter = chimera.converter.DataConverter.default,
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        default_workflow_query_reject_condition: common.QueryRejectCondition | None = None,
        header_codec_behavior: common.HeaderCodecBehavior = common.HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        """Uses a connection that exists, for another namespace or with other options."""
        config = ClientConfig(
            service_client=service_client,
            namespace=namespace,
            data_converter=data_converter,
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )
        self._initial_config = config.copy()
        for plugin in plugins:
            config = plugin.configure_client(config)
        self._use(config)

    def _use(self, config: ClientConfig) -> None:
        self._config = config
        self._data_converter = config["data_converter"]
        self._default_reject_condition = config["default_workflow_query_reject_condition"]
        self._header_codec_behavior = config["header_codec_behavior"]
        impl: OutboundInterceptor = ClientImpl(self)
        for interceptor in reversed(list(config["interceptors"])):
            impl = interceptor.intercept_client(impl)
        self._impl = impl

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """The arguments that this client was made with, or what plugins made of them."""
        config = self._config if active_config else self._initial_config
        return config.copy()

    @property
    def service_client(self) -> ServiceClient:
        """The connection."""
        return self._config["service_client"]

    @property
    def workflow_service(self) -> chimera.service.WorkflowService:
        """The service as it is."""
        return self.service_client.workflow_service

    @property
    def operator_service(self) -> chimera.service.OperatorService:
        """The operator's service as it is."""
        return self.service_client.operator_service

    @property
    def test_service(self) -> chimera.service.TestService:
        """A test server's service as it is."""
        return self.service_client.test_service

    @property
    def namespace(self) -> str:
        """What every call is about."""
        return self._config["namespace"]

    @property
    def identity(self) -> str:
        """Who the server is told it is."""
        return self.service_client.config.identity

    @property
    def data_converter(self) -> chimera.converter.DataConverter:
        """How values travel."""
        return self._data_converter

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of every call. Setting them replaces all; do not change the mapping in place."""
        return self.service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self.service_client.update_rpc_metadata(value)
        self.service_client.config.rpc_metadata = value

    @property
    def api_key(self) -> str | None:
        """The key of every call."""
        return self.service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self.service_client.update_api_key(value)
        self.service_client.config.api_key = value

    @overload
    async def start_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartOptions]
    ) -> WorkflowHandle[SelfType, ReturnType]: ...

    @overload
    async def start_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...

    @overload
    async def start_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[SelfType, ReturnType]: ...

    @overload
    async def start_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[StartOptions],
    ) -> WorkflowHandle[Any, Any]: ...

    async def start_workflow(
        self,
        workflow: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: common.WorkflowIDReusePolicy = common.WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.WorkflowIDConflictPolicy = common.WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: common.RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: common.Priority = common.Priority.default,
        versioning_override: common.VersioningOverride | None = None,
        stack_level: int = 2,
    ) -> WorkflowHandle[Any, Any]:
        """Starts a workflow, given by its run method or its name; with start_signal signals it in the same step.

        Raises exceptions.WorkflowAlreadyStartedError if the id is in use and the policies do not allow that.
        """
        common._warn_on_deprecated_search_attributes(search_attributes, stack_level=stack_level)
        name, declared_type = _names.of_workflow(workflow)
        return await self._impl.start_workflow(
            inputs.StartWorkflowInput(
                workflow=name,
                args=common._arg_or_args(arg, args),
                id=id,
                task_queue=task_queue,
                execution_timeout=execution_timeout,
                run_timeout=run_timeout,
                task_timeout=task_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                retry_policy=retry_policy,
                cron_schedule=cron_schedule,
                memo=memo,
                search_attributes=search_attributes,
                start_delay=start_delay,
                headers={},
                start_signal=start_signal,
                start_signal_args=start_signal_args,
                static_summary=static_summary,
                static_details=static_details,
                ret_type=result_type or declared_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                request_eager_start=request_eager_start,
                priority=priority,
                versioning_override=versioning_override,
            )
        )

    @overload
    async def execute_workflow(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartOptions]
    ) -> ReturnType: ...

    @overload
    async def execute_workflow(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_workflow(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartOptions],
    ) -> ReturnType: ...

    @overload
    async def execute_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[StartOptions],
    ) -> Any: ...

    async def execute_workflow(
        self,
        workflow: Any,
        arg: Any = common._arg_unset,
        *,
        args: Sequence[Any] = [],
        id: str,
        task_queue: str,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: common.WorkflowIDReusePolicy = common.WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: common.WorkflowIDConflictPolicy = common.WorkflowIDConflictPolicy.UNSPECIFIED,
        retry_policy: common.RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: common.TypedSearchAttributes | common.SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        start_signal: str | None = None,
        start_signal_args: Sequence[Any] = [],
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
        request_eager_start: bool = False,
        priority: common.Priority = common.Priority.default,
        versioning_override: common.VersioningOverride | None = None,
    ) -> Any:
        """start_workflow, then the handle's result."""
        start: Any = self.start_workflow
        handle = await start(
            workflow,
            arg,
            args=args,
            id=id,
            task_queue=task_queue,
            result_type=result_type,
            execution_timeout=execution_timeout,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            cron_schedule=cron_schedule,
            memo=memo,
            search_attributes=search_attributes,
            static_summary=static_summary,
            static_details=static_details,
            start_delay=start_delay,
            start_signal=start_signal,
            start_signal_args=start_signal_args,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
            request_eager_start=request_eager_start,
            priority=priority,
            versioning_override=versioning_override,
            stack_level=3,
        )
        return await handle.result()

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """The handle of a workflow that was started before. Asks no server."""
        return WorkflowHandle(
            self,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
        )

    def get_workflow_handle_for(
        self,
        workflow: MethodAsyncNoParam[SelfType, ReturnType] | MethodAsyncSingleParam[SelfType, Any, ReturnType],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """The same, with the result's type taken from the run method."""
        _, result_type = _names.of_workflow(workflow)
        return self.get_workflow_handle(
            workflow_id, run_id=run_id, first_execution_run_id=first_execution_run_id, result_type=result_type
        )

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        args: Sequence[Any],
        **options: Unpack[UpdateOptions],
    ) -> LocalReturnType: ...

    @overload
    async def execute_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[UpdateOptions],
    ) -> Any: ...

    async def execute_update_with_start_workflow(
        self,
        update: Any,
        arg: Any = common._arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Starts the workflow if it does not run, sends it an update and waits for the update's result."""
        handle = await self._update_with_start(
            update, arg, args, start_workflow_operation, WorkflowUpdateStage.COMPLETED, id, result_type,
            rpc_metadata, rpc_timeout,
        )  # fmt: skip
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)

    @overload
    async def start_update_with_start_workflow(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType], LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[[SelfType, ParamType], LocalReturnType],
        arg: ParamType,
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: chimera.workflow.UpdateMethodMultiParam[MultiParamSpec, LocalReturnType],
        *,
        start_workflow_operation: WithStartWorkflowOperation[SelfType, Any],
        args: Sequence[Any],
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[LocalReturnType]: ...

    @overload
    async def start_update_with_start_workflow(
        self,
        update: str,
        arg: Any = ...,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        args: Sequence[Any] = ...,
        result_type: type | None = ...,
        **options: Unpack[StartUpdateOptions],
    ) -> WorkflowUpdateHandle[Any]: ...

    async def start_update_with_start_workflow(
        self,
        update: Any,
        arg: Any = common._arg_unset,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any, Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = [],
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Starts the workflow if it does not run, sends it an update and waits until that is accepted, or further."""
        return await self._update_with_start(
            update, arg, args, start_workflow_operation, wait_for_stage, id, result_type, rpc_metadata, rpc_timeout
        )

    async def _update_with_start(
        self,
        update: Any,
        arg: Any,
        args: Sequence[Any],
        operation: WithStartWorkflowOperation[Any, Any],
        stage: WorkflowUpdateStage,
        id: str | None,
        result_type: type | None,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> WorkflowUpdateHandle[Any]:
        check_stage(stage)
        if operation._used:
            raise RuntimeError("WithStartWorkflowOperation cannot be reused")
        operation._used = True
        name, declared_type = _names.of_update(update)
        start = operation._start_workflow_input

        def on_start(reply: Any) -> None:
            operation._started(
                WorkflowHandle(
                    self,
                    start.id,
                    first_execution_run_id=getattr(reply, "first_execution_run_id", "") or reply.run_id,
                    result_run_id=reply.run_id,
                    result_type=start.ret_type,
                    start_workflow_response=reply,
                )
            )

        return await self._impl.start_update_with_start_workflow(
            inputs.StartWorkflowUpdateWithStartInput(
                start_workflow_input=start,
                update_workflow_input=inputs.UpdateWithStartUpdateWorkflowInput(
                    update_id=id,
                    update=name,
                    args=common._arg_or_args(arg, args),
                    wait_for_stage=stage,
                    headers={},
                    ret_type=result_type or declared_type,
                ),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                _on_start=on_start,
                _on_start_error=operation._not_started,
            )
        )

    def list_workflows(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionAsyncIterator:
        """The executions that the list filter finds; all without one."""
        return self._impl.list_workflows(
            inputs.ListWorkflowsInput(
                query=query,
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                limit=limit,
            )
        )

    async def count_workflows(
        self,
        query: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionCount:
        """How many executions the list filter finds."""
        return await self._impl.count_workflows(
            inputs.CountWorkflowsInput(query=query, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    def get_async_activity_handle(
        self,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        activity_id: str | None = None,
        task_token: bytes | None = None,
    ) -> AsyncActivityHandle:
        """The handle of an activity that is completed from here: by its token, or by its ids."""
        if task_token is not None:
            if workflow_id is not None or run_id is not None or activity_id is not None:
                raise ValueError("Task token cannot be present with other IDs")
            return AsyncActivityHandle(self, task_token)
        if workflow_id is not None and activity_id is None:
            raise ValueError("Workflow ID, run ID, and activity ID must all be given together")
        if activity_id is not None:
            return AsyncActivityHandle(self, AsyncActivityIDReference(workflow_id, run_id, activity_id))
        raise ValueError("Require task token, or workflow_id & run_id & activity_id, or activity_id & run_id")
