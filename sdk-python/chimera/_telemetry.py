"""What a runtime is told about logs and metrics: plain data, public as names of `chimera.runtime`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import ClassVar, NewType, TypeVar

from typing_extensions import Protocol

from chimera import common


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
    """Metrics sent to an OpenTelemetry collector, once a second unless metric_periodicity says otherwise."""

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


class _Buffer(Protocol):
    def take(self) -> Sequence[BufferedMetricUpdate]: ...


_BufferT = TypeVar("_BufferT", bound=_Buffer)


class MetricBuffer:
    """Metrics that the program fetches itself."""

    def __init__(
        self, buffer_size: int, duration_format: MetricBufferDurationFormat = MetricBufferDurationFormat.MILLISECONDS
    ) -> None:
        """Updates beyond the size are dropped."""
        self._buffer_size = buffer_size
        self._seconds = duration_format is MetricBufferDurationFormat.SECONDS
        self._buffer: _Buffer | None = None

    def _begin(self, buffer: _BufferT) -> _BufferT:
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
        if isinstance(self.metrics, OpenTelemetryConfig) and not self.metrics.http:
            raise RuntimeError(
                "This version sends OpenTelemetryConfig's metrics by HTTP only; use http=True, with a url such as "
                "http://localhost:4318/v1/metrics"
            )


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
