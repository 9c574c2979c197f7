"""One socket."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Protocol

from websockets import connect  # type: ignore[attr-defined]  # it is there, but made when it is asked for
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from .errors import UNREADABLE
from .values import decode, encode

SUBPROTOCOL = "roomring.v1.json"
CONNECT_WITHIN = 10.0  # seconds until the welcome
CLOSE_WITHIN = 2.0  # seconds that the server has to answer a close


class Owner(Protocol):
    """Who hears of a link's life. After lost, or once the owner closes the link, nothing follows."""

    def opened(self, link: Link) -> None: ...
    def received(self, link: Link, message: dict[str, Any]) -> None: ...
    def lost(self, link: Link, code: int, reason: str) -> None: ...


class Link:
    """One socket. It says something each half heartbeat, and gives up a server that is silent for two and a half.

    What is said waits in a queue until the socket takes it. Its owner bounds it: at most 32 actions are unanswered, and
    pings end when the server falls silent.
    """

    def __init__(self, url: str, owner: Owner, max_message: int) -> None:
        self.url = url
        self.open = False
        self.welcomed_at: float | None = None
        self._owner = owner
        self._max_message = max_message
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._pinged = self._heard
        self._heartbeat = math.inf  # seconds, from the welcome on
        self._beat = self._loop.call_later(CONNECT_WITHIN, self.drop, "the server does not answer")
        self._said: asyncio.Queue[str | None] = asyncio.Queue()  # None: close
        self._done = False
        self.task = self._loop.create_task(self._run())

    def welcomed(self, heartbeat: float) -> None:
        """Start the heart, or set its pace, in milliseconds, anew."""
        if self.welcomed_at is None:
            self.welcomed_at = self._loop.time()
        self._heartbeat = heartbeat / 1000
        self._tick()

    def send(self, message: dict[str, Any]) -> None:
        self.write(encode(message))

    def write(self, text: str) -> bool:
        if self._done or not self.open:
            return False
        self._said.put_nowait(text)
        return True

    def drop(self, reason: str, code: int = 1006) -> None:
        """Give the socket up: it is lost at once, whatever the closing handshake takes."""
        self._lost(code, reason)
        self.task.cancel()

    def close(self) -> None:
        """End the link without a word to the owner."""
        self._stop()
        if self.open:
            self._said.put_nowait(None)
            self._loop.call_later(CLOSE_WITHIN, self.task.cancel)  # it may never take what waits before
        else:
            self.task.cancel()

    def _tick(self) -> None:
        self._beat.cancel()
        if self._loop.time() - self._heard > 2.5 * self._heartbeat:
            self.drop("the server fell silent")
            return
        self._beat = self._loop.call_later(self._heartbeat / 2, self._tick)
        self._pinged = self._loop.time()
        self.send({"t": "ping", "echo": self._pinged})

    async def _run(self) -> None:
        try:
            # The protocol has heartbeats of its own, and the server compresses nothing.
            socket: Any = await connect(
                self.url, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None, ping_interval=None,
                open_timeout=CONNECT_WITHIN, close_timeout=CLOSE_WITHIN, max_size=self._max_message,
            )
        except (OSError, WebSocketException, asyncio.TimeoutError, ValueError, EOFError) as err:
            self._lost(1006, str(err) or type(err).__name__)
            return
        writer = asyncio.create_task(self._write(socket))
        try:
            self.open = True
            self._owner.opened(self)
            while True:
                self._received(await socket.recv())
        except ConnectionClosed as err:
            self._ended(err)
        finally:
            self._stop()
            writer.cancel()
            socket.transport.abort()

    async def _write(self, socket: Any) -> None:
        try:
            while (text := await self._said.get()) is not None:
                await socket.send(text)
            await socket.close(1000)
        except ConnectionClosed:
            pass  # the reader says so

    def _received(self, text: str | bytes) -> None:
        if self._done:
            return  # what comes while it closes
        self._heard = self._loop.time()
        try:
            if isinstance(text, bytes):
                raise ValueError("it is binary")
            for message in [decode(line) for line in text.split("\n") if line.strip()]:
                if not self._done:
                    self._owner.received(self, message)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as err:
            self.drop(f"The server said what cannot be read: {type(err).__name__}: {err}", UNREADABLE)

    def _ended(self, err: ConnectionClosed) -> None:
        if err.rcvd:
            self._lost(err.rcvd.code, err.rcvd.reason)
        elif err.sent and err.sent.code in (1002, 1007, 1009):  # this side's judgement of what came
            self._lost(UNREADABLE, f"The server said what cannot be read: {err.sent.reason or err.sent.code}")
        else:
            self._lost(1006, "the connection was cut")

    def _lost(self, code: int, reason: str) -> None:
        if self._done:
            return
        self._stop()
        self._owner.lost(self, code, reason)

    def _stop(self) -> None:
        self._done = True
        self._beat.cancel()
