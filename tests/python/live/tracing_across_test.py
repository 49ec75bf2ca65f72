"""One trace through both languages: TracingInterceptor here, chimera::tracing_interceptor in tracing_peer.cc."""

import asyncio
import pathlib
import subprocess
from dataclasses import dataclass
from datetime import timedelta

import pytest
from live_support import BUILD, worker
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chimera import activity, workflow
from chimera.client import Client
from chimera.contrib.opentelemetry import TracingInterceptor

PROGRAM = str(BUILD / "tests/tracing_peer")
PATIENCE = 30
SPANS = InMemorySpanExporter()


@dataclass(frozen=True)
class Seen:
    """A span of either language, as hexadecimal digits; - for none."""

    name: str
    trace: str
    span: str
    parent: str
    link: str


@pytest.fixture
def traced(client: Client) -> Client:
    SPANS.clear()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    interceptor = TracingInterceptor(provider.get_tracer("test"))
    return Client(**{**client.config(), "interceptors": [interceptor]})


def of_python() -> list[Seen]:
    return [
        Seen(
            span.name,
            f"{span.context.trace_id:032x}",
            f"{span.context.span_id:016x}",
            f"{span.parent.span_id:016x}" if span.parent else "-",
            f"{span.links[0].context.span_id:016x}" if span.links else "-",
        )
        for span in SPANS.get_finished_spans()
    ]


def of_cpp(told: str) -> list[Seen]:
    return [Seen(*line.split()) for line in told.splitlines() if not line.startswith("result ")]


def chains(spans: list[Seen]) -> list[str]:
    """Each span as `PARENT > NAME`, and `-> LINK`; all are of one trace, but for who signals."""
    names = {span.span: span.name for span in spans} | {"-": "-"}
    return sorted(
        f"{names[span.parent]} > {span.name}" + (f" -> {names[span.link]}" if span.link != "-" else "")
        for span in spans
    )


@activity.defn
async def python_say(word: str) -> str:
    return f"Python says {word}"


@workflow.defn
class PythonTraced:
    def __init__(self) -> None:
        self._word = ""

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: bool(self._word))
        options = {"start_to_close_timeout": timedelta(seconds=10)}
        said = await workflow.execute_activity(python_say, self._word, **options)
        shouted: str = await workflow.execute_activity(
            "cpp_shout", said, task_queue=f"{workflow.info().task_queue}-cpp", result_type=str, **options
        )
        return shouted

    @workflow.signal
    def tell(self, word: str) -> None:
        self._word = word


class CppWorker:
    """Serves a task queue; what it has told is complete when it has ended."""

    def __init__(self, client: Client, task_queue: str, log: pathlib.Path) -> None:
        self._log = log
        command = [PROGRAM, "worker", client.service_client.config.target_host, task_queue]
        with log.open("w") as out:
            self._process = subprocess.Popen(command, stdout=out)

    def end(self) -> list[Seen]:
        self._process.terminate()
        assert self._process.wait(PATIENCE) == 0
        return of_cpp(self._log.read_text())


async def test_from_python_through_a_cpp_workflow_to_a_python_activity(
    traced: Client, name: str, tmp_path: pathlib.Path
):
    cpp = CppWorker(traced, f"{name}-cpp", tmp_path / "spans")
    async with worker(traced, name, 10, python_say):
        handle = await traced.start_workflow("CppTraced", name, id=name, task_queue=f"{name}-cpp", result_type=str)
        await handle.signal("tell", "hello")
        assert await asyncio.wait_for(handle.result(), PATIENCE) == "Python says hello!"
    spans = of_python() + cpp.end()

    start = "StartWorkflow:CppTraced"
    assert chains(spans) == sorted([
        f"- > {start}",
        "- > SignalWorkflow:tell",
        f"{start} > RunWorkflow:CppTraced",
        f"{start} > HandleSignal:tell -> SignalWorkflow:tell",
        f"{start} > StartActivity:python_say",
        "StartActivity:python_say > RunActivity:python_say",
        f"{start} > StartActivity:cpp_shout",
        "StartActivity:cpp_shout > RunActivity:cpp_shout",
        f"{start} > CompleteWorkflow:CppTraced",
    ])  # fmt: skip
    assert len({span.trace for span in spans if span.name != "SignalWorkflow:tell"}) == 1


async def test_from_cpp_through_a_python_workflow_to_a_cpp_activity(
    traced: Client, name: str, tmp_path: pathlib.Path
):
    cpp = CppWorker(traced, f"{name}-cpp", tmp_path / "spans")
    async with worker(traced, name, 10, PythonTraced, python_say):
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "start", traced.service_client.config.target_host, name, name, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0
    assert "result Python says hello!\n" in told.decode()
    spans = of_python() + of_cpp(told.decode()) + cpp.end()

    start = "StartWorkflow:PythonTraced"
    assert chains(spans) == sorted([
        f"- > {start}",
        "- > SignalWorkflow:tell",
        f"{start} > RunWorkflow:PythonTraced",
        f"{start} > HandleSignal:tell -> SignalWorkflow:tell",
        f"{start} > StartActivity:python_say",
        "StartActivity:python_say > RunActivity:python_say",
        f"{start} > StartActivity:cpp_shout",
        "StartActivity:cpp_shout > RunActivity:cpp_shout",
        f"{start} > CompleteWorkflow:PythonTraced",
    ])  # fmt: skip
    assert len({span.trace for span in spans if span.name != "SignalWorkflow:tell"}) == 1
