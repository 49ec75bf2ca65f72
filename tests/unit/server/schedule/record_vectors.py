"""Records what a genuine server makes of schedule specs: vectors.json, which spec_test.cc replays.

    build/peers/venv/bin/python tests/unit/server/schedule/record_vectors.py HOST:PORT OUT.json

Each vector has the spec as it is given (the API's JSON), and either the error that CreateSchedule answers, or the
canonical form that DescribeSchedule gives back and the first times that ListScheduleMatchingTimes finds from some
moments on.
"""

import asyncio
import itertools
import json
import random
import sys
import uuid
from datetime import datetime, timezone
from typing import Any

from google.protobuf import json_format
from temporalio.api.schedule.v1 import Schedule, ScheduleSpec
from temporalio.api.workflowservice.v1 import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    ListScheduleMatchingTimesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

# Before changes of the clocks, and never within an hour that comes twice: east of Greenwich the genuine servers pass
# over its first copy, and from within the second they find a time that does not match. With us it comes twice.
MOMENTS = ["2024-02-28T23:59:59Z", "2026-03-08T05:30:00Z", "2026-11-01T04:30:00Z"]
ENDS = ["2060-01-01T00:00:00Z"]
KEPT = 5

Json = dict[str, Any]


def crons() -> list[Json]:
    plain = """* * * * *|0 9 * * *|*/15 * * * *|30 2 * * *|30 1 * * *|0 0 1 1 *|0 0 29 2 *|0 0 31 * *|0 0 30 2 *
0 0 31 4,6,9 *
0 12 13 * 5|0 12 * * 7|0 12 * * 0|0 12 * * 5-7|0 12 * * 3-7/3|0 12 * * 1-7/2|0 12 * * 0-7|0 12 * * 1-7|0 12 * * sun
0 12 * * MON-FRI|0 12 * * Tues|0 12 * * wednesday|0 12 * * fr|0 12 * * 7-7|0 12 * * 6/1|0 12 * * 2/2|0 0 1 jan *
0 0 1 JAN-MAR *|0 0 1 sept *|0 0 1 december *|0 0 1 ju *|0 0 1 jun-jul/2 *|5/10 * * * *|5-25/10 * * * *|5,10,15 * * * *
1-5/2,8-16/3,2 * * * *|0 0 * * * 2028|0 0 1 1 * 2026-2032/2|0 0 1 1 * 2000|0 0 1 1 * 2100|0 0 1 1 * 2101|0 0 1 1 * 1999
0 0 29 2 * 2100|0 0 29 2 * 2096|0 0 1 1 * *|0 0 1 1 * */3|*/10 0 0 1 1 * 2030|30 * * * * * *|* * * * * * *
15,45 30 9 * * 1-5 *
59 59 23 31 12 * *|@yearly|@annually|@monthly|@weekly|@daily|@midnight|@hourly|@every 5m|@every 14h/3h|@every 1s
@every 90
@every 1.5h|@every 2d|@every 1d12h|@every 1.5d/6h|@every 500ms|@every 1s500ms|@every|@every x|@every 5m/5m|@every 5m/-1m
@every -5m|@every 5m/|@every 1h #comment|@reboot|@daily # at night|0 9 * * * # in the morning|# only|  0   9  * *   *
0 9 * *|0|0 9 * * * * * *|60 * * * *|* 24 * * *|* * 0 * *|* * 32 * *|* * * 0 *|* * * 13 *|* * * * 8|-1 * * * *
1- * * * *
-5 * * * *|5-1 * * * *|1-2-3 * * * *|1/2/3 * * * *|1/ * * * *|1/0 * * * *|1/-1 * * * *|1/x * * * *|/5 * * * *
*/100 * * * *
x * * * *|1,,2 * * * *|, * * * *|? * * * *|* * ? * *|* * L * *|* * 1W * *|* * * * 5#2|1.5 * * * *|+5 * * * *|05 * * * *
*-5 * * * *|5-* * * * *|0 9 * foo *|0 9 * * foo|0 9 * * s|99999999999999999999 * * * *|1/99999999999999999999 * * * *
TZ=UTC|TZ=UTC 0 9 * * *|CRON_TZ=America/New_York 0 9 * * *|TZ=America/New_York 30 2 * * *|TZ=America/New_York 30 1 * * *
TZ=Europe/Berlin 30 2 * * *|TZ=Europe/Berlin */30 2 * * *|TZ=Nowhere/Land 0 9 * * *|TZ= 0 9 * * *
TZ=Asia/Kolkata 0 9 * * *
TZ=Asia/Kathmandu 0 0 * * *|TZ=Pacific/Apia 0 0 * * *|TZ=Africa/Casablanca 30 2 * * *|TZ=America/Sao_Paulo 0 0 * * *
TZ=Asia/Beirut 0 0 * * *|TZ=America/Havana 30 0 * * *|TZ=Etc/GMT+5 0 9 * * *|TZ=../etc/passwd 0 9 * * *
TZ=/etc/x 0 9 * * *
TZ=EST 0 9 * * *|TZ=EST5EDT 0 9 * * *|TZ=europe/berlin 0 9 * * *|TZ=Local 0 9 * * *|TZ=America/New_York @hourly
TZ=America/New_York @every 1h|tz=UTC 0 9 * * *|0 9 * * * TZ=UTC|@Daily|@daily x"""
    out = [{"cronString": [text]} for line in plain.split("\n") for text in line.split("|")]
    out += [
        {"cronString": []},
        {"cronString": [""]},
        {"cronString": ["0 9 * * *", "30 17 * * 1-5"]},
        {"cronString": ["TZ=Europe/Berlin 0 9 * * *", "0 17 * * *"]},
        {"cronString": ["TZ=Europe/Berlin 0 9 * * *", "TZ=Europe/Berlin 0 17 * * *"]},
        {"cronString": ["TZ=Europe/Berlin 0 9 * * *", "TZ=Europe/Paris 0 17 * * *"]},
        {"cronString": ["TZ=Europe/Berlin 0 9 * * *"], "timezoneName": "Europe/Paris"},
        {"cronString": ["TZ=Europe/Berlin 0 9 * * *"], "timezoneName": "Europe/Berlin"},
        {"cronString": ["0 9 * * *"], "timezoneName": "Europe/Berlin"},
        {"cronString": ["@every 1h", "TZ=Europe/Berlin 0 9 * * *"]},
        {"cronString": ["@every 1h/20m", "@every 1h/40m"], "interval": [{"interval": "7200s"}]},
        {"cronString": ["0 9 * * * # " + "c" * 200]},
        {"cronString": ["0 9 * * * # " + "c" * 201]},
    ]
    return out


