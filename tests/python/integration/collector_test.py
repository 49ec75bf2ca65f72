"""A runtime's metrics at a collector, read by OpenTelemetry's own messages."""

import http.server
import queue
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from chimera.client import Client
from chimera.runtime import OpenTelemetryConfig, OpenTelemetryMetricTemporality, Runtime, TelemetryConfig
from chimera.testing import WorkflowEnvironment

PATIENCE = 60


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        reports: queue.Queue[tuple[dict[str, str], ExportMetricsServiceRequest]] = queue.Queue()
        self.reports = reports

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reports.put((dict(self.headers), ExportMetricsServiceRequest.FromString(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/metrics"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def config(self, **options) -> OpenTelemetryConfig:
        return OpenTelemetryConfig(self.url, http=True, **options)


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


def metrics(report: ExportMetricsServiceRequest) -> dict:
    return {metric.name: metric for metric in report.resource_metrics[0].scope_metrics[0].metrics}


async def test_metrics_have_the_official_names(collector: Collector, env: WorkflowEnvironment):
    telemetry = TelemetryConfig(metrics=collector.config(headers={"Api-Key": "k"}), global_tags={"team": "x"})
    runtime = Runtime(telemetry=telemetry)
    await Client.connect(env.client.service_client.config.target_host, runtime=runtime)
    runtime.metric_meter.create_counter("sold", "Things sold", "kg").add(3, {"colour": "red"})
    runtime.metric_meter.create_histogram_timedelta("took").record(timedelta(seconds=1.5))
    runtime.metric_meter.create_histogram("sized").record(60)
    del runtime  # It reports once more.

    while "sized" not in metrics((last := collector.reports.get(timeout=PATIENCE))[1]):
        pass
    headers, report = last
    assert headers["Api-Key"] == "k" and headers["Content-Type"] == "application/x-protobuf"
    resource = {a.key: a.value.string_value for a in report.resource_metrics[0].resource.attributes}
    assert resource["service.name"] == "chimera" and resource["team"] == "x"
    found = metrics(report)
    sold = found["sold"]
    assert sold.unit == "kg" and sold.description == "Things sold" and sold.sum.is_monotonic
    (point,) = sold.sum.data_points
    assert point.as_int == 3
    assert {a.key: a.value.string_value for a in point.attributes} == {"colour": "red", "service_name": "chimera"}
    assert found["took"].unit == "ms" and found["took"].histogram.data_points[0].sum == 1500
    assert list(found["sized"].histogram.data_points[0].explicit_bounds) == [50, 100, 500, 1000, 2500, 10000]
    operations = {a.value.string_value for p in found["temporal_request"].sum.data_points for a in p.attributes}
    assert "GetSystemInfo" in operations


def test_deltas_begin_anew_with_each_report(collector: Collector):
    config = collector.config(
        metric_periodicity=timedelta(milliseconds=1),
        metric_temporality=OpenTelemetryMetricTemporality.DELTA,
        durations_as_seconds=True,
        histogram_bucket_overrides={"took": [1.0, 2.0]},
    )
    runtime = Runtime(telemetry=TelemetryConfig(metrics=config))
    counter = runtime.metric_meter.create_counter("sold")

    for count in (3, 2):
        counter.add(count)
        (point,) = metrics(collector.reports.get(timeout=PATIENCE)[1])["sold"].sum.data_points
        assert point.as_int == count
    runtime.metric_meter.create_histogram_timedelta("took").record(timedelta(milliseconds=1500))
    took = metrics(collector.reports.get(timeout=PATIENCE)[1])["took"]
    assert took.unit == "s"
    assert list(took.histogram.data_points[0].bucket_counts) == [0, 1, 0]


def test_wrong_options_are_named():
    for config, said in [
        (OpenTelemetryConfig("localhost:4318", http=True), "endpoint"),
        (OpenTelemetryConfig("http://localhost:4318", http=True, metric_periodicity=timedelta()), "interval"),
        (OpenTelemetryConfig("http://localhost:4318", http=True, headers={"a b": "c"}), "headers"),
    ]:
        with pytest.raises(ValueError, match=said):
            Runtime(telemetry=TelemetryConfig(metrics=config))
