"""Spans that a test keeps, and how they are written."""

from collections.abc import Iterable

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

KINDS = {SpanKind.INTERNAL: "internal", SpanKind.SERVER: "server", SpanKind.CLIENT: "client"}


def tree(exporter: InMemorySpanExporter) -> list[str]:
    """A line for each span, indented below its parent: `KIND NAME`, an error, and the names of what it links to.

    Siblings are sorted: a span that a replay began anew has another clock's time than one that began live.
    """
    spans = exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans}

    def write(parent: int | None, depth: int) -> list[str]:
        blocks = [
            ["  " * depth + line(span, names), *write(span.context.span_id, depth + 1)]
            for span in below(spans, parent, names)
        ]
        return [each for block in sorted(blocks) for each in block]

    return write(None, 0)


def below(spans: Iterable[ReadableSpan], parent: int | None, names: dict[int, str]) -> list[ReadableSpan]:
    def parent_of(span: ReadableSpan) -> int | None:
        return span.parent.span_id if span.parent and span.parent.span_id in names else None

    return [span for span in spans if parent_of(span) == parent]


def line(span: ReadableSpan, names: dict[int, str]) -> str:
    text = f"{KINDS[span.kind]} {span.name}"
    if span.status.status_code is StatusCode.ERROR:
        text += f" ! {span.status.description}"
    for event in span.events:
        text += f" [{event.name}: {(event.attributes or {})['exception.message']}]"
    for link in span.links:
        text += f" -> {names.get(link.context.span_id, 'somebody else')}"
    return text


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    """The only one of this name."""
    (found,) = (span for span in exporter.get_finished_spans() if span.name == name)
    return found
