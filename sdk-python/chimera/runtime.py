"""The core's runtime: logging and metrics."""

from __future__ import annotations

import atexit
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, NewType

from typing_extensions import Protocol

from chimera import common

if TYPE_CHECKING:
    from chimera import _bridge, _metric_buffer


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
        """
        if worker_heartbeat_interval is not None and worker_heartbeat_interval <= timedelta():
            raise ValueError("worker_heartbeat_interval must be positive, or None for no heartbeats")
        if worker_heartbeat_interval not in (None, timedelta(seconds=60)):
            warnings.warn("worker_heartbeat_interval has no effect: workers send no heartbeats of their own here")
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


@dataclass
class TelemetryFilter:
    """From which level on the core logs, and everything else."""

    core_level: str
    other_level: str

    def formatted(self) -> str:
        """In the form of a filter directive."""
        targets = ("temporalio_sdk_core", "temporalio_client", "temporalio_sdk", "temporal_sdk_bridge")
        return ",".join([self.other_level, *(f"{target}={self.core_level}" for target in targets)])


class LoggingFormat(Enum):
    """How lines look where they go to the console."""

    COMPACT = "compact"
    PRETTY = "pretty"
    JSON = "json"


@dataclass(frozen=True)
class LoggingConfig:
    """Where the core's log goes."""

    filter: TelemetryFilter | str
    forwarding: LogForwardingConfig | None = None
    format: LoggingFormat | None = None
    default: ClassVar[LoggingConfig]

    def _core_level(self) -> str:
        """The level of the core in a filter such as "ERROR,temporalio_sdk_core=DEBUG"."""
        if isinstance(self.filter, TelemetryFilter):
            return self.filter.core_level
        directives = [part.strip() for part in self.filter.split(",")]
        of_core = [part.partition("=")[2] for part in directives if part.startswith("temporalio_sdk_core=")]
        general = [part for part in directives if "=" not in part]
        return (of_core or general or ["WARN"])[-1]

    def _check(self) -> None:
        if self.format not in (None, LoggingFormat.COMPACT):
            raise RuntimeError(
                "This build logs in the compact format only; leave LoggingConfig.format out, or forward the log"
            )


LoggingConfig.default = LoggingConfig(filter=TelemetryFilter(core_level="WARN", other_level="ERROR"))


@dataclass
class LogForwardingConfig:
    """The core's log as records of a Python logger."""

    logger: logging.Logger
    append_target_to_name: bool = True
    prepend_target_on_message: bool = True
    overwrite_log_record_time: bool = True
    append_log_fields_to_message: bool = True


class OpenTelemetryMetricTemporality(Enum):
    """Whether sums begin anew with each export."""

    CUMULATIVE = 1
    DELTA = 2


@dataclass(frozen=True)
class OpenTelemetryConfig:
    """Metrics sent to a collector."""

    url: str
    headers: Mapping[str, str] | None = None
    metric_periodicity: timedelta | None = None
    metric_temporality: OpenTelemetryMetricTemporality = OpenTelemetryMetricTemporality.CUMULATIVE
    durations_as_seconds: bool = False
    http: bool = False
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None


@dataclass(frozen=True)
class PrometheusConfig:
    """Metrics served for Prometheus at /metrics, and Kubernetes' probes at /livez and /readyz."""

    bind_address: str
    counters_total_suffix: bool = False
    unit_suffix: bool = False
    durations_as_seconds: bool = False
    histogram_bucket_overrides: Mapping[str, Sequence[float]] | None = None


class MetricBufferDurationFormat(Enum):
    """The unit of durations in a buffer."""

    MILLISECONDS = 1
    SECONDS = 2


class MetricBuffer:
    """Metrics that the program fetches itself."""

    def __init__(
        self, buffer_size: int, duration_format: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS
    ) -> None:
        """Updates beyond the size are dropped."""
        self._buffer_size = buffer_size
        self._seconds = duration_format is MetricBufferDurationFormat.SECONDS
        self._buffer: _metric_buffer.Buffer | None = None

    def _begin(self, buffer: _metric_buffer.Buffer) -> _metric_buffer.Buffer:
        if self._buffer is not None:
            raise RuntimeError("This MetricBuffer belongs to another runtime already; make one for each")
        self._buffer = buffer
        return buffer

    def retrieve_updates(self) -> Sequence[BufferedMetricUpdate]:
        """Takes what has come since the last call."""
        if self._buffer is None:
            raise RuntimeError("Attempting to retrieve updates before runtime created")
        return self._buffer.take()


@dataclass(frozen=True)
class TelemetryConfig:
    """Logging and metrics of a runtime."""

    logging: LoggingConfig | None = LoggingConfig.default
    metrics: OpenTelemetryConfig | PrometheusConfig | MetricBuffer | None = None
    global_tags: Mapping[str, str] = field(default_factory=dict)
    attach_service_name: bool = True
    metric_prefix: str | None = None

    def _check(self) -> None:
        if self.logging is not None:
            self.logging._check()
        if isinstance(self.metrics, OpenTelemetryConfig):
            raise RuntimeError("This version has no OpenTelemetryConfig; use PrometheusConfig or MetricBuffer")


BufferedMetricKind = NewType("BufferedMetricKind", int)
BUFFERED_METRIC_KIND_COUNTER = BufferedMetricKind(0)
BUFFERED_METRIC_KIND_GAUGE = BufferedMetricKind(1)
BUFFERED_METRIC_KIND_HISTOGRAM = BufferedMetricKind(2)

class BufferedMetric(Protocol):
    """One metric of a buffer."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def description(self) -> str | None:
        """What it counts, if that was said."""

    @property
    def unit(self) -> str | None:
        """Its unit, if that was said."""

    @property
    def kind(self) -> BufferedMetricKind:
        """Counter, gauge or histogram."""


class BufferedMetricUpdate(Protocol):
    """One value of a metric."""

    @property
    def metric(self) -> BufferedMetric:
        """Whose value."""

    @property
    def value(self) -> int | float:
        """A counter's increment, else the value."""

    @property
    def attributes(self) -> common.MetricAttributes:
        """Its tags; the same object for the same tags."""
