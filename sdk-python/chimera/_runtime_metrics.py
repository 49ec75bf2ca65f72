"""Metrics of user code, counted in a runtime's registry beside the core's own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

from chimera import common
from chimera._telemetry import OpenTelemetryConfig, OpenTelemetryMetricTemporality, PrometheusConfig

if TYPE_CHECKING:
    from chimera._telemetry import TelemetryConfig

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:./-]*")
_INTERVAL = timedelta(seconds=1)  # The official one.
_BUCKETS = [50.0, 100.0, 500.0, 1000.0, 2500.0, 10000.0]  # Of histograms without buckets of their own.


def registry_options(telemetry: TelemetryConfig, prometheus: PrometheusConfig) -> dict[str, Any]:
    """What the core's registry is made with."""
    buckets = prometheus.histogram_bucket_overrides or {}
    return {
        "prefix": "temporal_" if telemetry.metric_prefix is None else telemetry.metric_prefix,
        "service_name": telemetry.attach_service_name,
        "global_tags": list(telemetry.global_tags.items()),
        "buckets": {name: list(bounds) for name, bounds in buckets.items()},
        "counters_total_suffix": prometheus.counters_total_suffix,
        "unit_suffix": prometheus.unit_suffix,
        "durations_as_seconds": prometheus.durations_as_seconds,
    }


def as_prometheus(sent: OpenTelemetryConfig) -> PrometheusConfig:
    """What the two have in common."""
    return PrometheusConfig(
        bind_address="",
        durations_as_seconds=sent.durations_as_seconds,
        histogram_bucket_overrides=sent.histogram_bucket_overrides,
    )


def report_options(sent: OpenTelemetryConfig) -> dict[str, Any]:
    """What the core's reporter is made with."""
    interval = _INTERVAL if sent.metric_periodicity is None else sent.metric_periodicity
    return {
        "endpoint": sent.url,
        "headers": list((sent.headers or {}).items()),
        "interval_ms": interval // timedelta(milliseconds=1),
        "delta": sent.metric_temporality is OpenTelemetryMetricTemporality.DELTA,
    }


class RuntimeMeter(common.MetricMeter):
    """Makes metrics in a registry."""

    def __init__(
        self, metrics: Any, telemetry: TelemetryConfig, prometheus: PrometheusConfig,
        attributes: common.MetricAttributes,
    ) -> None:
        self._registry = metrics
        self._telemetry = telemetry
        self._prometheus = prometheus
        self._attributes = attributes

    def create_counter(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricCounter:
        return _Counter(self, name, description, unit, self._attributes)

    def create_histogram(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogram:
        return _Histogram(self, name, description, unit, self._attributes)

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogramFloat:
        return _HistogramFloat(self, name, description, unit, self._attributes)

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogramTimedelta:
        return _HistogramTimedelta(self, name, description, unit, self._attributes)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> common.MetricGauge:
        return _Gauge(self, name, description, unit, self._attributes)

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricGaugeFloat:
        return _GaugeFloat(self, name, description, unit, self._attributes)

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> common.MetricMeter:
        return type(self)(
            self._registry, self._telemetry, self._prometheus, {**self._attributes, **additional_attributes}
        )

    def check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name of a metric: letters, digits, '_', '-', '.', '/' and ':' make one, a letter first"
            )

    def instrument(self, metric: _Metric, attributes: common.MetricAttributes) -> Any:
        """What counts for the metric with these attributes."""
        name = self.full_name(metric.name, metric.unit)
        bounds = [self.bounds(metric.name)] if metric.kind == "histogram" else []
        make = getattr(self._registry, metric.kind)
        return make(name, metric.description or "", self.tags(attributes), *bounds, unit=self.unit_of(metric))

    def unit_of(self, metric: _Metric) -> str:
        duration = ("s" if self._prometheus.durations_as_seconds else "ms") if metric.is_duration else ""
        return metric.unit or duration

    def tags(self, attributes: common.MetricAttributes) -> list[tuple[str, str]]:
        tags = {key: _text(value) for key, value in attributes.items()}
        if self._telemetry.attach_service_name:
            tags.setdefault("service_name", "chimera")
        return list(tags.items())

    def bounds(self, name: str) -> list[float]:
        return list((self._prometheus.histogram_bucket_overrides or {}).get(name, _BUCKETS))

    def in_unit(self, duration: timedelta) -> float:
        return duration.total_seconds() * (1 if self._prometheus.durations_as_seconds else 1000)

    def full_name(self, name: str, unit: str | None) -> str:
        return f"{name}_{unit}" if unit and self._prometheus.unit_suffix else name


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Metric(common.MetricCommon):
    """One metric with some attributes; its instruments are looked up once for each further set of them."""

    kind: ClassVar[str]
    is_duration: ClassVar[bool] = False

    def __init__(
        self, meter: RuntimeMeter, name: str, description: str | None, unit: str | None,
        attributes: common.MetricAttributes,
    ) -> None:
        meter.check_name(name)
        self._meter = meter
        self._name = name
        self._description = description
        self._unit = unit
        self._attributes = attributes
        self._plain: Any = None
        self._known: dict[tuple[tuple[str, Any], ...], Any] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def description(self) -> str | None:
        return self._description

    @property
    def unit(self) -> str | None:
        return self._unit

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> Self:
        attributes = {**self._attributes, **additional_attributes}
        return type(self)(self._meter, self._name, self._description, self._unit, attributes)

    def _instrument(self, additional: common.MetricAttributes | None) -> Any:
        if not additional:
            if self._plain is None:
                self._plain = self._meter.instrument(self, self._attributes)
            return self._plain
        key = tuple(additional.items())
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._meter.instrument(self, {**self._attributes, **additional})
        return found


def _not_negative(value: float) -> None:
    if value < 0:
        raise ValueError("Metric value cannot be negative")


class _Counter(_Metric, common.MetricCounter):
    kind = "counter"

    def add(self, value: int, additional_attributes: common.MetricAttributes | None = None) -> None:
        _not_negative(value)
        self._instrument(additional_attributes).add(value)


class _Histogram(_Metric, common.MetricHistogram):
    kind = "histogram"

    def record(self, value: int, additional_attributes: common.MetricAttributes | None = None) -> None:
        _not_negative(value)
        self._instrument(additional_attributes).record(value)


class _HistogramFloat(_Metric, common.MetricHistogramFloat):
    kind = "histogram"

    def record(self, value: float, additional_attributes: common.MetricAttributes | None = None) -> None:
        _not_negative(value)
        self._instrument(additional_attributes).record(value)


class _HistogramTimedelta(_Metric, common.MetricHistogramTimedelta):
    kind = "histogram"
    is_duration = True

    def record(self, value: timedelta, additional_attributes: common.MetricAttributes | None = None) -> None:
        _not_negative(value.total_seconds())
        self._instrument(additional_attributes).record(self._meter.in_unit(value))


class _Gauge(_Metric, common.MetricGauge):
    kind = "gauge"

    def set(self, value: int, additional_attributes: common.MetricAttributes | None = None) -> None:
        _not_negative(value)
        self._instrument(additional_attributes).set(value)


class _GaugeFloat(_Metric, common.MetricGaugeFloat):
    kind = "gauge"

    def set(self, value: float, additional_attributes: common.MetricAttributes | None = None) -> None:
        _not_negative(value)
        self._instrument(additional_attributes).set(value)
