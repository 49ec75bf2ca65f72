"""Log records of workflow code, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# OpenTelemetry has its logs API under this name only.
from opentelemetry._logs import Logger, LoggerProvider

from chimera.contrib.opentelemetry._replay import Wrapper, repeats_history

if TYPE_CHECKING:
    from opentelemetry.util.types import _ExtendedAttributes


class _ReplaySafeLogger(Wrapper, Logger):
    def emit(self, *args: Any, **kwargs: Any) -> None:
        if not repeats_history():
            self._inner.emit(*args, **kwargs)

    def enabled(self, *args: Any, **kwargs: Any) -> bool:
        if repeats_history():
            return False
        ask = getattr(self._inner, "enabled", None)  # Older loggers cannot be asked.
        return True if ask is None else ask(*args, **kwargs)


class ReplaySafeLoggerProvider(Wrapper, LoggerProvider):
    """A provider whose loggers drop what replayed workflow code emits."""

    def __init__(self, logger_provider: LoggerProvider) -> None:
        """Around the provider that does the work."""
        super().__init__(logger_provider)

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: _ExtendedAttributes | None = None,
    ) -> Logger:
        """The wrapped provider's logger, silent in replay."""
        return _ReplaySafeLogger(self._inner.get_logger(name, version, schema_url, attributes))
