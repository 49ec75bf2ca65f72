"""samples/python/rollout: two builds side by side, from the first order to the end of the old workers."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from live_support import BUILD, ROOT, sample, until

from chimera.client import Client
from chimera.testing import WorkflowEnvironment

rollout = sample("python/rollout/rollout.py")
PROGRAM = ROOT / "samples/python/rollout/rollout.py"
SOON = [
    "--dynamic-config-value", "matching.wv.VersionDrainageStatusVisibilityGracePeriod=1",
    "--dynamic-config-value", "matching.wv.VersionDrainageStatusRefreshInterval=1",
]


@pytest.fixture(params=["embedded", pytest.param("genuine", marks=pytest.mark.peer)])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """Of a server of the test's own: the deployment has a fixed name."""
    program = os.environ.get("CHIMERA_TEMPORAL_CLI") if request.param == "genuine" else None
    assert program or request.param == "embedded", "set CHIMERA_TEMPORAL_CLI to the temporal program"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=program, dev_server_extra_args=SOON
    ) as environment:
        yield environment.client


async def test_goes_from_build_to_build(client: Client) -> None:
    shop = rollout.Shop(client)
    async with rollout.make_worker(client, "1.0"):
        await shop.route("1.0")
        assert await rollout.order(client, "1") == "1.0"
        async with rollout.make_worker(client, "2.0"):
            await shop.route("2.0", 50)
            builds = [await rollout.order(client, str(id)) for id in range(2, 18)]
            assert set(builds) == {"1.0", "2.0"}
            await shop.route("2.0")
            assert await shop.show() == ["1.0 draining", "2.0 current"]
            assert await rollout.order(client, "20") == "2.0"
            stock = client.get_workflow_handle(rollout.STOCK)
            await stock.signal("close")
            assert await stock.result() == "sold 18, closed by build 2.0"
            first = client.get_workflow_handle("order-1")
            await first.signal("pay")
            assert await first.result() == "paid, by build 1.0"


def started(program: list[str], build: str, client: Client) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [*program, "worker", build, client.service_client.config.target_host],
        env=environment, stdout=subprocess.PIPE, text=True,
    )


@pytest.fixture(params=["cpp", "python"])
def program(request: pytest.FixtureRequest) -> list[str]:
    """What serves the old build: the two samples are one shop."""
    return [str(BUILD / "samples/rollout")] if request.param == "cpp" else [sys.executable, str(PROGRAM)]


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[str]]]:
    found: list[subprocess.Popen[str]] = []
    yield found
    for each in found:
        each.terminate()
        each.wait(30)


async def test_the_old_worker_ends_when_its_build_has_drained(
    client: Client, program: list[str], workers: list[subprocess.Popen[str]]
) -> None:
    shop = rollout.Shop(client)
    old = started(program, "1.0", client)
    workers.append(old)
    await shop.route("1.0")
    assert await rollout.order(client, "1") == "1.0"
    async with rollout.make_worker(client, "2.0"):
        await shop.route("2.0")
        order = client.get_workflow_handle("order-1")
        await client.get_workflow_handle(rollout.STOCK).signal("close")
        assert old.poll() is None
        await order.signal("pay")
        assert await order.result() == "paid, by build 1.0"
        said, _ = await asyncio.to_thread(old.communicate, timeout=60)
        assert (old.returncode, said) == (0, "build 1.0 has drained: its worker ends\n")

        async def is_drained() -> bool:
            return "1.0 drained" in await shop.show()

        await until(is_drained)


async def test_there_are_two_builds(client: Client) -> None:
    with pytest.raises(ValueError, match="and no 3"):
        rollout.make_worker(client, "3.0")
