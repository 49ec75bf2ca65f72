"""The meter of workflow code: records nothing while history is replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import Self

import chimera.common as common

if TYPE_CHECKING:
    from chimera.worker._run import Run


class ReplaySafeMetric(
    common.MetricCounter,
    common.MetricHistogram,
    common.MetricHistogramFloat,
    common.MetricHistogramTimedelta,
    common.MetricGauge,
    common.MetricGaugeFloat,
):
    """Any kind of metric: hands on what it is given unless the run replays."""

    def __init__(self, run: Run, metric: Any) -> None:
        self._run = run
        self._metric = metric

    @property
    def name(self) -> str:
        return self._metric.name

    @property
    def description(self) -> str | None:
        return self._metric.description

    @property
    def unit(self) -> str | None:
        return self._metric.unit

    def with_additional_attributes(self, additional_attributes: common.MetricAttributes) -> Self:
        more = self._metric.with_additional_attributes(additional_attributes)
        return type(self)(self._run, more)

    def add(self, value: Any, additional_attributes: Any = None) -> None:
        if not self._run.is_replaying:
            self._metric.add(value, additional_attributes)

    def record(self, value: Any, additional_attributes: Any = None) -> None:
        if not self._run.is_replaying:
            self._metric.record(value, additional_attributes)

    def set(self, value: Any, additional_attributes: Any = None) -> None:
        if not self._run.is_replaying:
            self._metric.set(value, additional_attributes)


class ReplaySafeMeter(common.MetricMeter):
    """Makes such metrics."""

    def __init__(self, run: Run, meter: common.MetricMeter) -> None:
        self._run = run
        self._meter = meter

    def _make(self, kind: str, about: tuple) -> Any:
        return ReplaySafeMetric(self._run, getattr(self._meter, kind)(*about))

    def create_counter(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricCounter:
        return self._make("create_counter", (name, description, unit))

    def create_histogram(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogram:
        return self._make("create_histogram", (name, description, unit))

    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogramFloat:
        return self._make("create_histogram_float", (name, description, unit))

    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricHistogramTimedelta:
        return self._make("create_histogram_timedelta", (name, description, unit))

    def create_gauge(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricGauge:
        return self._make("create_gauge", (name, description, unit))

    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> common.MetricGaugeFloat:
        return self._make("create_gauge_float", (name, description, unit))

    def with_additional_attributes(
        self, additional_attributes: common.MetricAttributes
    ) -> common.MetricMeter:
        more = self._meter.with_additional_attributes(additional_attributes)
        return ReplaySafeMeter(self._run, more)
