"""The host: runs C++ libraries and Python code in one worker on one task queue.

``python -m chimera.host --task-queue orders ./liborders.so shipping.activities:print_label shipping.workflows``

``chimera worker`` becomes this when Python is among its arguments. Each argument is a library (its name ends with
``.so``) or ``package.module:name`` (several names: ``module:a,b``; none: everything that the module itself defines).
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import importlib
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chimera import activity, workflow
from chimera.client import Client, TLSConfig
from chimera.runtime import PrometheusConfig, Runtime, TelemetryConfig
from chimera.worker import Worker


class HostError(Exception):
    """What the user gave cannot be hosted; the text says what, where, and what to do."""


@dataclass
class HostedCode:
    """What the arguments name, sorted by what it is."""

    libraries: list[str] = field(default_factory=list)
    workflows: list[type] = field(default_factory=list)
    activities: list[Callable[..., Any]] = field(default_factory=list)


def is_workflow(value: object) -> bool:
    return inspect.isclass(value) and workflow._Definition.from_class(value) is not None


def is_activity(value: object) -> bool:
    return callable(value) and activity._Definition.from_callable(value) is not None


def load(arguments: Sequence[str]) -> HostedCode:
    """Imports what the arguments name.

    Raises:
        HostError: A library that is not there, a module that fails to import, a name that is no workflow or activity.
    """
    code = HostedCode()
    for argument in arguments:
        if argument.endswith(".so"):
            if not os.path.exists(argument):
                raise HostError(f"library {argument} does not exist (looked from {os.getcwd()})")
            code.libraries.append(os.path.abspath(argument))
            continue
        module_name, _, names = argument.partition(":")
        module = import_module(module_name)
        for name in names.split(",") if names else own_names(module):
            add(code, module, name)
    return code


def import_module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise HostError(
            f"module {name} could not be imported: {type(error).__name__}: {error}{_place_of(error)}; "
            f"Python looked in {', '.join(p or '.' for p in sys.path[:4])}..."
        ) from error


def _place_of(error: BaseException) -> str:
    """The line of a user's file that raised it; nothing if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if os.path.exists(f.filename) and f.filename != __file__ and "importlib" not in f.filename]
    return f" (at {own[-1].filename}:{own[-1].lineno})" if own else ""


def own_names(module: Any) -> list[str]:
    found = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and (is_workflow(value) or is_activity(value))
    ]
    if not found:
        raise HostError(f"module {module.__name__} defines no workflow and no activity; name one with MODULE:NAME")
    return found


def add(code: HostedCode, module: Any, name: str) -> None:
    try:
        value = getattr(module, name)
    except AttributeError:
        raise HostError(f"module {module.__name__} has no {name}; is the name spelled as in the file?") from None
    if is_workflow(value):
        code.workflows.append(value)
    elif is_activity(value):
        code.activities.append(value)
    else:
        raise HostError(
            f"{module.__name__}:{name} is neither a workflow (@workflow.defn) nor an activity (@activity.defn)"
        )


def runtime_of(metrics_address: str) -> Runtime | None:
    if not metrics_address:
        return None
    runtime = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=metrics_address)))
    print(f"chimera worker: metrics on port {runtime._metrics_port}", flush=True)
    return runtime


async def serve(args: argparse.Namespace, code: HostedCode) -> None:
    client = await Client.connect(
        args.address,
        namespace=args.namespace,
        api_key=args.api_key or None,
        tls=TLSConfig() if args.tls else None,
        runtime=runtime_of(args.metrics_address),
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, stop)
    with concurrent.futures.ThreadPoolExecutor(max_workers=100, thread_name_prefix="activity") as threads:
        worker = Worker(
            client,
            task_queue=args.task_queue,
            workflows=code.workflows,
            activities=code.activities,
            activity_executor=threads,
            native=code.libraries,
        )
        async with worker:
            print(f"chimera worker: polling {args.task_queue} at {args.address}", flush=True)
            for definition in code.workflows:
                print(f"  Python  workflow {workflow._Definition.from_class(definition).name}", flush=True)
            for function in code.activities:
                print(f"  Python  activity {activity._Definition.from_callable(function).name}", flush=True)
            await stop.wait()


def on_signal(stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(130)
    stop.set()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="chimera worker", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--address", default=os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    parser.add_argument("--namespace", default=os.environ.get("TEMPORAL_NAMESPACE", "default"))
    parser.add_argument("--api-key", default=os.environ.get("TEMPORAL_API_KEY", ""))
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--task-queue", required=True)
    parser.add_argument("--metrics-address", default="", help="HOST:PORT of /metrics, /livez and /readyz")
    parser.add_argument("code", nargs="+", help="./library.so or package.module:name")
    args = parser.parse_args(arguments)
    sys.path.insert(0, os.getcwd())
    try:
        asyncio.run(serve(args, load(args.code)))
    except (HostError, RuntimeError, ValueError) as error:
        print(f"chimera worker: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