def ranges(*given: tuple[int, ...]) -> list[Json]:
    return [dict(zip(("start", "end", "step"), each)) for each in given]


DAWN: Json = {
    "second": ranges((0,)),
    "minute": ranges((0,)),
    "hour": ranges((6,)),
    "dayOfMonth": ranges((1, 31)),
    "month": ranges((1, 12)),
    "dayOfWeek": ranges((0, 6)),
}


def structured() -> list[Json]:
    def dawn(**other: Any) -> Json:
        return {"structuredCalendar": [{**DAWN, **other}]}

    out = [dawn(comment="every day"), dawn(comment="c" * 200), dawn(comment="c" * 201)]
    for name, low, high in [
        ("second", 0, 59),
        ("minute", 0, 59),
        ("hour", 0, 23),
        ("dayOfMonth", 1, 31),
        ("month", 1, 12),
        ("year", 2000, 2100),
        ("dayOfWeek", 0, 6),
    ]:
        for given in [
            (low, high),
            (low, high, 7),
            (high,),
            (low - 1,),
            (high + 1,),
            (low, high + 1),
            (low + 3, low + 1),
            (low + 1, 0, 5),
            (low, high, -1),
            (low, high, 0),
            (low + 2, low + 2),
        ]:
            out.append(dawn(**{name: ranges(given)}))
        out.append(dawn(**{name: ranges((low, low + 1), (low + 3, high, 2))}))
    out += [
        dawn(dayOfMonth=ranges((31,)), month=ranges((2,))),
        dawn(dayOfMonth=ranges((30, 31)), month=ranges((2,))),
        dawn(dayOfMonth=ranges((29,)), month=ranges((2,)), dayOfWeek=ranges((1,))),
        dawn(dayOfMonth=ranges((29,)), month=ranges((2,)), year=ranges((2025,), (2027,))),
        dawn(dayOfMonth=ranges((13,)), dayOfWeek=ranges((5,))),
        dawn(second=ranges((60,)), minute=ranges((60,)), comment="c" * 300),
        {**dawn(), "timezoneName": "America/New_York"},
        {**dawn(), "timezoneName": "Nowhere/Land"},
        {**dawn(), "timezoneName": "Australia/Lord_Howe"},
        {**dawn(hour=ranges((0, 23)), minute=ranges((0, 59, 20))), "timezoneName": "Australia/Sydney"},
        {**dawn(hour=ranges((0, 23)), minute=ranges((0, 59, 20))), "timezoneName": "America/New_York"},
        {**dawn(hour=ranges((0, 23)), minute=ranges((0, 59, 20))), "timezoneName": "Europe/London"},
        {**dawn(hour=ranges((1,)), minute=ranges((30,))), "timezoneName": "America/New_York"},
        {**dawn(hour=ranges((2,)), minute=ranges((30,))), "timezoneName": "America/New_York"},
    ]
    return out


