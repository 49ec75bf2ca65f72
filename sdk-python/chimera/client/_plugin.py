"""Plugins of a client: they change its configuration and how it connects."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import chimera.service

if TYPE_CHECKING:
    from chimera.client._config import ClientConfig


class Plugin(abc.ABC):
    """A client asks its plugins in order; the first one is outermost when it connects."""

    def name(self) -> str:
        """Shown to servers; by default the class's full name."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abc.abstractmethod
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Returns the configuration that the client shall have."""

    @abc.abstractmethod
    async def connect_service_client(
        self,
        config: chimera.service.ConnectConfig,
        next: Callable[[chimera.service.ConnectConfig], Awaitable[chimera.service.ServiceClient]],
    ) -> chimera.service.ServiceClient:
        """Connects, usually by calling next with a changed configuration."""
