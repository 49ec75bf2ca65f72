"""One version, wherever it has to be written."""

import re

from test_style import ROOT


def found(pattern: str, path: str) -> str:
    match = re.search(pattern, (ROOT / path).read_text(), re.MULTILINE)
    assert match, f"{path} has no version"
    return match[1]


def test_the_version_is_one() -> None:
    version = found(r"^project\(chimera VERSION (\S+) ", "CMakeLists.txt")
    assert found(r'^version = "(.*)"', "pyproject.toml") == version
    assert found(r'^__version__ = "(.*)"', "sdk-python/chimera/__init__.py") == version
    assert f"chimera_{version}_" in (ROOT / "docs/install.md").read_text()
