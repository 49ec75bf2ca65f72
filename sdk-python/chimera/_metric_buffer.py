"""What a MetricBuffer holds: the core's updates, and those of user code."""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chimera import _telemetry, common
from chimera._runtime_metrics import RuntimeMeter, _Metric

_KINDS = {
    "counter": _telemetry.BUFFERED_METRIC_KIND_COUNTER,
    "gauge": _telemetry.BUFFERED_METRIC_KIND_GAUGE,
    "histogram": _telemetry.BUFFERED_METRIC_KIND_HISTOGRAM,
}
_SERVICE = {"service_name": "temporal-core-sdk"}  # The official value.


def _tags(telemetry: _telemetry.TelemetryConfig) -> dict[str, str]:
    return {**(_SERVICE if telemetry.attach_service_name else {}), **telemetry.global_tags}


def registry_options(telemetry: _telemetry.TelemetryConfig, config: _telemetry.MetricBuffer) -> dict[str, Any]:
    """What the core's registry is made with."""
    return {
        "prefix": "temporal_" if telemetry.metric_prefix is None else telemetry.metric_prefix,
        "service_name": False,
        "global_tags": list(_tags(telemetry).items()),
        "durations_as_seconds": config._seconds,
        "buffer": config._buffer_size,
    }


@dataclass(frozen=True)
class _BufferedMetric:
    name: str
    description: str | None
    unit: str | None
    kind: _telemetry.BufferedMetricKind


@dataclass(frozen=True)
class _BufferedMetricUpdate:
    metric: _BufferedMetric
    value: int | float
    attributes: common.MetricAttributes


class Buffer:
    """The updates of one runtime. User code may update from any thread; one takes."""

    def __init__(self, registry: Any, telemetry: _telemetry.TelemetryConfig, config: _telemetry.MetricBuffer) -> None:
        self.registry = registry
        self._size = config._buffer_size
        self.seconds = config._seconds
        self.tags = _tags(telemetry)
        self._updates: collections.deque[_BufferedMetricUpdate] = collections.deque()
        # One object each, so that users may compare by identity.
        self._metrics: dict[tuple[Any, ...], _BufferedMetric] = {}
        self._attributes: dict[frozenset[tuple[str, type, Any]], common.MetricAttributes] = {}
        self._series: dict[int, tuple[_BufferedMetric, common.MetricAttributes]] = {}

    def metric(self, name: str, description: str | None, unit: str | None, kind: str) -> _BufferedMetric:
        key = (name, description or None, unit or None, _KINDS[kind])
        return self._metrics.setdefault(key, _BufferedMetric(*key))

    def attributes(self, attributes: common.MetricAttributes) -> common.MetricAttributes:
        key = frozenset((name, type(value), value) for name, value in attributes.items())
        return self._attributes.setdefault(key, attributes)

    def push(self, update: _BufferedMetricUpdate) -> None:
        if len(self._updates) < self._size:
            self._updates.append(update)

    def take(self) -> list[_telemetry.BufferedMetricUpdate]:
        """What user code counted, then what the core did."""
        taken: list[Any] = []
        while self._updates:
            taken.append(self._updates.popleft())
        for series, value in self.registry.take_updates():
            metric, attributes = self._of_core(series)
            whole = not (self.seconds and metric.unit == "s")
            taken.append(_BufferedMetricUpdate(metric, int(value) if whole else value, attributes))
        return taken

    def _of_core(self, series: tuple[Any, ...]) -> tuple[_BufferedMetric, common.MetricAttributes]:
        number, name, description, unit, kind, tags = series
        found = self._series.get(number)
        if found is None:
            found = (self.metric(name, description, unit, kind), self.attributes(dict(tags)))
            self._series[number] = found
        return found


class BufferMeter(RuntimeMeter):
    """Makes metrics whose updates go to a buffer."""

    _registry: Buffer

    def check_name(self, name: str) -> None:
        """Any will do: nobody parses it."""

    def instrument(self, metric: _Metric, attributes: common.MetricAttributes) -> Any:
        buffer = self._registry
        known = buffer.metric(metric.name, metric.description, metric.unit, metric.kind)
        return _Instrument(buffer.push, known, buffer.attributes({**buffer.tags, **attributes}))

    def in_unit(self, duration: timedelta) -> int | float:
        return duration.total_seconds() if self._registry.seconds else duration // timedelta(milliseconds=1)


class _Instrument:
    """A metric with one set of attributes."""

    def __init__(
        self, push: Callable[[_BufferedMetricUpdate], None], metric: _BufferedMetric,
        attributes: common.MetricAttributes,
    ) -> None:
        self._push = push
        self._metric = metric
        self._attributes = attributes

    def add(self, value: int | float) -> None:
        self._push(_BufferedMetricUpdate(self._metric, value, self._attributes))

    record = set = add
