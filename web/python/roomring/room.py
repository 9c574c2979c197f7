"""One player's or spectator's place in one room."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Generic, TypeVar, cast

from .acts import Acts
from .connection import Connection, Host, Target
from .errors import ClosedError, RejectedError
from .link import Link
from .streams import Stream, Streams
from .types import ConnectionState, Event, Over, Stats, Status
from .values import checksum, patch, share

V = TypeVar("V")  # the view
A = TypeVar("A")  # the action


class Room(Generic[V, A]):
    """One player's or spectator's place in one room. It comes back by itself after every loss of its socket.

    Roomring.join and Roomring.spectate make it. As a context manager it closes at the end of the block.
    """

    def __init__(self, host: Host, target: Target) -> None:
        self.id = target.id
        self.spectator = target.spectator
        self.game = ""
        self.player = ""
        """Empty for a spectator without a token."""
        self.seat = -1
        """−1 for a spectator."""
        self.state: ConnectionState = "connecting"
        self.lag = math.nan
        """Milliseconds of the last round trip; NaN before the first."""
        self.clock_offset = 0.0
        """Milliseconds to add to time.time() * 1000 to get the server's clock."""
        self.over: Over | None = None
        self.closed: ClosedError | None = None
        """Why it is closed for good, once it is."""
        self.seen = False  # there is a view
        self._host = host
        self._view: Any = None
        self._stats = Stats()
        self._loop = asyncio.get_running_loop()
        self._epoch = 0  # the last one told
        self._seq = 0  # of the last state or turn
        self._floor = 0  # turns up to here came by an older socket
        self._sound = False  # the view may be resumed from
        self._began = self._loop.time()  # when room time was 0
        self._best_lag = math.inf
        self._leaving = False
        self._views, self._events, self._states = Streams(), Streams(), Streams()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._ending = asyncio.Event()
        self._finishing = asyncio.Event()  # over or closed
        self._acts = Acts(self._write, host.options.max_waiting)
        self._connection = Connection(host, target, self)

    async def __aenter__(self) -> Room[V, A]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # What is.

    @property
    def view(self) -> V:
        """What may be seen: a new value after each change, that shares with the last one whatever stayed. Never change it."""
        return cast(V, self._view)

    @property
    def stats(self) -> Stats:
        self._stats.resent = self._acts.resent
        return self._stats

    def room_time(self) -> float:
        """Return the milliseconds of room time, running: what times in a view count on."""
        return (self._loop.time() - self._began) * 1000

    def views(self) -> Stream[V]:
        """Return the view at this moment and after changes. A slow reader gets only the newest. It ends when the room closes."""
        return self._views.open(1, *([self._view] if self.seen else []))

    def events(self) -> Stream[Event]:
        """Return the events from this moment on. It ends when the room closes."""
        return self._events.open(self._host.options.max_events)

    def states(self) -> Stream[Status]:
        """Return the changes of state from this moment on; "closed" is the last."""
        return self._states.open(self._host.options.max_events)

    # What to do.

    async def act(self, action: A) -> int:
        """Do something in the game, exactly once whatever happens to the network, and return the seq of its effect.

        It raises RejectedError when the game refuses, and ClosedError when the room is closed before an answer. Up to 32
        actions are under way; more wait. Cancelling takes back an action that still waits; of one that is under way it
        only ends the waiting for the answer.
        """
        if self.closed:
            raise self.closed
        if self.spectator:
            raise RejectedError("spectator", "Who watches cannot act.")
        return await self._acts.add(action)

    def resync(self) -> None:
        """Ask for the whole view. There is seldom need: a view that is wrong by its checksum is asked for anew."""
        self._sound = False
        self._connection.send({"t": "resync"})

    async def leave(self) -> None:
        """Give up the seat, and return when that is done."""
        if self.spectator:
            await self.close()
            return
        self._leaving = True
        self._connection.send({"t": "leave"})
        await self.wait_closed()

    async def close(self) -> None:
        """End the connection and keep the seat for as long as the game does. Return when the sockets are closed."""
        self.ended(ClosedError(1000, "This client has closed the connection."))
        await self._connection.wait_ended()

    async def wait_closed(self) -> ClosedError:
        """Wait until the room is closed for good, and return why."""
        await self._ending.wait()
        assert self.closed
        return self.closed

    async def wait_over(self) -> Over:
        """Wait until the game is over, and return how. It raises ClosedError when the room is closed before."""
        await self._finishing.wait()
        if self.over:
            return self.over
        assert self.closed
        raise self.closed

    async def joined(self) -> None:
        """Wait for the first view. What prevents it is raised, and cancelling closes the room."""
        try:
            await asyncio.shield(self._ready)
        except BaseException:
            await self.close()
            raise

    # What the connection calls.

    def hello(self) -> dict[str, Any]:
        return {"resume": {"epoch": self._epoch, "seq": self._seq}} if self._sound else {}

    def received(self, link: Link, message: dict[str, Any]) -> None:
        take = self._takers.get(message["t"])
        if take:
            take(self, message)

    def unsound(self) -> None:
        self._sound = False

    def reconnecting(self, code: int, reason: str, retry_in: float | None) -> None:
        self._become(Status("reconnecting", code, reason, retry_in))

    def ended(self, err: BaseException) -> None:
        if self.closed:
            return
        self.closed = err if isinstance(err, ClosedError) else ClosedError(1006, str(err))
        self.closed.over = self.over
        self._connection.end()
        self._acts.fail(self.closed)
        if not self._ready.done():
            self._ready.set_exception(err)
            self._ready.exception()  # joined raises it, unless it was cancelled
        self._become(Status("closed", self.closed.code, self.closed.reason))
        for streams in (self._views, self._events, self._states):
            streams.end()
        self._ending.set()
        self._finishing.set()

    def _write(self, text: str) -> bool:
        return self._connection.write(text)

    # Messages.

    def _take_welcome(self, m: dict[str, Any]) -> None:
        player = m.get("player", "")
        if self._connection.attempt > 1 and player != self.player:
            self._acts.fail(ClosedError(4401, "The new token is another player's."))
        self.game, self.player, self.seat = m["game"], player, m["seat"]
        self._epoch = m["epoch"]
        self._began = self._loop.time() - m["now"] / 1000
        self._stats.sockets += 1
        if m.get("recovered"):
            self._stats.recovered += 1
        else:
            self._sound = False
            self._seq = 0
        self._floor = self._seq
        self._acts.welcomed(m.get("cseq", 0), m.get("limits", {}))
        if self._leaving:
            self._connection.send({"t": "leave"})
        if m.get("recovered"):
            self._become(Status("open"))  # else the whole view comes first

    def _take_state(self, m: dict[str, Any]) -> None:
        self._stats.states += 1
        self._stats.lost += m.get("lost", 0)
        self._sound = False  # so that one that differs is not asked for again at once: a newer one will be
        self._show(m, share(self._view, m["view"]) if self.seen else m["view"])
        self._sound = True
        self._start()

    def _take_turn(self, m: dict[str, Any]) -> None:
        if not self.seen or m["seq"] <= self._floor:
            return
        self._stats.turns += 1
        self._show(m, patch(self._view, m["patch"]) if "patch" in m else self._view)
        for e in m.get("events", []):
            self._events.push(Event(e["name"], e.get("data"), m["seq"]))

    def _show(self, m: dict[str, Any], view: Any) -> None:
        changed = not self.seen or view is not self._view
        self._epoch = m.get("epoch", self._epoch)
        self._seq = max(self._seq, m["seq"])
        self._view, self.seen = view, True
        self._connection.readable()
        if "check" in m:
            self._prove(m["check"])
        if changed:
            self._views.push(view)

    def _prove(self, check: int) -> None:
        if checksum(self._view) == check:
            self._stats.checks += 1
            return
        self._stats.mismatches += 1
        if self._sound:  # else the whole view is on its way
            self.resync()

    def _take_ack(self, m: dict[str, Any]) -> None:
        # It can be ahead of turns that a slow reader is spared, so it says nothing about what the view shows.
        self._acts.answer(m["cseq"], m["seq"])

    def _take_reject(self, m: dict[str, Any]) -> None:
        self._acts.answer(m["cseq"], m["seq"], RejectedError(m["code"], m.get("reason", "")))

    def _take_pong(self, m: dict[str, Any]) -> None:
        echo = m.get("echo")
        if not isinstance(echo, (int, float)):
            return
        self.lag = (self._loop.time() - echo) * 1000
        self._best_lag = min(self.lag, self._best_lag * 1.1)  # an old measurement counts less and less
        if self.lag == self._best_lag:
            self.clock_offset = m["time"] + self.lag / 2 - time.time() * 1000

    def _take_over(self, m: dict[str, Any]) -> None:
        self.over = Over(m["seq"], m["end"], m.get("result"), m.get("reason", ""), m.get("alone", False))
        self._finishing.set()
        if self.seen:
            self._start()

    _takers = {
        "welcome": _take_welcome, "state": _take_state, "turn": _take_turn, "ack": _take_ack, "reject": _take_reject,
        "pong": _take_pong, "over": _take_over,
    }

    def _start(self) -> None:
        """Hand the room out, if nobody has it yet."""
        if not self._ready.done():
            self._ready.set_result(None)
        if self._connection.link:
            self._become(Status("open"))

    def _become(self, status: Status) -> None:
        if status.state == self.state and status.state != "reconnecting":
            return
        self.state = status.state
        self._states.push(status)
