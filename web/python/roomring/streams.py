"""Async iterators over what is pushed."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")


class Stream(Generic[T]):
    """An async iterator over what is pushed. At most so many wait unread; more push out the oldest."""

    def __init__(self, most: int, held: set[Any]) -> None:
        self._items: deque[T] = deque(maxlen=most)
        self._held = held  # streams that somebody waits at
        self._ended = False
        self._news = asyncio.Event()

    def push(self, item: T) -> None:
        if not self._ended:
            self._items.append(item)
            self._news.set()

    def end(self) -> None:
        """Let what is queued be read, and then nothing."""
        self._ended = True
        self._news.set()

    async def aclose(self) -> None:
        self._items.clear()
        self.end()

    def __aiter__(self) -> Stream[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            self._held.add(self)  # a task that waits is held by what it waits for alone
            try:
                await self._news.wait()
            finally:
                self._held.discard(self)
        return self._items.popleft()


class Streams:
    """The streams that are read, of one kind. One that nobody reads any more is forgotten."""

    def __init__(self) -> None:
        self._held: set[Any] = set()
        self._all: WeakSet[Stream[Any]] = WeakSet()
        self._ended = False

    def open(self, most: int, *first: Any) -> Stream[Any]:
        stream: Stream[Any] = Stream(most, self._held)
        for item in first:
            stream.push(item)
        if self._ended:
            stream.end()
        else:
            self._all.add(stream)
        return stream

    def push(self, item: Any) -> None:
        for stream in list(self._all):
            stream.push(item)

    def end(self) -> None:
        self._ended = True
        for stream in list(self._all):
            stream.end()
