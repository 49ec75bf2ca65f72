"""The main job: orders through one worker in two languages, with its worker killed in the middle.

Every step says what it does and checks what came of it; the exit code is 0 only if all came out right.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from chimera.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from chimera.exceptions import ApplicationError

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from shipping.activities import Order  # noqa: E402

TASK_QUEUE = "orders"


class Demo:
    """The processes of the demo and the score of its checks."""

    def __init__(self, build: pathlib.Path) -> None:
        self.build = build.resolve()
        self.processes: list[subprocess.Popen[str]] = []
        self.failures: list[str] = []
        self.run = f"{int(time.time()) % 100000}-{os.getpid()}"  # Workflow ids are new in each run.

    def say(self, text: str) -> None:
        print(f"\n== {text}", flush=True)

    def check(self, what: str, right: bool, seen: object = "") -> None:
        print(f"   {'ok   ' if right else 'WRONG'} {what}" + (f": {seen}" if not right else ""), flush=True)
        if not right:
            self.failures.append(what)

    def start(self, *command: str, until: str, show: bool = True) -> tuple[subprocess.Popen[str], re.Match[str]]:
        """Starts a program and waits until a line of its output matches `until`."""
        process = subprocess.Popen(
            command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self.processes.append(process)
        found: list[re.Match[str]] = []
        ready = threading.Event()

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                if show:
                    print("   | " + line, end="", flush=True)
                if not found and (match := re.search(until, line)):
                    found.append(match)
                    ready.set()
            ready.set()

        threading.Thread(target=read, daemon=True).start()
        if not ready.wait(30) or not found:
            raise SystemExit(f"demo: {command[0]} did not say {until!r} within 30 s")
        return process, found[0]

    def start_server(self) -> str:
        _, match = self.start(
            str(self.build / "chimera"), "server", "--port", "0", until=r"listening on (\S+:\d+)"
        )
        return match.group(1).rstrip(",")

    def start_worker(self, address: str) -> subprocess.Popen[str]:
        process, _ = self.start(
            str(self.build / "chimera"), "worker", "--address", address, "--task-queue", TASK_QUEUE,
            "--python", sys.executable, str(self.build / "samples/liborders.so"),
            "shipping.workflows:Shipping", "shipping.activities:print_label,check_address", until=r"polling",
        )  # fmt: skip
        return process

    def stop_all(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


async def start_order(client: Client, demo: Demo, name: str, order: Order) -> WorkflowHandle:
    return await client.start_workflow(
        "Order", order, id=f"{name}-{demo.run}", task_queue=TASK_QUEUE, execution_timeout=timedelta(minutes=2)
    )


async def happy_order(client: Client, demo: Demo, worker: subprocess.Popen[str], restart: Callable[[], object]) -> None:
    demo.say("The C++ workflow Order, started from Python")
    order = Order(id="17", customer="ann", cents=4200, wait_seconds=2.0)
    handle = await start_order(client, demo, "order", order)
    await wait_for_status(handle, "approval")
    status = await handle.query("status", result_type=str)
    demo.check("query tells the status while it waits for approval", "approval" in status, status)
    try:
        await handle.execute_update("add_tip", -5, result_type=int)
        demo.check("validator rejects a negative tip", False, "it was accepted")
    except WorkflowUpdateFailedError as error:
        demo.check("validator rejects a negative tip", "negative" in str(error.cause), error.cause)
    total = await handle.execute_update("add_tip", 300, result_type=int)
    demo.check("update adds a tip", total == 4500, total)
    await handle.signal("approve", "bob")
    demo.check("signal approves", True)

    demo.say("Killing the worker (SIGKILL) while the order waits on its durable timer")
    await wait_for_status(handle, "shipping")
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    restart()
    receipt = await asyncio.wait_for(handle.result(), 40)
    demo.check("the order finishes by replay", receipt == {"id": "17", "cents": 4500}, receipt)
    status = await handle.query("status", result_type=str)
    demo.check("a query on the closed run names the Python label", "label 17 for ann" in status, status)


async def wait_for_status(handle: WorkflowHandle, word: str) -> None:
    for _ in range(100):
        if word in await handle.query("status", result_type=str):
            return
        await asyncio.sleep(0.05)


async def failing_orders(client: Client, demo: Demo) -> None:
    demo.say("An order that nobody approves: Order throws, its saga refunds")
    handle = await start_order(client, demo, "unapproved", Order("18", "carl", 100, 0.5))
    error = await failure_of(handle)
    demo.check("the failure has its type", isinstance(error, ApplicationError) and error.type == "NotApproved", error)
    history = await handle.fetch_history()
    names = [e.activity_task_scheduled_event_attributes.activity_type.name for e in history.events]
    demo.check("charged, then refunded", [n for n in names if n] == ["charge_card", "refund"], names)

    demo.say("A failure raised in a Python activity, caught by the C++ workflow")
    handle = await start_order(client, demo, "nowhere", Order("19", "nowhere", 100, 0.5))
    await handle.signal("approve", "bob")
    error = await failure_of(handle)
    expected = 'NoAddress: no address for nowhere ["nowhere",404] <- AddressBookClosed: the address book is closed'
    demo.check("type, message, details and cause arrived in C++", expected in str(error), error)


async def failure_of(handle: WorkflowHandle) -> BaseException | None:
    try:
        await asyncio.wait_for(handle.result(), 40)
    except WorkflowFailureError as error:
        return error.cause
    return None


def shipping_from_cpp(demo: Demo, address: str) -> None:
    demo.say("The Python workflow Shipping, started from a C++ client; it catches a failure raised in C++")
    done = subprocess.run(
        [demo.build / "samples/orders_client", "--address", address, "--id", f"shipping-{demo.run}"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    for line in (done.stdout + done.stderr).splitlines():
        print("   | " + line)
    demo.check("the C++ client got the result", done.returncode == 0, done.returncode)
    expected = "NoTruck: no truck carries 1000000 g ['17', 1000000] <- GarageError: the garage has only vans"
    demo.check("type, message, details and cause arrived in Python", expected in done.stdout, expected)


async def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--address", help="HOST:PORT of a genuine server; without it, the embedded one")
    args = parser.parse_args()
    demo = Demo(args.build)
    begun = time.monotonic()
    try:
        if not args.address:
            demo.say("The embedded server")
        address = args.address or demo.start_server()
        demo.say(f"One worker on the task queue {TASK_QUEUE}, with a C++ library and a Python module")
        worker = demo.start_worker(address)
        client = await Client.connect(address)
        await happy_order(client, demo, worker, lambda: demo.start_worker(address))
        await failing_orders(client, demo)
        shipping_from_cpp(demo, address)
        demo.say("The order's history")
        show = [demo.build / "chimera", "workflow", "show", f"order-{demo.run}", "--address", address]
        demo.check("timeline", await asyncio.to_thread(subprocess.call, show) == 0)
    finally:
        demo.stop_all()
    if demo.failures:
        print(f"\ndemo: {len(demo.failures)} step(s) came out wrong: {'; '.join(demo.failures)}")
        return 1
    print(f"\ndemo: all right, {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
