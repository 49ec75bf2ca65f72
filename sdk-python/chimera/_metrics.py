"""Metrics as user code makes them: the abstract classes, and a meter that records nothing.

Public under `chimera.common`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, TypeAlias

from typing_extensions import Self

MetricAttributes: TypeAlias = Mapping[str, str | int | float | bool]


class MetricMeter(ABC):
    """Makes metrics. `activity.metric_meter()` and the like return one."""

    noop: ClassVar[MetricMeter]
    """A meter whose metrics go nowhere."""

    @abstractmethod
    def create_counter(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricCounter:
        """A count that only grows."""

    @abstractmethod
    def create_histogram(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogram:
        """A distribution of integers."""

    @abstractmethod
    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat:
        """A distribution of floats."""

    @abstractmethod
    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta:
        """A distribution of durations; the runtime chooses the unit."""

    @abstractmethod
    def create_gauge(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGauge:
        """An integer level."""

    @abstractmethod
    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat:
        """A float level."""

    @abstractmethod
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        """A meter whose metrics carry these attributes, too."""


class MetricCommon(ABC):
    """What all metrics have."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the metric."""

    @property
    @abstractmethod
    def description(self) -> str | None:
        """What it measures."""

    @property
    @abstractmethod
    def unit(self) -> str | None:
        """Unit of its values."""

    @abstractmethod
    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        """The same metric with these attributes, too."""


class MetricCounter(MetricCommon):
    """A count that only grows."""

    @abstractmethod
    def add(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Add a value that is not negative."""


class MetricHistogram(MetricCommon):
    """A distribution of integers."""

    @abstractmethod
    def record(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Record a value that is not negative."""


class MetricHistogramFloat(MetricCommon):
    """A distribution of floats."""

    @abstractmethod
    def record(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        """Record a value that is not negative."""


class MetricHistogramTimedelta(MetricCommon):
    """A distribution of durations."""

    @abstractmethod
    def record(
        self, value: timedelta, additional_attributes: MetricAttributes | None = None
    ) -> None:
        """Record a duration that is not negative."""


class MetricGauge(MetricCommon):
    """An integer level."""

    @abstractmethod
    def set(self, value: int, additional_attributes: MetricAttributes | None = None) -> None:
        """Set the level."""


class MetricGaugeFloat(MetricCommon):
    """A float level."""

    @abstractmethod
    def set(self, value: float, additional_attributes: MetricAttributes | None = None) -> None:
        """Set the level."""


class _NoopMetric(
    MetricCounter,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricGauge,
    MetricGaugeFloat,
):
    """Every kind of metric at once, going nowhere."""

    def __init__(self, name: str, description: str | None, unit: str | None) -> None:
        self._about = (name, description, unit)

    @property
    def name(self) -> str:
        return self._about[0]

    @property
    def description(self) -> str | None:
        return self._about[1]

    @property
    def unit(self) -> str | None:
        return self._about[2]

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> Self:
        return self

    def _drop(self, value: Any, additional_attributes: MetricAttributes | None = None) -> None:
        pass

    add = record = set = _drop


class _NoopMeter(MetricMeter):
    def _create(self, name: str, description: str | None = None, unit: str | None = None) -> Any:
        return _NoopMetric(name, description, unit)

    create_counter = create_gauge = create_gauge_float = _create
    create_histogram = create_histogram_float = create_histogram_timedelta = _create

    def with_additional_attributes(self, additional_attributes: MetricAttributes) -> MetricMeter:
        return self


MetricMeter.noop = _NoopMeter()
