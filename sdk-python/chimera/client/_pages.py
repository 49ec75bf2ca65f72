"""Lists that come in pages: the one asynchronous iterator behind all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Generic, TypeVar

from typing_extensions import Self

T = TypeVar("T")


class Pages(Generic[T], AsyncIterator[T]):
    """Fetches a page when the one before it is used up. For one task at a time."""

    def __init__(self, client: Any, input: Any) -> None:
        """Made by the client; the input's token says where to begin."""
        self._client = client
        self._input = input
        self._next_page_token: bytes | None = input.next_page_token
        self._current_page: Sequence[T] | None = None
        self._current_page_index = 0
        self._limit: int | None = getattr(input, "limit", None)
        self._yielded = 0

    @property
    def current_page_index(self) -> int:
        """Which item of the page comes next."""
        return self._current_page_index

    @property
    def current_page(self) -> Sequence[T] | None:
        """The page that is being read, if one has been fetched."""
        return self._current_page

    @property
    def next_page_token(self) -> bytes | None:
        """Where the next page begins; None after the last one, or before the first."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Replaces the page by the next one; the first one again if there was none left."""
        size = page_size or self._input.page_size or 0
        if self._limit is not None:
            size = min(size or self._limit, self._limit - self._yielded) or 1
        self._current_page, token = await self._fetch(self._next_page_token or b"", size)
        self._next_page_token = token or None
        self._current_page_index = 0

    async def _fetch(self, token: bytes, page_size: int) -> tuple[Sequence[T], bytes]:
        """One page, and the token of the page after it."""
        raise NotImplementedError

    def __aiter__(self) -> Self:
        """This object: it can be read once."""
        return self

    async def __anext__(self) -> T:
        """The next item; fetches as needed."""
        if self._limit is not None and self._yielded >= self._limit:
            raise StopAsyncIteration
        while self._current_page is None or self._current_page_index >= len(self._current_page):
            if self._current_page is not None and not self._next_page_token:
                raise StopAsyncIteration
            await self.fetch_next_page()
        item = self._current_page[self._current_page_index]
        self._current_page_index += 1
        self._yielded += 1
        return item
