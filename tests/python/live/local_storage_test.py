"""Payloads in a folder that C++ and Python share."""

import asyncio
import dataclasses
import pathlib

import pytest
from live_support import BUILD, worker

from chimera import converter, workflow
from chimera.client import Client
from chimera.contrib.local_storage import LocalStorageDriver
from chimera.converter import ExternalStorage, StorageDriverClaim, StorageDriverRetrieveContext


@workflow.defn
class Stored:
    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: self.word != "")
        return text + self.word + "done"

    @workflow.signal
    def say(self, word: str) -> None:
        self.word = word

    @workflow.query
    def ask(self, word: str) -> str:
        return word + "python"


async def test_cpp_and_python_read_each_other(client: Client, name: str, cache: int, tmp_path: pathlib.Path):
    config = client.config()
    storage = ExternalStorage([LocalStorageDriver(tmp_path / "payloads")])
    config["data_converter"] = dataclasses.replace(converter.default(), external_storage=storage)
    storing = Client(**config)
    async with worker(storing, name, cache, Stored):
        program = await asyncio.create_subprocess_exec(
            BUILD / "tests/storage_client",
            client.service_client.config.target_host,
            name,
            name,
            tmp_path / "payloads",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await program.communicate()
    assert (program.returncode, err.decode()) == (0, "")
    assert out.decode() == "query: 300006\nresult: 600004 done\n"
    files = [each for each in (tmp_path / "payloads").rglob("*") if each.is_file()]
    assert len(files) == 3  # What was given, the query's answer, the result.


async def test_what_is_damaged_or_elsewhere_is_refused(tmp_path: pathlib.Path):
    driver = LocalStorageDriver(tmp_path / "payloads")
    payload = converter.default().payload_converter.to_payloads(["text"])[0]
    context = StorageDriverRetrieveContext()
    (claim,) = await driver.store(converter.StorageDriverStoreContext(), [payload])
    assert await driver.retrieve(context, [claim]) == [payload]
    (tmp_path / "payloads" / claim.claim_data["path"]).write_text("something else")
    with pytest.raises(ValueError, match="is damaged"):
        await driver.retrieve(context, [claim])
    for path in ("../secret", "/etc/hostname", ""):
        outside = StorageDriverClaim({**claim.claim_data, "path": path})
        with pytest.raises(ValueError, match="not one inside the folder"):
            await driver.retrieve(context, [outside])
