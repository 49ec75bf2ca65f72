"""Ids of spans that are the same in every replay."""

from __future__ import annotations

import random

from opentelemetry.sdk.trace.id_generator import IdGenerator

from chimera import workflow

_RANDOM = "__temporal_otel_id_random"  # Kept with the workflow's instance, which is one run's.


def _random_of_run() -> random.Random | None:
    """Its own source, so that tracing does not change what workflow.random() gives; None outside of workflows."""
    if not workflow.in_workflow() or workflow.unsafe.is_read_only():
        return None
    instance = workflow.instance()
    if not hasattr(instance, _RANDOM):
        setattr(instance, _RANDOM, workflow.new_random())
    return getattr(instance, _RANDOM)


def _not_zero(source: random.Random, bits: int) -> int:
    while not (drawn := source.getrandbits(bits)):  # Zero is no valid id.
        pass
    return drawn


class TemporalIdGenerator(IdGenerator):
    """Draws from the run's random numbers in workflow code, and from another generator elsewhere."""

    def __init__(self, id_generator: IdGenerator) -> None:
        """With the generator for code that is not a workflow's."""
        self._elsewhere = id_generator

    def generate_span_id(self) -> int:
        """64 bits."""
        source = _random_of_run()
        return self._elsewhere.generate_span_id() if source is None else _not_zero(source, 64)

    def generate_trace_id(self) -> int:
        """128 bits."""
        source = _random_of_run()
        return self._elsewhere.generate_trace_id() if source is None else _not_zero(source, 128)
