"""The connection to a server, and every RPC as it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import chimera.exceptions
from chimera.bridge import services_generated

if TYPE_CHECKING:
    import google.protobuf.message

    import chimera.runtime
    from chimera import _bridge

__version__ = "1.35.0"  # The interface that this package follows; servers see it as the client's version.

ServiceRequest = TypeVar("ServiceRequest", bound="google.protobuf.message.Message")
ServiceResponse = TypeVar("ServiceResponse", bound="google.protobuf.message.Message")

logger = logging.getLogger(__name__)

LOG_PROTOS = False
"""Whether requests and replies are logged, at level DEBUG."""

_CLIENT_NAME = "temporal-python"
_DEFAULT_CONNECT_TIMEOUT = timedelta(seconds=10)


@dataclass
class TLSConfig:
    """Encryption of the connection. Certificates and keys are PEM data, not paths."""

    server_root_ca_cert: bytes | None = None
    """What the server's certificate is verified with; default: the system's roots."""

    domain: str | None = None
    """Sent as SNI and verified, in place of the host's name."""

    client_cert: bytes | None = None
    """For mutual TLS, together with client_private_key."""

    client_private_key: bytes | None = None
    """For mutual TLS, together with client_cert."""

    verification_server_name: str | None = None
    """The name in the server's certificate, where it differs from what is dialled; needs server_root_ca_cert."""

    def _options(self) -> dict[str, Any]:
        if (self.client_cert is None) != (self.client_private_key is None):
            raise RuntimeError("TLS: client_cert and client_private_key belong together; only one of them is given")
        if self.verification_server_name is not None and self.server_root_ca_cert is None:
            raise ValueError(
                "TLS: verification_server_name is given without a server root CA cert; set server_root_ca_cert"
            )
        values = {
            "server_root_ca_cert": self.server_root_ca_cert,
            "client_cert": self.client_cert,
            "client_private_key": self.client_private_key,
            "domain": self.domain,
            "verification_server_name": self.verification_server_name,
        }
        return {name: value for name, value in values.items() if value}


@dataclass
class RetryConfig:
    """How calls that the client makes itself are tried again."""

    initial_interval_millis: int = 100
    randomization_factor: float = 0.2
    multiplier: float = 1.5
    max_interval_millis: int = 5000
    max_elapsed_time_millis: int | None = 10000
    max_retries: int = 10

    def _options(self) -> dict[str, Any]:
        return {
            "initial_interval": self.initial_interval_millis,
            "randomization_factor": self.randomization_factor,
            "multiplier": self.multiplier,
            "max_interval": self.max_interval_millis,
            "max_elapsed_time": self.max_elapsed_time_millis,
            "max_retries": self.max_retries,
        }


@dataclass(frozen=True)
class KeepAliveConfig:
    """How often a silent connection is tried, and when it counts as lost."""

    interval_millis: int = 30000
    timeout_millis: int = 15000
    default: ClassVar[KeepAliveConfig]


KeepAliveConfig.default = KeepAliveConfig()


@dataclass(frozen=True)
class HttpConnectProxyConfig:
    """A proxy to reach the server through."""

    target_host: str
    basic_auth: tuple[str, str] | None = None


@dataclass(frozen=True)
class DnsLoadBalancingConfig:
    """How often the server's name is looked up again."""

    resolution_interval_millis: int = 30000
    default: ClassVar[DnsLoadBalancingConfig]


DnsLoadBalancingConfig.default = DnsLoadBalancingConfig()


class GrpcCompression(ABC):
    """How requests are compressed; one of the constants."""

    NONE: ClassVar[GrpcCompression]
    GZIP: ClassVar[GrpcCompression]

    @property
    @abstractmethod
    def _gzip(self) -> bool: ...


@dataclass(frozen=True)
class _NoGrpcCompression(GrpcCompression):
    _gzip: ClassVar[bool] = False


@dataclass(frozen=True)
class _GzipGrpcCompression(GrpcCompression):
    _gzip: ClassVar[bool] = True


