"""Benchmark worker: Python SDK (`temporalio` package; also fits a source-compatible replacement).

See ../../README.md for the contract every worker follows."""
import argparse
import asyncio
import importlib
import json
import os
import resource
import signal
import time
from datetime import timedelta

# BENCH_PACKAGE=chimera runs the same worker on the replacement.
PACKAGE = os.environ.get("BENCH_PACKAGE", "temporalio")
activity = importlib.import_module(PACKAGE + ".activity")
workflow = importlib.import_module(PACKAGE + ".workflow")

MIN = timedelta(minutes=1)


@activity.defn(name="noop")
async def noop(s: str) -> str:
    return s


@activity.defn(name="blob")
async def blob(b: bytes) -> bytes:
    return b


async def seq(s: str, n: int) -> str:
    for _ in range(n):
        s = await workflow.execute_activity(noop, s, start_to_close_timeout=MIN)
    return s


@workflow.defn(name="Echo")
class Echo:
    @workflow.run
    async def run(self, s: str) -> str:
        return s


@workflow.defn(name="Seq10")
class Seq10:
    @workflow.run
    async def run(self, s: str) -> str:
        return await seq(s, 10)


@workflow.defn(name="SeqN")
class SeqN:
    @workflow.run
    async def run(self, n: int) -> str:
        return await seq("0123456789012345678901234567890123456789", n)


@workflow.defn(name="Fan50")
class Fan50:
    @workflow.run
    async def run(self, s: str) -> str:
        hs = [workflow.start_activity(noop, s, start_to_close_timeout=MIN) for _ in range(50)]
        return ",".join([await h for h in hs])


@workflow.defn(name="Local10")
class Local10:
    @workflow.run
    async def run(self, s: str) -> str:
        for _ in range(10):
            s = await workflow.execute_local_activity(noop, s, start_to_close_timeout=MIN)
        return s


@workflow.defn(name="PyLocalCpp10")
class PyLocalCpp10:
    @workflow.run
    async def run(self, s: str) -> str:
        for _ in range(10):
            s = await workflow.execute_local_activity("noop_cpp", s, result_type=str, start_to_close_timeout=MIN)
        return s


@workflow.defn(name="Timers20")
class Timers20:
    @workflow.run
    async def run(self) -> int:
        for _ in range(20):
            await asyncio.sleep(0.001)
        return 20


@workflow.defn(name="Wait")
class Wait:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "done"

    @workflow.signal
    def go(self) -> None:
        self.done = True


@workflow.defn(name="Sig100")
class Sig100:
    def __init__(self) -> None:
        self.n = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.n >= 100)
        return self.n

    @workflow.signal
    def sig(self, s: str) -> None:
        self.n += 1


@workflow.defn(name="Update50")
class Update50:
    def __init__(self) -> None:
        self.n = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self.n >= 50 and workflow.all_handlers_finished())
        return self.n

    @workflow.update
    def upd(self, s: str) -> str:
        self.n += 1
        return s


@workflow.defn(name="Blob")
class Blob:
    @workflow.run
    async def run(self) -> int:
        b = bytes(1 << 20)
        for _ in range(20):
            b = await workflow.execute_activity(blob, b, start_to_close_timeout=MIN)
        return len(b)


WORKFLOWS = [Echo, Seq10, SeqN, Fan50, Local10, Timers20, Wait, Sig100, Update50, Blob]


def cpu() -> float:
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime


async def replay(args, runner) -> None:
    hpb = importlib.import_module(PACKAGE + ".api.history.v1")
    WorkflowHistory = importlib.import_module(PACKAGE + ".client").WorkflowHistory
    Replayer = importlib.import_module(PACKAGE + ".worker").Replayer

    for i in range(args.iters):
        t0 = time.perf_counter()
        if args.replay.endswith(".json"):
            h = WorkflowHistory.from_json("bench", open(args.replay).read())
        else:
            pb = hpb.History.FromString(open(args.replay, "rb").read())
            h = WorkflowHistory("bench", list(pb.events))
        parse = time.perf_counter() - t0
        r = Replayer(workflows=WORKFLOWS, workflow_runner=runner)
        c0, t1 = cpu(), time.perf_counter()
        await r.replay_workflow(h)
        print(json.dumps({"iter": i, "events": len(h.events), "parse_s": parse,
                          "wall_s": time.perf_counter() - t1, "cpu_s": cpu() - c0}), flush=True)


async def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--target", default="127.0.0.1:7233")
    p.add_argument("--namespace", default="default")
    p.add_argument("--task-queue", default="bench")
    p.add_argument("--cache", type=int, default=6000)
    p.add_argument("--slots", type=int, default=100)
    p.add_argument("--act-slots", type=int, default=200)
    p.add_argument("--pollers", type=int, default=4)
    p.add_argument("--unsandboxed", action="store_true")
    p.add_argument("--native", help="a C++ library beside it: ../mixed")
    p.add_argument("--replay")
    p.add_argument("--iters", type=int, default=1)
    args = p.parse_args()

    worker_module = importlib.import_module(PACKAGE + ".worker")
    Worker = worker_module.Worker
    if args.unsandboxed:
        runner = worker_module.UnsandboxedWorkflowRunner()
    else:
        runner = importlib.import_module(PACKAGE + ".worker.workflow_sandbox").SandboxedWorkflowRunner()
    if args.replay:
        return await replay(args, runner)

    Client = importlib.import_module(PACKAGE + ".client").Client

    client = await Client.connect(args.target, namespace=args.namespace)
    stop = asyncio.Event()
    for s in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(s, stop.set)
    native = {"native": [args.native]} if args.native else {}
    async with Worker(
        client, task_queue=args.task_queue, workflows=WORKFLOWS + [PyLocalCpp10] * bool(native), activities=[noop, blob],
        workflow_runner=runner, max_cached_workflows=args.cache,
        max_concurrent_workflow_tasks=args.slots, max_concurrent_activities=args.act_slots,
        max_concurrent_local_activities=args.act_slots,
        max_concurrent_workflow_task_polls=args.pollers, max_concurrent_activity_task_polls=args.pollers, **native,
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
