"""The client of Temporal Cloud's operations."""

from __future__ import annotations

from collections.abc import Mapping

import chimera.service
from chimera.service import ConnectConfig, GrpcCompression, KeepAliveConfig, ServiceClient


class CloudOperationsClient:
    """Calls Temporal Cloud's own service, not a namespace."""

    @staticmethod
    async def connect(
        *,
        api_key: str | None = None,
        version: str | None = None,
        target_host: str = "saas-api.tmprl.cloud:443",
        tls: bool | chimera.service.TLSConfig = True,
        retry_config: chimera.service.RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        lazy: bool = False,
        runtime: chimera.runtime.Runtime | None = None,
        http_connect_proxy_config: chimera.service.HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: chimera.service.DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
    ) -> CloudOperationsClient:
        """Connects; `version` is that of the interface which the caller was written for."""
        metadata = dict(rpc_metadata)
        if version:
            metadata["temporal-cloud-api-version"] = version
        config = ConnectConfig(
            target_host=target_host,
            api_key=api_key,
            tls=tls,
            retry_config=retry_config,
            keep_alive_config=keep_alive_config,
            rpc_metadata=metadata,
            identity=identity or "",
            lazy=lazy,
            runtime=runtime,
            http_connect_proxy_config=http_connect_proxy_config,
            dns_load_balancing_config=dns_load_balancing_config,
            grpc_compression=grpc_compression,
        )
        return CloudOperationsClient(await ServiceClient.connect(config))

    def __init__(self, service_client: ServiceClient) -> None:
        """Uses a connection that exists."""
        self._service_client = service_client

    @property
    def service_client(self) -> ServiceClient:
        """The connection."""
        return self._service_client

    @property
    def cloud_service(self) -> chimera.service.CloudService:
        """The service as it is."""
        return self._service_client.cloud_service

    @property
    def identity(self) -> str:
        """Who the server is told it is."""
        return self._service_client.config.identity

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of every call."""
        return self._service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self._service_client.update_rpc_metadata(value)
        self._service_client.config.rpc_metadata = value

    @property
    def api_key(self) -> str | None:
        """The key of every call."""
        return self._service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self._service_client.update_api_key(value)
        self._service_client.config.api_key = value
