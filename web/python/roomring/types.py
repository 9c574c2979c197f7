"""What the server tells, as types. Fields that may be absent are those of the classes with total=False."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

Phase = Literal["waiting", "playing", "over"]
End = Literal["finished", "aborted", "closed"]
ConnectionState = Literal["connecting", "open", "reconnecting", "closed"]


@dataclass(frozen=True)
class Options:
    """Limits of a Roomring, each for one room at a time."""

    tries: float = 10
    """How many sockets join and spectate try before they raise, 1 or more; 10 take about half a minute. math.inf: until cancelled."""
    max_waiting: int = 1024
    """Actions that wait to be sent, beyond the 32 under way. One more raises RejectedError "too_many"."""
    max_events: int = 1024
    """Unread events of one iterator. One more pushes out the oldest."""
    max_message: int = 64 << 20
    """Bytes of one message from the server. A larger one is taken for one that cannot be read."""
    http_timeout: float = 10
    """Seconds that one HTTP request may take."""

    def __post_init__(self) -> None:
        for name, least in (("tries", 1), ("max_waiting", 0), ("max_events", 1), ("max_message", 1)):
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}: must be {least} or more")
        if not 0 < self.http_timeout < math.inf:
            raise ValueError("http_timeout: must be a number of seconds above 0")


@dataclass(frozen=True)
class Event:
    """Something that happened in a room, as opposed to something that is."""

    name: str
    data: Any
    seq: int


@dataclass(frozen=True)
class Over:
    """The end of a room's life.

    alone: the room was gone, so turns before its end may be missing, and the view may not be the last. The replay has them.
    """

    seq: int
    end: End
    result: dict[str, Any] | None = None
    reason: str = ""
    alone: bool = False


@dataclass(frozen=True)
class Status:
    """What became of a connection: its state, and why it is not open.

    code is of docs/PROTOCOL.md, section 10, or of RFC 6455. retry_in is in milliseconds, while it is reconnecting.
    """

    state: ConnectionState
    code: int = 0
    reason: str = ""
    retry_in: float | None = None


@dataclass
class Stats:
    """What a room's connection went through."""

    sockets: int = 0  # that were welcomed,
    recovered: int = 0  # and of these, without a whole view
    states: int = 0  # whole views
    turns: int = 0
    checks: int = 0  # checksums that agreed,
    mismatches: int = 0  # and that did not; each asks for the whole view
    lost: int = 0  # events that the server dropped because this client read too slowly
    resent: int = 0  # actions sent more than once; each has its effect once


class Guest(TypedDict):
    token: str
    player: str
    name: str


class GameInfo(TypedDict):
    name: str
    version: int
    title: str
    about: str
    min_players: int
    max_players: int
    tick_rate: int  # ticks a second; 0: the game moves only when somebody does
    rated: bool
    grace: int  # seconds that a disconnected player's seat is kept


class SeatInfo(TypedDict):
    seat: int
    player: str
    name: str
    online: bool


class _OutcomeOptional(TypedDict, total=False):
    score: float
    bot: bool


class Outcome(_OutcomeOptional):
    player: str
    name: str
    seat: int
    rank: int  # 1 is best; equal ranks drew


class Final(TypedDict):
    end: End
    rated: bool
    result: dict[str, Any]
    point: dict[str, int]
    duration_ms: int  # of room time


class _RoomInfoOptional(TypedDict, total=False):
    name: str
    options: dict[str, Any]
    code: str  # the join code of a private room; only in the answer to creating it
    created: str
    ws_url: str
    final: Final


class RoomInfo(_RoomInfoOptional):
    id: str
    game: str
    version: int
    private: bool
    phase: Phase
    open: bool  # whether it takes new players
    seats: list[SeatInfo]
    players: int
    max_players: int
    spectators: int
    epoch: int
    seq: int
    node: str


class _RoomsOptional(TypedDict, total=False):
    next: str  # leads to the page behind it; absent on the last
    partial: bool  # a node did not answer, and rooms may be missing


class Rooms(_RoomsOptional):
    rooms: list[RoomInfo]


class Standing(TypedDict):
    place: int
    player: str
    name: str
    rating: float
    deviation: float
    volatility: float
    games: int
    wins: int
    draws: int
    losses: int
