"""The asyncio client of Roomring, a stateful WebSocket game and room server.

    ring = Roomring("https://play.example.org", name="Ann")
    async with await ring.join(await ring.matchmake("chess")) as room:
        async for view in room.views():
            ...

Everything runs on the event loop that calls it, and nothing is safe for other threads.
"""

from .client import Roomring
from .errors import ClosedError, HTTPError, RejectedError, RoomringError
from .room import Room
from .types import Event, Final, GameInfo, Guest, Options, Outcome, Over, RoomInfo, SeatInfo, Standing, Stats, Status
from .values import patch

__all__ = [
    "ClosedError", "Event", "Final", "GameInfo", "Guest", "HTTPError", "Options", "Outcome", "Over", "RejectedError",
    "Room", "RoomInfo", "Roomring", "RoomringError", "SeatInfo", "Standing", "Stats", "Status", "patch",
]
