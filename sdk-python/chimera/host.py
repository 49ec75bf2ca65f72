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
import pathlib
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chimera import activity, workflow
from chimera.client import Client, TLSConfig
from chimera.exceptions import TemporalError
from chimera.runtime import PrometheusConfig, Runtime, TelemetryConfig
from chimera.worker import Worker

IMPORT_FRAMES = 5


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
        frames = own_frames(error)
        place = f" (at {frames[-1].filename}:{frames[-1].lineno})" if frames else ""
        lines = "".join(traceback.format_list(frames[-IMPORT_FRAMES:])).rstrip()
        raise HostError(
            f"module {name} could not be imported: {type(error).__name__}: {error}{place}; "
            f"Python looked in {', '.join(p or '.' for p in sys.path[:4])}..." + (f"\n{lines}" if lines else "")
        ) from error


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """The way to the error through files that are not the import machinery's or this one."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if os.path.exists(frame.filename) and frame.filename != __file__]
    return [frame for frame in own if "importlib" not in frame.filename]


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


def tls_of(args: argparse.Namespace) -> TLSConfig | bool | None:
    if args.no_tls:
        return False
    if not (args.tls or args.tls_ca_path or args.tls_cert_path or args.tls_key_path or args.tls_server_name):
        return None
    return TLSConfig(
        server_root_ca_cert=read_pem("--tls-ca-path", args.tls_ca_path),
        client_cert=read_pem("--tls-cert-path", args.tls_cert_path),
        client_private_key=read_pem("--tls-key-path", args.tls_key_path),
        domain=args.tls_server_name or None,
    )


def read_pem(option: str, path: str) -> bytes | None:
    if not path:
        return None
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise HostError(f"{option}: cannot read {path} ({error.strerror}); it must be a PEM file") from None


class Stop:
    """SIGINT and SIGTERM: the first one drains a worker that polls, any other ends the process at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.polling = False
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.on_signal, number)

    def on_signal(self, number: signal.Signals) -> None:
        if self.asked.is_set() or not self.polling:
            print(f"chimera worker: {number.name}, ending at once", file=sys.stderr, flush=True)
            os._exit(128 + number)
        print(
            f"chimera worker: {number.name}, finishing what is under way (again: end at once)",
            file=sys.stderr,
            flush=True,
        )
        self.asked.set()


async def serve(args: argparse.Namespace, code: HostedCode) -> None:
    stop = Stop()
    client = await Client.connect(
        args.address,
        namespace=args.namespace,
        api_key=args.api_key or None,
        tls=tls_of(args),
        runtime=runtime_of(args.metrics_address),
    )
    with concurrent.futures.ThreadPoolExecutor(max_workers=100, thread_name_prefix="activity") as threads:
        worker = Worker(
            client,
            task_queue=args.task_queue,
            workflows=code.workflows,
            activities=code.activities,
            activity_executor=threads,
            native=code.libraries,
            graceful_shutdown_timeout=timedelta(seconds=args.graceful_shutdown_timeout),
        )
        async with worker:
            stop.polling = True
            print(f"chimera worker: polling {args.task_queue} at {args.address}", flush=True)
            for definition in code.workflows:
                print(f"  Python  workflow {workflow._Definition.must_from_class(definition).name}", flush=True)
            for function in code.activities:
                print(f"  Python  activity {activity._Definition.must_from_callable(function).name}", flush=True)
            await stop.asked.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="chimera worker", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--address", default=os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"))
    parser.add_argument("--namespace", default=os.environ.get("TEMPORAL_NAMESPACE", "default"))
    parser.add_argument("--api-key", default=os.environ.get("TEMPORAL_API_KEY", ""))
    for option in ("--tls", "--no-tls"):
        parser.add_argument(option, action="store_true")
    for option in ("--tls-ca-path", "--tls-cert-path", "--tls-key-path", "--tls-server-name"):
        parser.add_argument(option, default="")
    parser.add_argument("--graceful-shutdown-timeout", type=float, default=0, help="seconds")
    parser.add_argument("--task-queue", required=True)
    parser.add_argument("--metrics-address", default="", help="HOST:PORT of /metrics, /livez and /readyz")
    parser.add_argument("code", nargs="+", help="./library.so or package.module:name")
    args = parser.parse_args(arguments)
    sys.path.insert(0, os.getcwd())
    try:
        asyncio.run(serve(args, load(args.code)))
    except (HostError, RuntimeError, ValueError, TemporalError) as error:
        print(f"chimera worker: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # While modules were imported; later Stop takes signals.
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
