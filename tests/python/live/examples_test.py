"""The Python examples of the documents run, and so does the sample."""

import ast
import asyncio
import inspect
import pathlib
import re
import sys
from typing import Any

import pytest
from live_support import BUILD, ROOT, worker

from chimera.client import Client
from chimera.contrib.encryption import AesGcmCodec

DOCUMENTS = [ROOT / "README.md", ROOT / "sdk-python/README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def examples() -> list[Any]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for match in re.finditer(r"^```python\n(.*?)^```", text, re.M | re.S):
            line = text.count("\n", 0, match.start()) + 1
            where = f"{document.relative_to(ROOT)}:{line}"
            found.append(pytest.param("\n" * line + match.group(1), where, id=where))
    return found


async def run_example(code: str, where: str, names: dict[str, Any]) -> dict[str, Any]:
    """Executes a block, which may await at its top level, with what the text around it takes for granted."""
    scope: dict[str, Any] = {"__name__": "example", **names}
    compiled = compile(code, where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, scope)
    if inspect.isawaitable(result):
        await result
    return scope


@pytest.mark.parametrize("code, where", examples())
async def test_example(client: Client, name: str, monkeypatch: pytest.MonkeyPatch, code: str, where: str):
    monkeypatch.syspath_prepend(ROOT / "samples/mixed/orders")
    monkeypatch.chdir(BUILD / "samples")  # Where ./liborders.so is.
    from shipping.activities import print_label
    from shipping.workflows import Shipping

    given = {"client": client, "Shipping": Shipping, "print_label": print_label, "key": b"k" * 32, "old_key": b"o" * 32}
    code = code.replace("localhost:7233", client.service_client.config.target_host)

    scope = await run_example(code, where, given)

    if "Hello" in scope:
        async with worker(client, name, 1000, scope["Hello"], scope["greet"]):
            assert await client.execute_workflow("Hello", "you", id=name, task_queue=name) == "Hello, you!"
    if "codec" in scope:
        assert isinstance(scope["client"].data_converter.payload_codec, AesGcmCodec)


def test_there_are_examples():
    assert len(examples()) >= 3


@pytest.mark.parametrize("served", [True, False], ids=["on-a-server", "alone"])
async def test_hello(client: Client, served: bool):
    address = [client.service_client.config.target_host] if served else []
    program = pathlib.Path(ROOT / "samples/python/hello/hello.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, *address, stdout=-1, stderr=-1, env={"PYTHONPATH": ":".join(sys.path)}
    )
    out, errors = await process.communicate()

    assert (process.returncode, out.decode()) == (0, "Hello, World!\n"), errors.decode()