GrpcCompression.NONE = _NoGrpcCompression()
GrpcCompression.GZIP = _GzipGrpcCompression()


@dataclass(frozen=True)
class PayloadLimitsConfig:
    """From which size on payloads are warned about; 0: never."""

    payloads_warn_size: int = 512 * 1024
    memo_warn_size: int = 2 * 1024


@dataclass
class ConnectConfig:
    """Everything that a connection is made with."""

    target_host: str
    api_key: str | None = None
    tls: bool | TLSConfig | None = None
    retry_config: RetryConfig | None = None
    keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default
    rpc_metadata: Mapping[str, str | bytes] = field(default_factory=dict)
    identity: str = ""
    lazy: bool = False
    runtime: chimera.runtime.Runtime | None = None
    http_connect_proxy_config: HttpConnectProxyConfig | None = None
    dns_load_balancing_config: DnsLoadBalancingConfig | None = None
    grpc_compression: GrpcCompression = GrpcCompression.GZIP
    payload_limits: PayloadLimitsConfig = field(default_factory=PayloadLimitsConfig)
    connect_timeout: timedelta | None = None

    def __post_init__(self) -> None:
        """Fills in the identity."""
        if not self.identity:
            self.identity = f"{os.getpid()}@{socket.gethostname()}"

    def _options(self) -> dict[str, Any]:
        scheme, _, host = self.target_host.rpartition("://")
        if scheme:
            warnings.warn("A target host is HOST:PORT; the URL scheme in it is no longer supported.", stacklevel=2)
        if self.http_connect_proxy_config is not None:
            raise RuntimeError("This build cannot connect through an HTTP proxy; leave http_connect_proxy_config out")
        if self.dns_load_balancing_config is not None:
            warnings.warn("dns_load_balancing_config has no effect: a connection uses one address", stacklevel=3)
        tls: dict[str, Any] | None = None
        if isinstance(self.tls, TLSConfig):
            tls = self.tls._options()
        elif self.tls or scheme == "https" or (self.tls is None and self.api_key is not None):
            tls = {}
        keep_alive = self.keep_alive_config
        timeout = _DEFAULT_CONNECT_TIMEOUT if self.connect_timeout is None else self.connect_timeout
        return {
            "target_host": host,
            "client_name": _CLIENT_NAME,
            "client_version": __version__,
            "identity": self.identity,
            "tls": tls,
            "tls_disabled": tls is None,
            "api_key": self.api_key or "",
            "metadata": list(self.rpc_metadata.items()),
            "retry": (self.retry_config or RetryConfig())._options(),
            "keep_alive": keep_alive
            and {"interval": keep_alive.interval_millis, "timeout": keep_alive.timeout_millis},
            "gzip": self.grpc_compression._gzip,
            "connect_timeout": int(timeout.total_seconds() * 1000),
            "memo_warning_bytes": self.payload_limits.memo_warn_size,
            "payload_warning_bytes": self.payload_limits.payloads_warn_size,
        }


def _check_metadata(metadata: Mapping[str, str | bytes], *, of_call: bool = False) -> None:
    """gRPC has bytes under keys that end in -bin, and text under all others."""
    for key, value in metadata.items():
        if not isinstance(value, (str, bytes)):
            wrong = TypeError("failed to extract enum RpcMetadataValue ('str | bytes')")
            if not of_call:
                raise wrong
            raise TypeError(f"RPC metadata {key!r} is {type(value).__name__}, not str or bytes") from wrong
        if key.endswith("-bin") == isinstance(value, bytes):
            continue
        wanted = "bytes" if key.endswith("-bin") else "str"
        if of_call:
            kind = "binary" if wanted == "bytes" else "ASCII"
            raise ValueError(f"Invalid metadata value for {kind} key {key}: expected {wanted}")
        kind = "ASCII" if wanted == "bytes" else "binary"
        raise ValueError(
            f"Invalid {kind} header key {key!r}: invalid gRPC metadata key name; it needs a {wanted} value, as only "
            "keys that end in -bin have bytes"
        )


