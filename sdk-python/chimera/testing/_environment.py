"""WorkflowEnvironment: a client, and usually the server behind it."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

import chimera.client
import chimera.converter
import chimera.runtime
from chimera import _api, common
from chimera.testing._server import ServerConfig, TestServer
from chimera.testing._time_skipping import TimeSkipper, TimeSkippingConfig

if TYPE_CHECKING:
    import chimera.service
    from chimera.api.common.v1 import TimeSkippingInfo
    from chimera.api.nexus.v1 import Endpoint

logger = logging.getLogger(__name__)


class WorkflowEnvironment:
    """Where workflows are tested. An asynchronous context manager that ends with shutdown()."""

    __test__ = False

    @classmethod
    def from_client(cls, client: chimera.client.Client) -> WorkflowEnvironment:
        """Around a server that exists; time passes there as it does."""
        return cls(_with_assertions(client))

    @classmethod
    async def start_local(
        cls,
        *,
        namespace: str = "default",
        data_converter: chimera.converter.DataConverter = chimera.converter.DataConverter.default,
        interceptors: Sequence[chimera.client.Interceptor] = [],
        plugins: Sequence[chimera.client.Plugin] = [],
        default_workflow_query_reject_condition: common.QueryRejectCondition | None = None,
        retry_config: chimera.client.RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        tls: bool | chimera.client.TLSConfig = False,
        ip: str = "127.0.0.1",
        port: int | None = None,
        download_dest_dir: str | None = None,
        ui: bool = False,
        runtime: chimera.runtime.Runtime | None = None,
        search_attributes: Sequence[common.SearchAttributeKey[Any]] = (),
        dev_server_existing_path: str | None = None,
        dev_server_database_filename: str | None = None,
        dev_server_log_format: str = "pretty",
        dev_server_log_level: str | None = "warn",
        dev_server_download_version: str = "default",
        dev_server_extra_args: Sequence[str] = [],
        dev_server_download_ttl: timedelta | None = None,
        dev_server_startup_timeout: timedelta | None = None,
        ui_port: int | None = None,
    ) -> WorkflowEnvironment:
        """The embedded server in this process, in memory unless a database file is named. Nothing is downloaded.

        With dev_server_existing_path that program is started instead.
        """
        config = ServerConfig(
            namespace=namespace,
            ip=ip,
            port=port,
            ui=ui or ui_port is not None,
            ui_port=ui_port,
            search_attributes={key.name: key._metadata_type for key in search_attributes},
            existing_path=dev_server_existing_path,
            database_filename=dev_server_database_filename,
            log_format=dev_server_log_format,
            log_level=dev_server_log_level or _log_level(),
            startup_timeout=dev_server_startup_timeout,
            extra_args=dev_server_extra_args,
        )
        return await _ServedEnvironment._start(
            config,
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=plugins,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            retry_config=retry_config,
            rpc_metadata=rpc_metadata,
            identity=identity,
            tls=tls,
            runtime=runtime,
        )

    @classmethod
    async def start_time_skipping(
        cls,
        *,
        data_converter: chimera.converter.DataConverter = chimera.converter.DataConverter.default,
        interceptors: Sequence[chimera.client.Interceptor] = [],
        plugins: Sequence[chimera.client.Plugin] = [],
        default_workflow_query_reject_condition: common.QueryRejectCondition | None = None,
        retry_config: chimera.client.RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        port: int | None = None,
        download_dest_dir: str | None = None,
        runtime: chimera.runtime.Runtime | None = None,
        test_server_existing_path: str | None = None,
        test_server_download_version: str = "default",
        test_server_extra_args: Sequence[str] = [],
        test_server_download_ttl: timedelta | None = None,
        test_server_startup_timeout: timedelta | None = None,
    ) -> WorkflowEnvironment:
        """The embedded server in this process, whose time jumps to the next timer while a result is awaited.

        It stands still for nobody who works: activities take their time. With test_server_existing_path that program
        is started instead, with a port as its first argument.
        """
        config = ServerConfig(
            namespace="default",
            ip="127.0.0.1",
            port=port,
            ui=False,
            ui_port=None,
            search_attributes={},
            existing_path=test_server_existing_path,
            database_filename=None,
            log_format="pretty",
            log_level=_log_level(),
            startup_timeout=test_server_startup_timeout,
            extra_args=test_server_extra_args,
            skips_time=True,
        )
        return await _SkippingEnvironment._start(
            config,
            namespace="default",
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=plugins,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            retry_config=retry_config,
            rpc_metadata=rpc_metadata,
            identity=identity,
            runtime=runtime,
        )

    @classmethod
    async def start_time_skipping_v2(
        cls, *, ts_config: TimeSkippingConfig = TimeSkippingConfig(), **kwargs: Any
    ) -> WorkflowEnvironment:
        """As start_local(), whose arguments it takes; each workflow has a clock of its own, which jumps ahead.

        The clock of a workflow jumps while the workflow only waits, for timers, retries and timeouts, so that its
        result is there at once. ts_config is given to every workflow that the environment's client starts.
        """
        switch = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
        kwargs["dev_server_extra_args"] = [*switch, *kwargs.get("dev_server_extra_args", [])]
        return _OwnClocksEnvironment(await cls.start_local(**kwargs), ts_config)

    def __init__(self, client: chimera.client.Client) -> None:
        """For subclasses; use one of the factory methods."""
        self._client = client

    async def __aenter__(self) -> Self:
        """This environment."""
        return self

    async def __aexit__(self, *args: Any) -> None:
        """Shuts down."""
        await self.shutdown()

    @property
    def client(self) -> chimera.client.Client:
        """Connected to the environment's server."""
        return self._client

    async def connect_client(self, **kwargs: Any) -> chimera.client.Client:
        """Another client of the same server and namespace; arguments as for Client.connect."""
        config = self._client.service_client.config
        defaults = {
            "namespace": self._client.namespace,
            "api_key": config.api_key,
            "tls": config.tls,
            "rpc_metadata": config.rpc_metadata,
            "runtime": config.runtime,
        }
        return await chimera.client.Client.connect(config.target_host, **{**defaults, **kwargs})

    async def shutdown(self) -> None:
        """Ends the server, if the environment started it. Again: no effect."""

    async def sleep(self, duration: timedelta | float) -> None:
        """Lets time pass."""
        await asyncio.sleep(duration.total_seconds() if isinstance(duration, timedelta) else duration)

    async def get_current_time(self, handle: chimera.client.WorkflowHandle[Any, Any] | None = None) -> datetime:
        """The server's time; where each workflow has a clock of its own, the time of the workflow."""
        return datetime.now(timezone.utc)

    @property
    def supports_time_skipping_v1(self) -> bool:
        """Whether one clock for all workflows can jump ahead."""
        return False

    @property
    def supports_time_skipping_v2(self) -> bool:
        """Whether each workflow's own clock can jump ahead."""
        return False

    @property
    def supports_time_skipping(self) -> bool:
        """Whether time can jump at all."""
        return self.supports_time_skipping_v1 or self.supports_time_skipping_v2

    async def create_nexus_endpoint(self, endpoint_name: str, task_queue: str) -> Endpoint:
        """An endpoint that leads to a task queue of this namespace."""
        request = _api.operatorservice.CreateNexusEndpointRequest()
        request.spec.name = endpoint_name
        request.spec.target.worker.namespace = self._client.namespace
        request.spec.target.worker.task_queue = task_queue
        return (await self._client.operator_service.create_nexus_endpoint(request)).endpoint

    async def delete_nexus_endpoint(self, endpoint: Endpoint) -> None:
        """Removes what create_nexus_endpoint made."""
        request = _api.operatorservice.DeleteNexusEndpointRequest(id=endpoint.id, version=endpoint.version)
        await self._client.operator_service.delete_nexus_endpoint(request)

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """Time does not jump inside the block; where it never does, this has no effect."""
        yield

    async def fast_forward(
        self,
        handle: chimera.client.WorkflowHandle[Any, Any],
        duration: timedelta | float | None = None,
        /,
    ) -> bool:
        """Lets a workflow's own clock go on by so much, and waits until it has; see TimeSkipper.fast_forward()."""
        raise RuntimeError(
            "fast_forward requires a time-skipping environment; use WorkflowEnvironment.start_time_skipping_v2()."
        )

    @contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that are started inside the block keep the real time."""
        yield

    async def get_time_skipping_info(self, handle: chimera.client.WorkflowHandle[Any, Any]) -> TimeSkippingInfo | None:
        """How far a workflow's own clock is, and whether it jumps; None if the workflow never had one."""
        raise RuntimeError(
            "get_time_skipping_info requires a V2 time-skipping environment; "
            "use WorkflowEnvironment.start_time_skipping_v2()."
        )


