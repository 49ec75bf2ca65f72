"""What `chimera worker` says of Python modules that it cannot host."""

import pathlib

import pytest

from chimera import host


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def load_fails(argument: str) -> str:
    with pytest.raises(host.HostError) as error:
        host.load([argument])
    return str(error.value)


def test_a_module_that_raises_is_named_with_its_line(folder: pathlib.Path) -> None:
    (folder / "raises_at_import.py").write_text("x = 1\ny = {}['price list']\n")
    (folder / "exits_at_import.py").write_text("raise SystemExit(4)\n")

    text = load_fails("raises_at_import:Order")

    assert "module raises_at_import could not be imported: KeyError: 'price list'" in text
    assert f"(at {folder}/raises_at_import.py:2)" in text
    assert "SystemExit: 4 (at " in load_fails("exits_at_import")


def test_wrong_names_say_what_is_missing(folder: pathlib.Path) -> None:
    (folder / "no_workflows.py").write_text("class Order: pass\n")

    assert "No module named 'nowhere_at_all'" in load_fails("nowhere_at_all:Order")
    assert "module no_workflows has no Shipping" in load_fails("no_workflows:Shipping")
    assert "no_workflows:Order is neither a workflow" in load_fails("no_workflows:Order")
    assert "no_workflows defines no workflow and no activity" in load_fails("no_workflows")
    assert "library ./none.so does not exist" in load_fails("./none.so")
