"""MetricsExporter: the metrics of a runtime, by OpenTelemetry's way of exporting them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeAlias

from opentelemetry import metrics

from chimera.common import MetricAttributes
from chimera.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_GAUGE,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    BufferedMetricUpdate,
    MetricBuffer,
)

logger = logging.getLogger("temporalio.contrib.opentelemetry")

_Record: TypeAlias = Callable[[int | float, MetricAttributes], None]


class _LastValues:
    """A gauge. What it was last is told in every report, not in the next one alone; reports come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By the object, which is the same for the same attributes; the buffer keeps it.
        self._values: dict[int, metrics.Observation] = {}

    def record(self, value: int | float, attributes: MetricAttributes) -> None:
        with self._lock:
            self._values[id(attributes)] = metrics.Observation(value, dict(attributes))

    def observe(self, options: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        with self._lock:
            return list(self._values.values())


class MetricsExporter:
    """Hands what a `MetricBuffer` holds to a meter provider, again and again, while the block runs:

        buffer = MetricBuffer(10_000)
        runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
        async with MetricsExporter(buffer, MeterProvider(readers)):
            client = await Client.connect(address, runtime=runtime)
            ...

    The runtime comes first. It is the loop's, and not to be used by several at once. Experimental, as in temporalio.
    """

    def __init__(
        self,
        buffer: MetricBuffer,
        meter_provider: metrics.MeterProvider | None = None,
        *,
        meter_name: str = "chimera",
        meter_version: str | None = None,
        poll_interval: timedelta = timedelta(seconds=1),
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Without a provider the global one. A buffer that is full between two polls drops what comes.

        What goes wrong is logged, and told to `on_error`; the next poll goes on.

        Raises:
            ValueError: The interval is not positive.
        """
        if poll_interval <= timedelta(0):
            raise ValueError(f"poll_interval must be positive, not {poll_interval}")
        self._buffer = buffer
        self._meter = (meter_provider or metrics.get_meter_provider()).get_meter(meter_name, meter_version)
        self._poll_interval = poll_interval.total_seconds()
        self._on_error = on_error
        self._records: dict[BufferedMetric, _Record] = {}
        self._runs = False
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()

    async def run(self) -> None:
        """Exports until `shutdown()`, then what is left.

        Raises:
            RuntimeError: It runs already, or no runtime has the buffer.
        """
        if self._runs:
            raise RuntimeError("MetricsExporter is already running")
        self._runs = True
        self._stopped.clear()
        try:
            self._export()
            while not self._stop.is_set():
                try:
                    await asyncio.wait_for(self._stop.wait(), self._poll_interval)
                except asyncio.TimeoutError:
                    pass
                finally:  # When cancelled, too: nothing is lost.
                    self._export()
        finally:
            self._runs = False
            self._stop.clear()
            self._stopped.set()

    async def shutdown(self) -> None:
        """Ends `run()`, and returns when the last is exported; at once where nothing runs."""
        self._stop.set()
        await self._stopped.wait()

    async def __aenter__(self) -> MetricsExporter:
        """Runs in a task."""
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Shuts down, and raises what `run()` raised."""
        self._stop.set()  # Also of a task that has not begun yet.
        if self._task is not None:
            await self._task

    def _export(self) -> None:
        for update in self._retrieve():
            try:
                self._record(update)
            except Exception as error:
                self._failed(error)

    def _retrieve(self) -> Iterable[BufferedMetricUpdate]:
        try:
            return self._buffer.retrieve_updates()
        except RuntimeError:  # No runtime has it: that does not pass.
            raise
        except Exception as error:
            self._failed(error)
            return ()

    def _record(self, update: BufferedMetricUpdate) -> None:
        record = self._records.get(update.metric)
        if record is None:
            record = self._records[update.metric] = self._instrument(update.metric)
        record(update.value, update.attributes)

    def _instrument(self, metric: BufferedMetric) -> _Record:
        names: dict[str, Any] = {"unit": metric.unit or "", "description": metric.description or ""}
        if metric.kind == BUFFERED_METRIC_KIND_COUNTER:
            return self._meter.create_counter(metric.name, **names).add
        if metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
            return self._meter.create_histogram(metric.name, **names).record
        if metric.kind == BUFFERED_METRIC_KIND_GAUGE:
            gauge = _LastValues()
            self._meter.create_observable_gauge(metric.name, [gauge.observe], **names)
            return gauge.record
        raise ValueError(f"The metric {metric.name} is of a kind that OpenTelemetry does not have: {metric.kind}")

    def _failed(self, error: Exception) -> None:
        logger.error("Metrics could not be exported", exc_info=error)
        if self._on_error is not None:
            try:
                self._on_error(error)
            except Exception:
                logger.exception("on_error of a MetricsExporter failed")
