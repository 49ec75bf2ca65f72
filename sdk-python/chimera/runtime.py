"""The core's runtime: logging and metrics."""

from __future__ import annotations

import atexit
import platform
from datetime import timedelta
from typing import TYPE_CHECKING

from chimera import common
from chimera._telemetry import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricKind,
    BufferedMetricUpdate,
    LogForwardingConfig,
    LoggingConfig,
    LoggingFormat,
    MetricBuffer,
    MetricBufferDurationFormat,
    OpenTelemetryConfig,
    OpenTelemetryMetricTemporality,
    PrometheusConfig,
    TelemetryConfig,
    TelemetryFilter,
)

if TYPE_CHECKING:
    from chimera import _bridge

__all__ = [
    "BUFFERED_METRIC_KIND_COUNTER",
    "BUFFERED_METRIC_KIND_GAUGE",
    "BUFFERED_METRIC_KIND_HISTOGRAM",
    "BufferedMetric",
    "BufferedMetricKind",
    "BufferedMetricUpdate",
    "LogForwardingConfig",
    "LoggingConfig",
    "LoggingFormat",
    "MetricBuffer",
    "MetricBufferDurationFormat",
    "OpenTelemetryConfig",
    "OpenTelemetryMetricTemporality",
    "PrometheusConfig",
    "Runtime",
    "TelemetryConfig",
    "TelemetryFilter",
]


class _RuntimeRef:
    """Where the default runtime is kept."""

    def __init__(self) -> None:
        self._default_runtime: Runtime | None = None
        self._prevented = False

    def default(self) -> Runtime:
        if self._default_runtime is None:
            if self._prevented:
                raise RuntimeError(
                    "Cannot create default Runtime after Runtime.prevent_default has been called; "
                    "call Runtime.set_default, or pass a runtime"
                )
            self._default_runtime = Runtime(telemetry=TelemetryConfig())
        return self._default_runtime

    def prevent_default(self) -> None:
        if self._default_runtime is not None:
            raise RuntimeError("Runtime.prevent_default called after default runtime has been created or set")
        self._prevented = True

    def set_default(self, runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        if self._default_runtime is not None and error_if_already_set:
            raise RuntimeError("Runtime default already set")
        self._default_runtime = runtime


_runtimes = _RuntimeRef()


class Runtime:
    """What clients and workers share inside the process. Most programs use the default one."""

    @classmethod
    def default(cls) -> Runtime:
        """The process's runtime; made when it is first asked for."""
        return _runtimes.default()

    @classmethod
    def prevent_default(cls) -> None:
        """From now on default() is an error until set_default is called."""
        _runtimes.prevent_default()

    @staticmethod
    def set_default(runtime: Runtime, *, error_if_already_set: bool = True) -> None:
        """Makes this the process's runtime. Best done before anything connects."""
        _runtimes.set_default(runtime, error_if_already_set=error_if_already_set)

    def __init__(
        self,
        *,
        telemetry: TelemetryConfig,
        worker_heartbeat_interval: timedelta | None = timedelta(seconds=60),
        disable_environment_info: bool = False,
    ) -> None:
        """Several may live side by side, each with metrics of its own. The core has one log for the process; the last
        runtime that sets it up wins.

        Raises:
            RuntimeError: Metrics cannot be served on the address.
            ValueError: An option means nothing.
        """
        if worker_heartbeat_interval is not None and worker_heartbeat_interval <= timedelta():
            raise ValueError("worker_heartbeat_interval must be positive, or None for no heartbeats")
        # What workers tell the server of themselves.
        self._worker_options = {
            "worker_heartbeat_interval": int((worker_heartbeat_interval or timedelta()) / timedelta(milliseconds=1)),
            "language_runtime": f"{platform.python_implementation()} {platform.python_version()}",
            "disable_environment_info": disable_environment_info,
        }
        self._telemetry = telemetry
        telemetry._check()
        self._metrics: _bridge.Metrics | None = None
        self._metrics_port: int | None = None
        self._meter = common.MetricMeter.noop
        if telemetry.logging is not LoggingConfig.default:
            _set_up_log(telemetry.logging)
        if isinstance(telemetry.metrics, PrometheusConfig):
            from chimera import _bridge, _runtime_metrics

            self._metrics = _bridge.Metrics(_runtime_metrics.registry_options(telemetry, telemetry.metrics))
            self._meter = _runtime_metrics.RuntimeMeter(self._metrics, telemetry, telemetry.metrics, {})
            self._metrics_port = self._metrics.serve(telemetry.metrics.bind_address)
        elif isinstance(telemetry.metrics, OpenTelemetryConfig):
            from chimera import _bridge, _runtime_metrics

            shown = _runtime_metrics.as_prometheus(telemetry.metrics)
            self._metrics = _bridge.Metrics(_runtime_metrics.registry_options(telemetry, shown))
            self._meter = _runtime_metrics.RuntimeMeter(self._metrics, telemetry, shown, {})
            self._metrics.report(_runtime_metrics.report_options(telemetry.metrics))
        elif isinstance(telemetry.metrics, MetricBuffer):
            from chimera import _bridge, _metric_buffer

            self._metrics = _bridge.Metrics(_metric_buffer.registry_options(telemetry, telemetry.metrics))
            buffer = telemetry.metrics._begin(_metric_buffer.Buffer(self._metrics, telemetry, telemetry.metrics))
            self._meter = _metric_buffer.BufferMeter(buffer, telemetry, PrometheusConfig(bind_address=""), {})

    @property
    def metric_meter(self) -> common.MetricMeter:
        """For metrics of one's own; they show beside the core's. Without metrics in the telemetry it does nothing."""
        return self._meter


_log_queue: _bridge.Queue | None = None


def _set_up_log(config: LoggingConfig | None) -> None:
    global _log_queue
    from chimera import _bridge, _log_forwarding

    _bridge.set_log_level(config._core_level() if config else "OFF")
    if config is None or config.forwarding is None:
        _bridge.forward_logs(None, None)
        return
    if _log_queue is None:
        _log_queue = _bridge.Queue()
        end = _log_forwarding.serve(_log_queue)
        atexit.register(end)
        atexit.register(_bridge.forward_logs, None, None)  # Nobody takes from the queue any more.
    _bridge.forward_logs(_log_queue, _log_forwarding.forwarder(config.forwarding))
