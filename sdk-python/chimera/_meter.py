"""The meter of a runtime that serves metrics: what users count goes into the core's registry, beside its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from typing_extensions import Self

from chimera import common

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")

# Makes the core's instrument of a name, a description and tags.
Make = Callable[[str, str, list[tuple[str, str]]], Any]


class _Metric(common.MetricCommon):
    def __init__(
        self, make: Make, name: str, description: str | None, unit: str | None, attributes: common.MetricAttributes
    ) -> None:
        self._make = make
        self._name = name
        self._description = description
        self._unit = unit
        self._attributes = dict(attributes)
        self._instruments: dict[tuple[tuple[str, str], ...], Any] = {}
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a metric: letters, digits, '_' and ':' make one, no digit first")

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def description(self) -> str | None:
        """What it counts."""
        return self._description

    @property
    def unit(self) -> str | None:
        """Its unit."""
        return self._unit

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> Self:
        """The same metric with more tags on every value."""
        attributes = {**self._attributes, **additional_attributes}
        return type(self)(self._make, self._name, self._description, self._unit, attributes)

    def _instrument(self, more: common.MetricAttributes | None) -> Any:
        attributes = {**self._attributes, **more} if more else self._attributes
        tags = tuple((key, str(value)) for key, value in sorted(attributes.items()))
        found = self._instruments.get(tags)
        if found is None:
            found = self._instruments[tags] = self._make(self._name, self._description or "", list(tags))
        return found

    def _of(self, value: Any, more: common.MetricAttributes | None) -> Any:
        if value < 0:
            raise ValueError(f"Metric {self._name} cannot take {value}: it is negative")
        return self._instrument(more)


class _Counter(_Metric, common.MetricCounter):
    def add(self, value: int, additional_attributes: common.MetricAttributes | None = None) -> None:
        self._of(value, additional_attributes).add(value)


class _Histogram(_Metric, common.MetricHistogram, common.MetricHistogramFloat):
    def record(self, value: float, additional_attributes: common.MetricAttributes | None = None) -> None:
        self._of(value, additional_attributes).record(value)


class _HistogramTimedelta(_Metric, common.MetricHistogramTimedelta):
    def record(self, value: timedelta, additional_attributes: common.MetricAttributes | None = None) -> None:
        milliseconds = value / timedelta(milliseconds=1)
        self._of(milliseconds, additional_attributes).record(milliseconds)


class _Gauge(_Metric, common.MetricGauge, common.MetricGaugeFloat):
    def set(self, value: float, additional_attributes: common.MetricAttributes | None = None) -> None:
        self._of(value, additional_attributes).set(value)


class Meter(common.MetricMeter):
    """Any thread."""

    def __init__(self, bridge: Any, attributes: Mapping[str, Any] | None = None) -> None:
        """`bridge` has the three makers of instruments; `attributes` are tags on every value."""
        self._bridge = bridge
        self._attributes = dict(attributes or {})

    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        """A count that only grows."""
        return _Counter(self._bridge.counter, name, description, unit, self._attributes)

    def create_histogram(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        """A distribution of integers."""
        return _Histogram(self._bridge.histogram, name, description, unit, self._attributes)

    def create_histogram_float(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        """A distribution of floats."""
        return _Histogram(self._bridge.histogram, name, description, unit, self._attributes)

    def create_histogram_timedelta(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        """A distribution of durations, in milliseconds."""
        return _HistogramTimedelta(self._bridge.histogram, name, description, unit, self._attributes)

    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        """An integer level."""
        return _Gauge(self._bridge.gauge, name, description, unit, self._attributes)

    def create_gauge_float(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        """A float level."""
        return _Gauge(self._bridge.gauge, name, description, unit, self._attributes)

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> Meter:
        """A meter with more tags on every value."""
        return Meter(self._bridge, {**self._attributes, **additional_attributes})
