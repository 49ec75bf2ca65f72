"""Modules that are loaded when a name of them is first used.

An import that only defines workflows or opens a client would otherwise spend most of its time on what it never needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any


class LazyModule:
    """Stands in for a module; its names are kept here once they were used."""

    def __init__(self, name: str) -> None:
        self.__name = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name), name)
        setattr(self, name, value)
        return value


def late_names(module: dict[str, Any], sources: Sequence[str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a module whose `__all__` has names that are public ones of other modules, too."""

    def get(name: str) -> Any:
        if name in module["__all__"] or (name.startswith("_") and not name.startswith("__")):
            for source in sources:
                found = vars(importlib.import_module(source)).get(name)
                if getattr(found, "__module__", None) == source:
                    module[name] = found
                    return found
        raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}", name=name)

    return get, lambda: sorted({*module, *module["__all__"]})
