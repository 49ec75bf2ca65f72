"""Signatures of functions that pass their parameters through to another one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])


def options_of(model: Callable[..., Any], *without: str) -> Callable[[_F], _F]:
    """Decorator: show the parameters of `model` where the code passes them through."""
    shape = inspect.signature(model)
    kept = [p for p in shape.parameters.values() if p.name not in without]

    def decorate(fn: _F) -> _F:
        fn.__signature__ = shape.replace(parameters=kept)  # type: ignore
        return fn

    return decorate
