"""A server that is a program of its own."""

from __future__ import annotations

import asyncio
import os
import pathlib

import pytest
from fake_bridge import play_bridge


def test_a_program_whose_start_is_cancelled_is_ended(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play_bridge(monkeypatch)
    from chimera.testing._server import ProgramServer, ServerConfig

    async def never(*_args: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(ProgramServer, "_serves", never)
    program, pid_file = tmp_path / "program", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {pid_file}.new\nmv {pid_file}.new {pid_file}\nexec sleep 600\n")
    program.chmod(0o755)
    config = ServerConfig(
        "default", "127.0.0.1", 1, False, None, {}, str(program), None, "json", "warn", None
    )

    async def body() -> None:
        starting = asyncio.ensure_future(ProgramServer.start(config))
        while not pid_file.exists():
            await asyncio.sleep(0.001)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(body())

    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
