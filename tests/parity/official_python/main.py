"""The official Python SDK, worker and client, as the judge of a server.

One line per scenario; exit code 0 if all are right.

    python main.py --address HOST:PORT [--only NAME ...]
    python main.py --address HOST:PORT --worker TASK_QUEUE     # judges nothing: a worker for others' clients
"""

import argparse
import asyncio
import logging
import os
import sys
import uuid

import activity_scenarios  # noqa: F401  Each import registers its scenarios.
import message_scenarios  # noqa: F401
import service_scenarios  # noqa: F401
from judge import SCENARIOS, Bench, Scenario, run_scenario
from lifecycle_scenarios import replay
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig

AT_ONCE = 8


async def connect(address: str) -> Client:
    # Failures are what most scenarios are about: their log lines would only hide the verdicts.
    logging.disable(logging.CRITICAL)
    runtime = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="off")))
    return await Client.connect(address, runtime=runtime)


async def serve(address: str, task_queue: str) -> int:
    """Runs a worker until standard input ends."""
    async with Bench(await connect(address), "worker", task_queue, []).worker():
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    return 0


async def judge(address: str, only: list[str]) -> int:
    client = await connect(address)
    task_queue = f"parity-python-{uuid.uuid4()}"
    wanted = {name: function for name, function in SCENARIOS.items() if not only or name in only}
    started: list = []
    wrong = 0
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, function: Scenario) -> tuple[bool, str]:
        async with slots:
            return await run_scenario(function, Bench(client, name, task_queue, started))

    def report(name: str, right: bool, saw: str) -> None:
        nonlocal wrong
        wrong += not right
        print(f"{'ok' if right else 'WRONG':5} {name}: {saw}", flush=True)

    async with Bench(client, "worker", task_queue, started).worker():
        running = {name: asyncio.create_task(one(name, function)) for name, function in wanted.items()}
        for name, task in running.items():
            report(name, *await task)
    report("replay", *await run_scenario(replay, Bench(client, "replay", task_queue, started)))
    print(f"{len(wanted) + 1 - wrong} right, {wrong} wrong")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", required=True, help="HOST:PORT of the server to judge")
    parser.add_argument("--only", nargs="*", default=[], help="names of scenarios; without it, all")
    parser.add_argument("--worker", metavar="TASK_QUEUE", help="run only a worker, until standard input ends")
    arguments = parser.parse_args()
    if arguments.worker:
        return asyncio.run(serve(arguments.address, arguments.worker))
    unknown = set(arguments.only) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return asyncio.run(judge(arguments.address, arguments.only))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # The official package's native part crashes now and then while the interpreter shuts down.
