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
    """`__getattr__` and `__dir__` of a module whose further names are the public ones of other modules.

    `__all__` is made when somebody asks for it.
    """
    package = module["__name__"]

    def load() -> None:
        for source in sources:
            loaded = importlib.import_module(source)
            for name, value in vars(loaded).items():
                if not name.startswith("_") and getattr(value, "__module__", None) == source:
                    module.setdefault(name, value)

    def get(name: str) -> Any:
        if name == "__all__":
            module["__all__"] = [name for name in names() if not name.startswith("_")]
        elif not name.startswith("__"):
            for source in sources:
                loaded = importlib.import_module(source)
                if getattr(vars(loaded).get(name), "__module__", None) == source:
                    module[name] = vars(loaded)[name]
                    break
        try:
            return module[name]
        except KeyError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name) from None

    def names() -> list[str]:
        load()
        return sorted(module)

    return get, names