class WorkflowService(services_generated.WorkflowService):
    """The service of workflows, activities, schedules and task queues."""


class OperatorService(services_generated.OperatorService):
    """The service of a cluster's operator."""


class CloudService(services_generated.CloudService):
    """The service of Temporal Cloud."""


class TestService(services_generated.TestService):
    """The clock of a test server."""


class HealthService(services_generated.HealthService):
    """Whether a server's services answer."""


class ServiceClient(ABC):
    """One connection, and the services behind it. May be used from any event loop."""

    @staticmethod
    async def connect(config: ConnectConfig) -> ServiceClient:
        """Connects at once, or at the first call if the configuration is lazy."""
        return await _BridgeServiceClient.connect(config)

    def __init__(self, config: ConnectConfig) -> None:
        """For subclasses; use connect."""
        super().__init__()
        self.config = config
        self.workflow_service = WorkflowService(self)
        self.operator_service = OperatorService(self)
        self.cloud_service = CloudService(self)
        self.test_service = TestService(self)
        self.health_service = HealthService(self)

    async def check_health(
        self,
        *,
        service: str = "temporal.api.workflowservice.v1.WorkflowService",
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> bool:
        """Whether the service is up. An error says that the server could not be reached."""
        from chimera import _health

        request = _health.HealthCheckRequest(service=service)
        reply = await self.health_service.check(request, retry=retry, metadata=metadata, timeout=timeout)
        return reply.status == _health.SERVING

    @property
    @abstractmethod
    def worker_service_client(self) -> _BridgeServiceClient:
        """What workers connect through."""
        raise NotImplementedError

    @abstractmethod
    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Replaces the headers of every later call."""
        raise NotImplementedError

    @abstractmethod
    def update_api_key(self, api_key: str | None) -> None:
        """Replaces the API key of every later call."""
        raise NotImplementedError

    def _server_ended(self) -> None:
        """The server will not come back: calls fail at once, also those under way."""

    @abstractmethod
    async def _rpc_call(
        self,
        rpc: str,
        req: google.protobuf.message.Message,
        resp_type: type[ServiceResponse],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ServiceResponse:
        raise NotImplementedError


class _BridgeServiceClient(ServiceClient):
    """A ServiceClient over the native core."""

    @staticmethod
    async def connect(config: ConnectConfig) -> _BridgeServiceClient:
        client = _BridgeServiceClient(config)
        if not config.lazy:
            await client._connected()
        return client

    def __init__(self, config: ConnectConfig) -> None:
        super().__init__(config)
        _check_metadata(config.rpc_metadata)
        self._options = config._options()
        self._connection: _bridge.Connection | None = None
        self._connecting = asyncio.Lock()
        self._under_way: set[asyncio.Future[bytes]] = set()
        self._gone = False
        self._runtime: chimera.runtime.Runtime | None = None

    async def _reserve_workflow_slot(self, request: Any) -> _bridge.WorkflowSlot | None:
        """A slot of a worker on this connection for the workflow that this request starts, if one is free; the request
        then says so."""
        from chimera import _native

        connection = await self._connected()
        slot = await _native.result_of(
            lambda queue, done: connection.reserve_workflow_slot(
                request.namespace, request.task_queue.name, queue, done
            )
        )
        request.request_eager_execution = slot is not None
        if slot is not None and (deployment := slot.deployment()) is not None:
            request.eager_worker_deployment_options.ParseFromString(deployment)
        return slot

    async def _connected(self) -> _bridge.Connection:
        if self._connection is None:
            from chimera import _bridge, _native, runtime

            _native.check_process("create client")
            async with self._connecting:
                if self._connection is None:
                    self._runtime = self.config.runtime or runtime.Runtime.default()
                    self._options["metrics"] = self._runtime._metrics
                    try:
                        self._connection = await _native.result_of(
                            lambda queue, done: _bridge.Connection.connect(self._options, queue, done)
                        )
                    except _bridge.RpcError as err:
                        raise RuntimeError(f"Failed client connect: {err.args[0]}") from None
        return self._connection

    @property
    def worker_service_client(self) -> _BridgeServiceClient:
        return self

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        # As the official client does: the new text is in force even if something binary is then refused.
        text = {key: value for key, value in metadata.items() if isinstance(value, str)}
        _check_metadata(text)
        self._use_metadata([*text.items(), *(pair for pair in self._options["metadata"] if isinstance(pair[1], bytes))])
        _check_metadata(metadata)
        self._use_metadata(list(metadata.items()))

    def _use_metadata(self, pairs: list[tuple[str, str | bytes]]) -> None:
        self._options["metadata"] = pairs
        if self._connection is not None:
            self._connection.set_metadata(pairs)

    def update_api_key(self, api_key: str | None) -> None:
        key = self._options["api_key"] = api_key or ""
        if self._connection is not None:
            self._connection.set_api_key(key)

    async def _rpc_call(
        self,
        rpc: str,
        req: google.protobuf.message.Message,
        resp_type: type[ServiceResponse],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> ServiceResponse:
        if self._gone:
            raise _server_gone()
        connection = self._connection or await self._connected()
        if LOG_PROTOS:
            logger.debug("Service %s request to %s: %s", service, rpc, req)
        if metadata:
            _check_metadata(metadata, of_call=True)
        response = resp_type()
        reply = await _call(connection, f"/{service}/{rpc}", req, retry, metadata, timeout, self._under_way)
        response.ParseFromString(reply)
        if LOG_PROTOS:
            logger.debug("Service %s response from %s: %s", service, rpc, response)
        return response

    def _server_ended(self) -> None:
        from chimera import _native

        self._gone = True
        for future in list(self._under_way):
            with contextlib.suppress(RuntimeError):  # Its loop is closed.
                future.get_loop().call_soon_threadsafe(_native.settle, future, None, _server_gone())


def _server_gone() -> RPCError:
    return RPCError("the server has ended", RPCStatusCode.UNAVAILABLE, b"")


async def _call(
    connection: _bridge.Connection,
    method: str,
    req: google.protobuf.message.Message,
    retry: bool,
    metadata: Mapping[str, str | bytes],
    timeout: timedelta | None,
    under_way: set[asyncio.Future[bytes]],
) -> bytes:
    from chimera import _bridge, _native

    _native.check_process("use client")
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    under_way.add(future)
    cancel = connection.call(
        method,
        req.SerializeToString(),
        retry,
        0 if timeout is None else max(1, int(timeout.total_seconds() * 1000)),
        list(metadata.items()) if metadata else (),
        getattr(req, "namespace", ""),
        _native.queue(),
        lambda reply, error: _native.settle(future, reply, error),
    )
    try:
        return await future
    except _bridge.RpcError as err:
        message, status, details = err.args
        raise RPCError(message, RPCStatusCode(status), details) from None
    except (RPCError, asyncio.CancelledError):  # Its server has ended, or it is given up.
        cancel()
        raise
    finally:
        under_way.discard(future)


class RPCStatusCode(IntEnum):
    """gRPC's status codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(chimera.exceptions.TemporalError):
    """A call that the server refused or that did not reach it."""

    def __init__(self, message: str, status: RPCStatusCode, raw_grpc_status: bytes) -> None:
        """The details are a serialized google.rpc.Status, or empty."""
        super().__init__(message)
        self._message = message
        self._status = status
        self._raw_grpc_status = raw_grpc_status
        self._grpc_status: Any = None

    @property
    def message(self) -> str:
        """What went wrong."""
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        """The code."""
        return self._status

    @property
    def raw_grpc_status(self) -> bytes:
        """The serialized status with details, empty if there was none."""
        return self._raw_grpc_status

    @property
    def grpc_status(self) -> Any:
        """The status with details, parsed."""
        if self._grpc_status is None:
            from chimera.api.dependencies.google.rpc.status_pb2 import Status

            self._grpc_status = Status.FromString(self._raw_grpc_status)
        return self._grpc_status
