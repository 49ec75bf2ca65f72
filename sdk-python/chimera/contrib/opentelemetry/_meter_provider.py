"""Metrics of workflow code, each value counted once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics
from opentelemetry.metrics import Meter, MeterProvider

from chimera.contrib.opentelemetry._replay import Wrapper, repeats_history

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.util.types import Attributes


def _replay_safe(instrument: type, method: str) -> type:
    """A class of instruments whose one recording method does nothing in replay."""

    def record(
        self: Any, amount: int | float, attributes: Attributes | None = None, context: Context | None = None
    ) -> None:
        if not repeats_history():
            # Instruments of OpenTelemetry before 1.28 take no context.
            extra = {} if context is None else {"context": context}
            getattr(self._inner, method)(amount, attributes, **extra)

    return type(f"_ReplaySafe{instrument.__name__}", (Wrapper, instrument), {method: record})


_ReplaySafeCounter = _replay_safe(metrics.Counter, "add")
_ReplaySafeUpDownCounter = _replay_safe(metrics.UpDownCounter, "add")
_ReplaySafeHistogram = _replay_safe(metrics.Histogram, "record")
_ReplaySafeGauge = _replay_safe(metrics._Gauge, "set")


class _ReplaySafeMeter(Meter):
    """Callbacks of observable instruments run with the reader, never in a workflow; they stay as they are."""

    def __init__(self, inner: Meter) -> None:
        super().__init__(inner.name, version=inner.version, schema_url=inner.schema_url)
        self._inner = inner

    def create_counter(self, name: str, unit: str = "", description: str = "") -> metrics.Counter:
        return _ReplaySafeCounter(self._inner.create_counter(name, unit, description))

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> metrics.UpDownCounter:
        return _ReplaySafeUpDownCounter(self._inner.create_up_down_counter(name, unit, description))

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> metrics._Gauge:
        return _ReplaySafeGauge(self._inner.create_gauge(name, unit, description))

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> metrics.Histogram:
        advice: dict[str, Any] = {}
        if explicit_bucket_boundaries_advisory is not None:  # Unknown before OpenTelemetry 1.30.
            advice["explicit_bucket_boundaries_advisory"] = explicit_bucket_boundaries_advisory
        return _ReplaySafeHistogram(self._inner.create_histogram(name, unit, description, **advice))

    def create_observable_counter(self, *args: Any, **kwargs: Any) -> metrics.ObservableCounter:
        return self._inner.create_observable_counter(*args, **kwargs)

    def create_observable_gauge(self, *args: Any, **kwargs: Any) -> metrics.ObservableGauge:
        return self._inner.create_observable_gauge(*args, **kwargs)

    def create_observable_up_down_counter(self, *args: Any, **kwargs: Any) -> metrics.ObservableUpDownCounter:
        return self._inner.create_observable_up_down_counter(*args, **kwargs)


class ReplaySafeMeterProvider(Wrapper, MeterProvider):
    """A provider whose instruments record nothing in replayed workflow code."""

    def __init__(self, meter_provider: MeterProvider) -> None:
        """Around the provider that does the work."""
        super().__init__(meter_provider)

    def get_meter(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Meter:
        """The wrapped provider's meter, silent in replay."""
        return _ReplaySafeMeter(self._inner.get_meter(name, version, schema_url, attributes))