def calendars() -> list[Json]:
    out: list[Json] = [{"calendar": [{}]}, {"calendar": [{"comment": "midnight"}]}]
    for field, texts in {
        "second": ["0", "*", "*/20", "10-20/5", "60", "x", "", " 5 ", "1, 2"],
        "minute": ["0", "*", "5/15", "61"],
        "hour": ["0", "*", "9-17", "24", "-1"],
        "dayOfMonth": ["1", "*", "15,31", "0", "32"],
        "month": ["1", "Feb", "may-jul", "13", "fe", "FEBRUARY", "februaryx"],
        "year": ["*", "2027", "2026-2040/7", "1999", "*/5", ""],
        "dayOfWeek": ["1", "7", "sat,sun", "SATURDAY", "5-7", "mo", "m", "8"],
    }.items():
        out += [{"calendar": [{field: text}]} for text in texts]
    out += [
        {"calendar": [{"hour": "x", "minute": "99", "dayOfMonth": "0"}]},
        {"calendar": [{"hour": "9"}, {"hour": "17", "comment": "evening"}], "timezoneName": "Asia/Tokyo"},
    ]
    return out


def intervals() -> list[Json]:
    out: list[Json] = []
    for interval, phase in [
        ("1s", None),
        ("60s", None),
        ("3600s", "1200s"),
        ("86400s", "32400s"),
        ("604800s", "86399s"),
        ("0s", None),
        ("0.5s", None),
        ("1.5s", None),
        ("1.9s", "0.5s"),
        ("-5s", None),
        ("60s", "60s"),
        ("60s", "61s"),
        ("60s", "-1s"),
        ("60s", "59.9s"),
        ("31536000s", "1s"),
        ("3155760000s", None),
        ("315576000000s", "1s"),
        ("7s", "3s"),
        ("2592000s", None),
    ]:
        each = {"interval": interval}
        if phase:
            each["phase"] = phase
        out.append({"interval": [each]})
    out += [
        {"interval": [{}]},
        {"interval": [{"phase": "5s"}]},
        {"interval": [{"interval": "3600s"}, {"interval": "5400s", "phase": "600s"}]},
        {"interval": [{"interval": "86400s"}], "startTime": "2026-05-01T00:00:00Z", "endTime": "2026-05-04T00:00:00Z"},
        {"interval": [{"interval": "86400s"}], "startTime": "2026-05-01T00:00:00.5Z"},
        {"interval": [{"interval": "86400s"}], "endTime": "2026-03-09T23:59:59Z"},
        {"interval": [{"interval": "86400s"}], "endTime": "2026-03-10T00:00:00Z"},
        {"interval": [{"interval": "86400s"}], "startTime": "2030-01-01T00:00:00Z", "endTime": "2020-01-01T00:00:00Z"},
        {"interval": [{"interval": "86400s"}], "timezoneName": "America/New_York"},
        {},
        {"startTime": "2026-05-01T00:00:00Z"},
    ]
    return out


def exclusions() -> list[Json]:
    hourly = {"interval": [{"interval": "3600s"}]}
    weekend = {
        **DAWN,
        "hour": ranges((0, 23)),
        "minute": ranges((0, 59)),
        "second": ranges((0, 59)),
        "dayOfWeek": ranges((0,), (6,)),
    }
    all_day = {**weekend, "dayOfWeek": ranges((0, 6))}
    return [
        {**hourly, "excludeStructuredCalendar": [weekend]},
        {**hourly, "excludeStructuredCalendar": [{**all_day, "hour": ranges((9, 17))}]},
        {**hourly, "excludeStructuredCalendar": [{**all_day, "month": ranges((3, 11))}]},
        {**hourly, "excludeStructuredCalendar": [{**all_day, "year": ranges((2026,))}]},
        {
            **hourly,
            "excludeStructuredCalendar": [{**all_day, "hour": ranges((9, 17))}],
            "timezoneName": "America/New_York",
        },
        {**hourly, "excludeCalendar": [{"hour": "*/2"}]},
        {**hourly, "excludeCalendar": [{"hour": "25"}]},
        {**hourly, "excludeCalendar": [{"dayOfMonth": "1-28", "hour": "*"}], "timezoneName": "Europe/Berlin"},
        {**hourly, "excludeStructuredCalendar": [weekend, {**all_day, "hour": ranges((0, 8), (18, 23))}]},
        {"cronString": ["*/10 * * * *"], "excludeCalendar": [{"hour": "*", "minute": "0-29", "second": "*"}]},
        {"cronString": ["0 12 * * *"], "excludeCalendar": [{"hour": "12", "dayOfWeek": "mon-fri"}]},
        {"cronString": ["0 12 * * *"], "excludeCalendar": [{"hour": "12"}]},
        {
            "cronString": ["0 12 1 * *"],
            "excludeCalendar": [{"hour": "12", "month": "1-11"}],
            "endTime": "2040-01-01T00:00:00Z",
        },
    ]


