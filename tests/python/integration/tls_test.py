"""Which name a TLS server must have, and which it is told: against a server that shakes hands and says nothing."""

import contextlib
import pathlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chimera.service import ConnectConfig, ServiceClient, TLSConfig

# Self-signed, for the name pinned.test, valid until 2126.
CERTIFICATES = pathlib.Path(__file__).resolve().parents[2] / "data/tls"
ROOT = (CERTIFICATES / "server.pem").read_bytes()


class SilentServer:
    """What it saw of its clients: the name that they asked for, and whether they went on to talk."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.talked = False
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
        self._context.set_alpn_protocols(["h2"])
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with contextlib.suppress(OSError), self._context.wrap_socket(client, server_side=True) as tls:
                    self.talked |= tls.recv(3) == b"PRI"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[SilentServer]:
    silent = SilentServer()
    yield silent
    silent.close()


async def connect(server: SilentServer, **tls: str) -> str:
    """The error."""
    config = ConnectConfig(
        target_host=f"localhost:{server.port}",
        tls=TLSConfig(server_root_ca_cert=ROOT, **tls),
        connect_timeout=timedelta(seconds=2),
    )
    with pytest.raises(RuntimeError) as caught:
        await ServiceClient.connect(config)
    return str(caught.value)


async def test_the_name_that_is_dialled_is_verified(server: SilentServer):
    error = await connect(server)

    assert not server.talked
    assert "server_root_ca_cert" in error and "`domain`" in error


async def test_a_domain_is_verified_and_asked_for(server: SilentServer):
    await connect(server, domain="pinned.test")

    assert server.talked
    assert set(server.names) == {"pinned.test"}


async def test_a_verification_name_is_verified_only(server: SilentServer):
    await connect(server, verification_server_name="pinned.test")

    assert server.talked
    assert set(server.names) == {"localhost"}


async def test_a_wrong_verification_name_is_refused(server: SilentServer):
    error = await connect(server, verification_server_name="wrong.test")

    assert not server.talked
    assert "the server's certificate is not for wrong.test" in error


async def test_a_verification_name_needs_a_root():
    with pytest.raises(ValueError, match="without a server root CA cert"):
        await ServiceClient.connect(
            ConnectConfig(target_host="localhost:1", tls=TLSConfig(verification_server_name="pinned.test"))
        )
