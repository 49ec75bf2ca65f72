"""What an import costs: modules that most programs never need are loaded at first use."""

import json
import os
import subprocess
import sys

import pytest


def loaded_by(code: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout))


def test_the_package_alone_loads_neither_asyncio_nor_the_protocol():
    assert not loaded_by("import chimera") & {"asyncio", "google.protobuf.message", "chimera._bridge"}


@pytest.mark.parametrize("code", ["from chimera.client import Client", "from chimera import activity, workflow"])
def test_a_client_loads_nothing_that_it_may_never_need(code: str):
    modules = loaded_by(code)

    assert not modules & {
        "chimera._bridge",
        "chimera.api.common.v1",
        "chimera.client._inputs",
        "chimera.client._schedule",
        "chimera.client._versioning",
        "chimera.converter._storage",
        "chimera.worker",
        "google.protobuf.message",
    }


def test_late_names_are_there_when_they_are_used():
    import chimera.client

    assert chimera.client.ScheduleHandle.__module__ == "chimera.client._schedule_handle"
    assert all(hasattr(chimera.client, name) for name in chimera.client.__all__)
    assert "StartWorkflowInput" in dir(chimera.client)
    with pytest.raises(AttributeError, match=r"'chimera.client' has no attribute 'Clinet'"):
        chimera.client.Clinet


@pytest.mark.parametrize("name", ["client", "worker", "workflow"])
def test_what_a_package_exports_is_written_down(name: str):
    """Type checkers read `__all__`; they cannot run code that makes it."""
    import importlib
    import types

    package = importlib.import_module(f"chimera.{name}")
    own = {
        key
        for key, value in vars(package).items()
        if not key.startswith("_") and not isinstance(value, types.ModuleType) and key != "TYPE_CHECKING"
    }

    assert own <= set(package.__all__)