class _ServedEnvironment(WorkflowEnvironment):
    """An environment that owns its server."""

    def __init__(self, client: chimera.client.Client, server: TestServer) -> None:
        super().__init__(client)
        self._server = server
        self._others: weakref.WeakSet[chimera.service.ServiceClient] = weakref.WeakSet()

    @classmethod
    async def _start(cls, config: ServerConfig, **connect: Any) -> WorkflowEnvironment:
        server = await config.start()
        try:
            client = await chimera.client.Client.connect(server.target, **connect)
        except BaseException:
            await server.stop()
            raise
        return cls(_with_assertions(client), server)

    async def connect_client(self, **kwargs: Any) -> chimera.client.Client:
        client = await super().connect_client(**kwargs)
        self._others.add(client.service_client)
        return client

    async def shutdown(self) -> None:
        await self._server.stop()
        for connected in (self._client.service_client, *self._others):
            connected._server_ended()


class _SkippingEnvironment(_ServedEnvironment):
    """With one clock for all workflows, which jumps."""

    def __init__(self, client: chimera.client.Client, server: TestServer) -> None:
        from chimera.testing._skipping import Clock, SkippingInterceptor

        self._clock = Clock(client)
        config = client.config()
        config["interceptors"] = [SkippingInterceptor(self._clock), *config["interceptors"]]
        super().__init__(chimera.client.Client(**config), server)

    async def sleep(self, duration: timedelta | float) -> None:
        await self._clock.sleep(duration if isinstance(duration, timedelta) else timedelta(seconds=duration))

    async def get_current_time(self, handle: chimera.client.WorkflowHandle[Any, Any] | None = None) -> datetime:
        return await self._clock.now()

    @property
    def supports_time_skipping_v1(self) -> bool:
        return True

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        before, self._clock.skips = self._clock.skips, False
        try:
            yield
        finally:
            self._clock.skips = before


