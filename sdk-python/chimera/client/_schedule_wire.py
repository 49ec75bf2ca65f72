"""Schedules to and from the protocol's messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import chimera.converter
from chimera import _api, common
from chimera.client import _requests
from chimera.client._enums import ScheduleOverlapPolicy
from chimera.client._schedule import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)
from chimera.client._workflow import time_or_none

if TYPE_CHECKING:
    from chimera.client._client import Client

_CALENDAR_PARTS = ("second", "minute", "hour", "day_of_month", "month", "year", "day_of_week")


def to_utc(stamp: Any) -> datetime:
    """A timestamp message as a time."""
    return stamp.ToDatetime().replace(tzinfo=timezone.utc)


def _calendar(spec: ScheduleCalendarSpec) -> Any:
    parts = {
        part: [_api.schedule.Range(start=r.start, end=r.end, step=r.step) for r in getattr(spec, part)]
        for part in _CALENDAR_PARTS
    }
    return _api.schedule.StructuredCalendarSpec(comment=spec.comment or "", **parts)


def _read_calendar(spec: Any) -> ScheduleCalendarSpec:
    parts = {
        part: tuple(ScheduleRange(r.start, r.end, r.step) for r in getattr(spec, part)) for part in _CALENDAR_PARTS
    }
    return ScheduleCalendarSpec(comment=spec.comment or None, **parts)


def _spec(spec: ScheduleSpec) -> Any:
    message = _api.schedule.ScheduleSpec(
        structured_calendar=[_calendar(calendar) for calendar in spec.calendars],
        exclude_structured_calendar=[_calendar(calendar) for calendar in spec.skip],
        cron_string=spec.cron_expressions,
        timezone_name=spec.time_zone_name or "",
    )
    for interval in spec.intervals:
        _requests.set_durations(message.interval.add(), interval=interval.every, phase=interval.offset)
    if spec.start_at:
        message.start_time.FromDatetime(spec.start_at)
    if spec.end_at:
        message.end_time.FromDatetime(spec.end_at)
    _requests.set_durations(message, jitter=spec.jitter)
    return message


def read_spec(spec: Any) -> ScheduleSpec:
    """A ScheduleSpec message."""
    return ScheduleSpec(
        calendars=[_read_calendar(calendar) for calendar in spec.structured_calendar],
        intervals=[
            ScheduleIntervalSpec(
                every=interval.interval.ToTimedelta(),
                offset=interval.phase.ToTimedelta() if interval.HasField("phase") else None,
            )
            for interval in spec.interval
        ],
        cron_expressions=spec.cron_string,
        skip=[_read_calendar(calendar) for calendar in spec.exclude_structured_calendar],
        start_at=time_or_none(spec, "start_time"),
        end_at=time_or_none(spec, "end_time"),
        jitter=spec.jitter.ToTimedelta() if spec.HasField("jitter") else None,
        time_zone_name=spec.timezone_name or None,
    )


async def _encoded(converter: chimera.converter.DataConverter, values: Sequence[Any]) -> list[Any]:
    """Payloads of the values; what is a payload already, because a server told it, stays as it is."""
    payload = _api.common.Payload
    return [v if isinstance(v, payload) else (await converter.encode([v]))[0] for v in values]


async def _action(client: Client, action: ScheduleActionStartWorkflow) -> Any:
    converter = _requests.converter_for(client, action.id, workflow_type=action.workflow)
    message = _api.schedule.ScheduleAction()
    start = message.start_workflow
    start.workflow_id = action.id
    start.workflow_type.name = action.workflow
    start.task_queue.name = action.task_queue
    if action.args:
        start.input.payloads.extend(await _encoded(converter, action.args))
    _requests.set_durations(
        start,
        workflow_execution_timeout=action.execution_timeout,
        workflow_run_timeout=action.run_timeout,
        workflow_task_timeout=action.task_timeout,
    )
    if action.retry_policy:
        action.retry_policy.apply_to_proto(start.retry_policy)
    if action.memo:
        await converter._encode_memo_existing(action.memo, start.memo)
    for name in ("summary", "details"):
        value = getattr(action, f"static_{name}")
        if value is not None:
            getattr(start.user_metadata, name).CopyFrom((await _encoded(converter, [value]))[0])
    start.priority.CopyFrom(action.priority._to_proto())
    untyped = {
        name: value
        for name, value in action.untyped_search_attributes.items()
        if name not in {pair.key.name for pair in action.typed_search_attributes}
    }
    for attributes in (untyped, action.typed_search_attributes):
        if attributes:
            chimera.converter.encode_search_attributes(attributes, start.search_attributes)
    if action._from_raw:  # What a server told has been through the codec.
        common._apply_headers(action.headers, start.header.fields)
    else:
        await _requests.apply_headers(client, action.headers, start.header.fields)
    return message


async def schedule_message(client: Client, schedule: Schedule) -> Any:
    """A Schedule message."""
    if not isinstance(schedule.action, ScheduleActionStartWorkflow):
        raise TypeError(f"Unknown schedule action {type(schedule.action).__name__}")
    message = _api.schedule.Schedule(
        spec=_spec(schedule.spec),
        action=await _action(client, schedule.action),
        policies=_api.schedule.SchedulePolicies(
            overlap_policy=_api.number(schedule.policy.overlap), pause_on_failure=schedule.policy.pause_on_failure
        ),
        state=_api.schedule.ScheduleState(
            notes=schedule.state.note or "",
            paused=schedule.state.paused,
            limited_actions=schedule.state.limited_actions,
            remaining_actions=schedule.state.remaining_actions,
        ),
    )
    _requests.set_durations(message.policies, catchup_window=schedule.policy.catchup_window)
    return message


def read_schedule(message: Any) -> Schedule:
    """A Schedule message."""
    if not message.action.HasField("start_workflow"):
        raise ValueError(f"Unknown schedule action {message.action.WhichOneof('action')}")
    policies, state = message.policies, message.state
    return Schedule(
        action=ScheduleActionStartWorkflow("", raw_info=message.action.start_workflow),
        spec=read_spec(message.spec),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy(policies.overlap_policy or ScheduleOverlapPolicy.SKIP),
            catchup_window=policies.catchup_window.ToTimedelta() if policies.HasField("catchup_window") else None,
            pause_on_failure=policies.pause_on_failure,
        ),
        state=ScheduleState(state.notes or None, state.paused, state.limited_actions, state.remaining_actions),
    )


def backfill_messages(backfills: Iterable[ScheduleBackfill]) -> list[Any]:
    """BackfillRequest messages."""
    result = []
    for backfill in backfills:
        request = _api.schedule.BackfillRequest(overlap_policy=_api.number(backfill.overlap or 0))
        request.start_time.FromDatetime(backfill.start_at)
        request.end_time.FromDatetime(backfill.end_at)
        result.append(request)
    return result
