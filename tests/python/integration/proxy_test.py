"""A connection through an HTTP proxy, which sees what it is asked for."""

import asyncio
import base64
import contextlib

from chimera.client import Client
from chimera.service import HttpConnectProxyConfig
from chimera.testing import WorkflowEnvironment


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_proxy_is_asked_for_the_server(env: WorkflowEnvironment, monkeypatch):
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    asked: list[str] = []
    pumps: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        host, _, port = asked[-1].split()[1].rpartition(":")
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        pumps.append(asyncio.create_task(pump(reader, to_writer)))
        pumps.append(asyncio.create_task(pump(to_reader, writer)))

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    target = env.client.service_client.config.target_host

    client = await Client.connect(
        target,
        http_connect_proxy_config=HttpConnectProxyConfig(f"127.0.0.1:{port}", ("ann", "secret")),
    )
    assert (await client.count_workflows("WorkflowId = 'nobody'")).count == 0

    assert asked[0].startswith(f"CONNECT {target} HTTP/1")
    assert "Proxy-Authorization: Basic " + base64.b64encode(b"ann:secret").decode() in asked[0]
    del client
    proxy.close()
    for each in pumps:
        each.cancel()