class _OwnClocksEnvironment(_ServedEnvironment):
    """With a clock for each workflow, which jumps."""

    def __init__(self, served: WorkflowEnvironment, config: TimeSkippingConfig) -> None:
        assert isinstance(served, _ServedEnvironment)
        self._skipper = TimeSkipper(served.client, config=config)
        WorkflowEnvironment.__init__(self, self._skipper.client)
        self._server = served._server
        self._others = served._others

    async def sleep(self, duration: timedelta | float) -> None:
        raise RuntimeError(
            "Each workflow of this environment has a clock of its own: "
            "await env.fast_forward(handle, duration) instead of env.sleep(duration)"
        )

    async def get_current_time(self, handle: chimera.client.WorkflowHandle[Any, Any] | None = None) -> datetime:
        if handle is None:
            raise RuntimeError(
                "Each workflow of this environment has a clock of its own: give env.get_current_time() its handle"
            )
        return await self._skipper.get_current_time(handle)

    @property
    def supports_time_skipping_v2(self) -> bool:
        return True

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        raise RuntimeError(
            "Each workflow of this environment has a clock of its own: use env.with_time_skipping_disabled() around "
            "the starts of those that are to keep the real time"
        )
        yield

    async def fast_forward(
        self,
        handle: chimera.client.WorkflowHandle[Any, Any],
        duration: timedelta | float | None = None,
        /,
    ) -> bool:
        return await self._skipper.fast_forward(handle, duration)

    @contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        with self._skipper.with_time_skipping_disabled():
            yield

    async def get_time_skipping_info(self, handle: chimera.client.WorkflowHandle[Any, Any]) -> TimeSkippingInfo | None:
        return await self._skipper.get_time_skipping_info(handle)


def _with_assertions(client: chimera.client.Client) -> chimera.client.Client:
    """The same client, whose workers fail a workflow whose code fails an assertion."""
    from chimera.testing._assertions import AssertionErrorInterceptor

    config = client.config()
    config["interceptors"] = [*config["interceptors"], AssertionErrorInterceptor()]
    return chimera.client.Client(**config)


def _log_level() -> str:
    for level, name in ((logging.DEBUG, "debug"), (logging.INFO, "info"), (logging.WARNING, "warn")):
        if logger.isEnabledFor(level):
            return name
    return "error"
