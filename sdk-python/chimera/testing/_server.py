"""Servers for tests: the embedded one in this process, or a program that exists."""

from __future__ import annotations

import asyncio
import logging
import socket
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from chimera import _bridge

logger = logging.getLogger(__name__)

_LOG_LEVELS = ("debug", "info", "warn", "error", "never")
_LOG_FORMATS = ("text", "json", "pretty")


class TestServer(Protocol):
    """A server that runs until it is stopped."""

    target: str

    async def stop(self) -> None:
        """Ends it; again: no effect."""


@dataclass
class ServerConfig:
    """What start_local says about the server itself."""

    namespace: str
    ip: str
    port: int | None
    ui: bool
    ui_port: int | None
    search_attributes: dict[str, str]
    existing_path: str | None
    database_filename: str | None
    log_format: str
    log_level: str
    startup_timeout: timedelta | None
    extra_args: Sequence[str] = field(default_factory=list)
    skips_time: bool = False
    """As a test server: time is locked at first, and skips when it is unlocked."""

    async def start(self) -> TestServer:
        """Starts what the configuration asks for; ready when this returns."""
        if self.existing_path is not None:
            return await ProgramServer.start(self)
        return await EmbeddedServer.start(self)


class EmbeddedServer:
    """chimera::server in this process, on a TCP port, so that other clients can use it as well."""

    def __init__(self, server: _bridge.Server, ip: str) -> None:
        self._server = server
        self.target = f"{ip}:{server.port()}"

    @staticmethod
    async def start(config: ServerConfig) -> EmbeddedServer:
        if config.ui:
            warnings.warn("The embedded server has no Web UI; ui=True has no effect", stacklevel=4)
        for name, value, known in (
            ("dev_server_log_level", config.log_level, _LOG_LEVELS),
            ("dev_server_log_format", config.log_format, _LOG_FORMATS),
        ):
            if value not in known:
                raise ValueError(f"{name} is {value!r}; it is one of {', '.join(known)}")
        options = {
            "ip": config.ip,
            "port": config.port or 0,
            "database_filename": config.database_filename or "",
            "namespaces": [config.namespace],
            "search_attributes": dict(config.search_attributes),
            "dynamic_config": {},
        }
        if config.skips_time:
            options["time_skipping_locks"] = 1
        _apply_arguments(options, config.extra_args)
        return EmbeddedServer(await asyncio.to_thread(_bridge.Server, options), config.ip)

    async def stop(self) -> None:
        await asyncio.to_thread(self._server.stop)


def _apply_arguments(options: dict[str, Any], arguments: Sequence[str]) -> None:
    """Understands of the development server's arguments those that mean something here."""
    rest = iter(arguments)
    for argument in rest:
        name, has_value, value = argument.partition("=")
        if name in ("--headless", "--log-level", "--log-format", "--ui-port", "--http-port", "--metrics-port"):
            if not has_value and name != "--headless":
                next(rest, None)
            continue
        if name not in ("--dynamic-config-value", "--search-attribute", "--namespace", "--db-filename", "--archive"):
            warnings.warn(f"The embedded server does not know the argument {argument}", stacklevel=5)
            continue
        value = value if has_value else next(rest, "")
        if not value:
            raise ValueError(f"dev_server_extra_args: {name} needs a value")
        if name == "--namespace":
            options["namespaces"].append(value)
        elif name == "--db-filename":
            options["database_filename"] = value
        elif name == "--archive":
            options["archive_folder"] = value
        else:
            key, _, setting = value.partition("=")
            table = "dynamic_config" if name == "--dynamic-config-value" else "search_attributes"
            options[table][key] = setting


class ProgramServer:
    """A program that takes the arguments of `temporal server start-dev`, or of the official test server."""

    def __init__(self, process: asyncio.subprocess.Process, target: str) -> None:
        self._process = process
        self.target = target

    @staticmethod
    async def start(config: ServerConfig) -> ProgramServer:
        port = config.port or _free_port(config.ip)
        if config.skips_time:
            return await ProgramServer._run(config, port, [str(port)])
        arguments = ["server", "start-dev", "--port", str(port), "--ip", config.ip, "--namespace", config.namespace]
        arguments += ["--log-format", config.log_format, "--log-level", config.log_level]
        arguments += ["--dynamic-config-value", "frontend.enableServerVersionCheck=false"]
        if config.database_filename is not None:
            arguments += ["--db-filename", config.database_filename]
        if not config.ui:
            arguments.append("--headless")
        elif config.ui_port is not None:
            arguments += ["--ui-port", str(config.ui_port)]
        for name, kind in config.search_attributes.items():
            arguments += ["--search-attribute", f"{name}={kind}"]
        return await ProgramServer._run(config, port, arguments)

    @staticmethod
    async def _run(config: ServerConfig, port: int, arguments: Sequence[str]) -> ProgramServer:
        process = await asyncio.create_subprocess_exec(str(config.existing_path), *arguments, *config.extra_args)
        server = ProgramServer(process, f"{config.ip}:{port}")
        timeout = config.startup_timeout or timedelta(seconds=10)
        try:
            await asyncio.wait_for(server._serves(config.ip, port), timeout.total_seconds())
        except asyncio.TimeoutError:
            await server.stop()
            raise RuntimeError(
                f"{config.existing_path} did not answer on {server.target} within {timeout}; it was stopped"
            ) from None
        except BaseException:
            await server.stop()
            raise
        return server

    async def _serves(self, ip: str, port: int) -> None:
        from chimera.service import ConnectConfig, RPCError, ServiceClient

        client = await ServiceClient.connect(ConnectConfig(target_host=f"{ip}:{port}", lazy=True))
        while True:
            if self._process.returncode is not None:
                raise RuntimeError(f"The server program ended with status {self._process.returncode} while it started")
            try:
                if await client.check_health():
                    return
            except (RPCError, RuntimeError):
                pass
            await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 10)
        except asyncio.TimeoutError:
            logger.warning("The server program does not end on SIGTERM; killing it")
            self._process.kill()
            await self._process.wait()


def _free_port(ip: str) -> int:
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]
