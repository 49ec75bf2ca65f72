"""Functions of workflow code about its run: time, randomness, memo, versions, waiting."""

from __future__ import annotations

import random as random_module
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, overload

import chimera.common
import chimera.converter
from chimera.types import AnyType, ParamType
from chimera.workflow._event_groups import EventGroup, refuse_event_groups
from chimera.workflow._info import Info
from chimera.workflow._runtime import current, maybe_current


def in_workflow() -> bool:
    """Whether this is called by workflow code."""
    return maybe_current() is not None


def info() -> Info:
    """About the run."""
    return current().outbound.info()


def instance() -> Any:
    """The workflow object."""
    return current().object


def payload_converter() -> chimera.converter.PayloadConverter:
    """The converter of this run's values."""
    return current().payload_converter


def extern_functions() -> Mapping[str, Callable[..., Any]]:
    """Functions that interceptors brought from outside of the workflow."""
    return current().extern_functions


def metric_meter() -> chimera.common.MetricMeter:
    """A meter that records nothing while history is replayed."""
    return current().metric_meter()


def cancellation_reason() -> str | None:
    """Why cancellation of the workflow was asked for; None if it was not."""
    return current().cancel_reason


def is_failure_exception(err: BaseException) -> bool:
    """Whether the exception would fail the workflow rather than its task."""
    return current().is_failure_exception(err)


def time_ns() -> int:
    """Nanoseconds since the epoch, by the clock of the history."""
    return current().loop.now_ns


def time() -> float:
    """Seconds since the epoch, by the clock of the history."""
    return time_ns() / 1e9


def now() -> datetime:
    """The time of the history, in UTC."""
    return datetime.fromtimestamp(time(), timezone.utc)


def random() -> random_module.Random:
    """The run's generator: the same numbers in replay."""
    run = current()
    run.loop.check("random")
    return run.random


def random_seed() -> int:
    """The seed of the run's generator."""
    return current().seed


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Call back with the new seed when a reset changes it."""
    run = current()
    run.loop.check("register random seed callback")
    run.on_reseed(callback)


def new_random(name: str | None = None) -> random_module.Random:
    """A generator of its own, seeded by the run's seed and the name, again after a reset."""

    def derive(seed: int) -> int | str:
        return seed if name is None else f"{seed}:{name}"

    generator = random_module.Random(derive(random_seed()))
    register_random_seed_callback(lambda seed: generator.seed(derive(seed)))
    return generator


def uuid4() -> uuid.UUID:
    """A random UUID: the same one in replay."""
    return uuid.UUID(int=random().getrandbits(128), version=4)


def uuid7() -> uuid.UUID:
    """A UUID of the time and random bits: the same one in replay."""
    milliseconds = (time_ns() // 1_000_000) & ((1 << 48) - 1)
    generator = random()
    high, low = generator.getrandbits(12), generator.getrandbits(62)
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)


def patched(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> bool:
    """Whether this run takes the changed path: yes for new runs, as recorded for old ones."""
    refuse_event_groups(event_groups)
    return current().patch(id, deprecated=False)


def deprecate_patch(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Keep the mark of a patch whose old path is gone from the code."""
    refuse_event_groups(event_groups)
    current().patch(id, deprecated=True)


def memo() -> Mapping[str, Any]:
    """The memo's values, decoded without hints."""
    return current().memo()


@overload
def memo_value(key: str, default: Any = chimera.common._arg_unset) -> Any: ...


@overload
def memo_value(key: str, *, type_hint: type[ParamType]) -> ParamType: ...


@overload
def memo_value(
    key: str, default: AnyType, *, type_hint: type[ParamType]
) -> AnyType | ParamType: ...


def memo_value(
    key: str, default: Any = chimera.common._arg_unset, *, type_hint: type | None = None
) -> Any:
    """One value of the memo; KeyError if it is not there and no default is given."""
    return current().memo_value(key, default, type_hint)


def upsert_memo(
    updates: Mapping[str, Any], *, event_groups: Sequence[EventGroup] | None = None
) -> None:
    """Change the memo; None removes a key."""
    refuse_event_groups(event_groups)
    current().upsert_memo(updates)


def upsert_search_attributes(
    attributes: (
        chimera.common.SearchAttributes | Sequence[chimera.common.SearchAttributeUpdate[Any]]
    ),
    *,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Change search attributes. The mapping form is deprecated."""
    if not attributes:
        return
    refuse_event_groups(event_groups)
    chimera.common._warn_on_deprecated_search_attributes(attributes)
    current().upsert_search_attributes(attributes)


def get_current_details() -> str:
    """The text that users see as the workflow's present state."""
    return current().current_details


def set_current_details(description: str) -> None:
    """Set that text."""
    run = current()
    run.loop.check("set current details")
    run.current_details = description


def has_last_completion_result() -> bool:
    """Whether an earlier run of this schedule or cron left a result."""
    return current().has_last_completion_result()


@overload
def get_last_completion_result() -> Any | None: ...


@overload
def get_last_completion_result(type_hint: type[ParamType]) -> ParamType | None: ...


def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """What the last successful run of this schedule or cron returned."""
    return current().last_completion_result(type_hint)


def get_last_failure() -> BaseException | None:
    """Why the run before this one failed, if it did."""
    return current().last_failure()


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


async def sleep(
    duration: float | timedelta,
    *,
    summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Wait for a durable timer."""
    refuse_event_groups(event_groups)
    await current().sleep(_seconds(duration), summary)


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,
    timeout_summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Wait until the function returns true; asyncio.TimeoutError if the timeout runs out first."""
    refuse_event_groups(event_groups)
    limit = None if timeout is None else _seconds(timeout)
    await current().wait_condition(fn, limit, timeout_summary)