def random_ones(count: int) -> list[Json]:
    chance = random.Random(7)
    zones = [
        "",
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Australia/Sydney",
        "Asia/Tehran",
        "America/St_Johns",
        "Africa/Cairo",
    ]

    def some(low: int, high: int) -> str:
        kind = chance.randrange(5)
        first = chance.randint(low, high)
        if kind == 0:
            return "*"
        if kind == 1:
            return str(first)
        if kind == 2:
            return f"{first}-{chance.randint(first, high)}"
        if kind == 3:
            return f"{first}/{chance.randint(1, 20)}"
        return ",".join(str(chance.randint(low, high)) for _ in range(3))

    out = []
    for _ in range(count):
        fields = [some(0, 59), some(0, 23), some(1, 31), some(1, 12), some(0, 7)]
        if chance.random() < 0.5:
            fields[2] = fields[3] = "*"
        if chance.random() < 0.3:
            fields = [some(0, 59), *fields, chance.choice(["*", "2026-2030", "2027"])]
        zone = chance.choice(zones)
        each: Json = {"cronString": [" ".join(fields)]}
        if zone:
            each["timezoneName"] = zone
        if chance.random() < 0.3:
            hours = sorted(chance.sample(range(24), 2))
            each["excludeCalendar"] = [
                {"second": "*", "minute": "*", "hour": f"{hours[0]}-{hours[1]}", "dayOfWeek": some(0, 7)}
            ]
        out.append(each)
    return out


async def record(client: Client, spec: Json) -> Json:
    schedule = Schedule(spec=json_format.ParseDict(spec, ScheduleSpec()))
    schedule.state.paused = True
    start = schedule.action.start_workflow
    start.workflow_id, start.workflow_type.name, start.task_queue.name = "w", "W", "q"
    service, namespace, name = client.workflow_service, client.namespace, f"v-{uuid.uuid4()}"
    create = CreateScheduleRequest(namespace=namespace, schedule_id=name, schedule=schedule, request_id=name)
    try:
        await service.create_schedule(create)
    except RPCError as error:
        return {"spec": spec, "error": error.message}
    described = await service.describe_schedule(DescribeScheduleRequest(namespace=namespace, schedule_id=name))
    vector = {"spec": spec, "canonical": json_format.MessageToDict(described.schedule.spec), "asked": []}
    for moment, end in itertools.product(MOMENTS, ENDS):
        ask = ListScheduleMatchingTimesRequest(namespace=namespace, schedule_id=name)
        ask.start_time.FromJsonString(moment)
        ask.end_time.FromJsonString(end)
        answer = await asyncio.wait_for(service.list_schedule_matching_times(ask), 60)
        times = [each.ToJsonString() for each in answer.start_time[:KEPT]]
        vector["asked"].append({"after": moment, "times": times, "all": len(answer.start_time)})
    await service.delete_schedule(DeleteScheduleRequest(namespace=namespace, schedule_id=name))
    return vector


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    specs = [*crons(), *structured(), *calendars(), *intervals(), *exclusions(), *random_ones(120)]
    vectors = []
    for number, spec in enumerate(specs):
        try:
            vectors.append(await record(client, spec))
        except (RPCError, TimeoutError, asyncio.TimeoutError) as error:
            print(f"{number}: {json.dumps(spec)}: {error!r}", file=sys.stderr)
    with open(sys.argv[2], "w") as out:
        out.write(
            "[\n" + ",\n".join(json.dumps(each, separators=(",", ":"), sort_keys=True) for each in vectors) + "\n]\n"
        )
    print(len(vectors), "vectors", datetime.now(timezone.utc))


asyncio.run(main())
