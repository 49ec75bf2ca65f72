"""What clients are configured with, as dictionaries for plugins and for making similar clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import Required, TypedDict

import chimera.converter
import chimera.service
from chimera import common

if TYPE_CHECKING:
    import chimera.runtime
    from chimera.client._interceptor import Interceptor
    from chimera.client._plugin import Plugin


class ClientConfig(TypedDict, total=False):
    """The arguments of Client()."""

    service_client: Required[chimera.service.ServiceClient]
    namespace: Required[str]
    data_converter: Required[chimera.converter.DataConverter]
    plugins: Required[Sequence[Plugin]]
    interceptors: Required[Sequence[Interceptor]]
    default_workflow_query_reject_condition: Required[common.QueryRejectCondition | None]
    header_codec_behavior: Required[common.HeaderCodecBehavior]


class ClientConnectConfig(TypedDict, total=False):
    """The arguments of Client.connect."""

    target_host: Required[str]
    namespace: str
    api_key: str
    data_converter: chimera.converter.DataConverter
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: common.QueryRejectCondition | None
    tls: bool | chimera.service.TLSConfig
    retry_config: chimera.service.RetryConfig | None
    keep_alive_config: chimera.service.KeepAliveConfig | None
    connect_timeout: timedelta | None
    rpc_metadata: Mapping[str, str | bytes]
    identity: str
    lazy: bool
    runtime: chimera.runtime.Runtime
    http_connect_proxy_config: chimera.service.HttpConnectProxyConfig
    dns_load_balancing_config: chimera.service.DnsLoadBalancingConfig | None
    grpc_compression: chimera.service.GrpcCompression
    payload_limits: chimera.service.PayloadLimitsConfig
    header_codec_behavior: common.HeaderCodecBehavior
