"""A server, seen by one player."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Awaitable, Callable, Union, cast
from urllib.parse import quote, urlsplit, urlunsplit

from .connection import Target
from .errors import HTTPError
from .http import ask
from .room import Room
from .types import GameInfo, Guest, Options, Phase, RoomInfo, Rooms, Standing

Token = Union[str, Callable[[], Union[str, Awaitable[str]]]]


class Roomring:
    """A Roomring server, seen by one player.

    url is the server's address, and may have a path. token is the player's, or a function that gets one, which is called
    before each socket. Without it this is a guest, called name, from the first call that needs a player.

    Every call that asks the server raises HTTPError when the server refuses, and OSError when it cannot be reached.
    """

    def __init__(self, url: str, *, name: str | None = None, token: Token | None = None, options: Options = Options()) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f'url: give the server\'s address, such as "https://play.example.org", not {url!r}')
        self.options = options
        self._base = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
        self._name = name
        self._token = token
        self._guest: Guest | None = None
        self._becoming: asyncio.Task[Guest] | None = None
        self._player: str | None = None

    @property
    def player(self) -> str | None:
        """The player's id, once it is known."""
        return self._player or (self._guest["player"] if self._guest else None)

    # What the server has.

    async def guest(self, name: str | None = None) -> Guest:
        """Become a new guest, who plays from then on. Keep its token, and give it to another Roomring to be the same player."""
        name = self._name if name is None else name
        guest = cast(Guest, await self._ask("/v1/guest", body={} if name is None else {"name": name}))
        self._guest, self._player = guest, guest["player"]
        return guest

    async def games(self) -> list[GameInfo]:
        return cast("list[GameInfo]", (await self._ask("/v1/games"))["games"])

    async def rooms(
        self, *, game: str | None = None, phase: Phase | None = None, open: bool | None = None, after: str | None = None,
        limit: int | None = None,
    ) -> Rooms:
        """Return a page of the public rooms. open: only those that take new players. after: the next of the page before."""
        query = {"game": game, "phase": phase, "open": None if open is None else str(open).lower(), "after": after, "limit": limit}
        return cast(Rooms, await self._ask("/v1/rooms", query=query))

    async def room(self, id: str) -> RoomInfo:
        return cast(RoomInfo, await self._ask(f"/v1/rooms/{quote(id, '')}"))

    async def find_room(self, code: str) -> RoomInfo:
        """Return the private room with a join code. HTTPError with the status 404 says that there is none."""
        rooms = (await self._ask("/v1/rooms", query={"code": code}))["rooms"]
        if rooms:
            return cast(RoomInfo, rooms[0])
        raise HTTPError(404, {"title": "Not Found", "status": 404, "detail": "There is no room with this code."})

    async def create(
        self, game: str, options: dict[str, Any] | None = None, *, name: str | None = None, private: bool = False, public: bool = False,
    ) -> RoomInfo:
        """Make a room. public shows the result and replay of a private one to everybody."""
        body: dict[str, Any] = {"game": game}
        if options is not None:
            body["options"] = options
        if name is not None:
            body["name"] = name
        body.update({flag: True for flag, set in (("private", private), ("public", public)) if set})
        return cast(RoomInfo, await self._ask("/v1/rooms", body=body, as_player=True))

    async def matchmake(self, game: str, options: dict[str, Any] | None = None, *, ticket: str | None = None) -> RoomInfo:
        """Return a room in which a seat is held for 15 s: join it.

        Asking again with the same ticket, of 16 characters or more, gets the same room; without one it is drawn at random.
        """
        body: dict[str, Any] = {"game": game, "ticket": ticket or secrets.token_hex(16)}
        if options is not None:
            body["options"] = options
        return cast(RoomInfo, await self._ask("/v1/matchmake", body=body, as_player=True))

    async def result(self, room: str) -> dict[str, Any]:
        """Return how a room ended: its status is "pending" until that is stored."""
        return cast("dict[str, Any]", await self._ask(f"/v1/results/{quote(room, '')}", as_known=True))

    async def profile(self, player: str) -> dict[str, Any]:
        return cast("dict[str, Any]", await self._ask(f"/v1/players/{quote(player, '')}", as_known=True))

    async def leaderboard(self, game: str, *, offset: int | None = None, limit: int | None = None) -> list[Standing]:
        answer = await self._ask(f"/v1/leaderboards/{quote(game, '')}", query={"offset": offset, "limit": limit})
        return cast("list[Standing]", answer["players"])

    # Rooms.

    async def join(self, room: str | RoomInfo, *, code: str | None = None, client: str | None = None) -> Room[Any, Any]:
        """Take a seat, or come back to it, and return with the first view.

        It raises ClosedError when the room does not let this player in or cannot be reached in Options.tries, and HTTPError
        when there is no guest to be had. client is the id of this run of the program, 1 to 128 bytes; by default each join
        draws its own.
        """
        return await self._enter(room, False, code, client)

    async def spectate(self, room: str | RoomInfo, *, code: str | None = None, client: str | None = None) -> Room[Any, Any]:
        """Watch, as join."""
        return await self._enter(room, True, code, client)

    async def _enter(self, room: str | RoomInfo, spectator: bool, code: str | None, client: str | None) -> Room[Any, Any]:
        info: dict[str, Any] = {"id": room} if isinstance(room, str) else dict(room)
        own = f"ws{self._base[4:]}/v1/rooms/{quote(info['id'], '')}/ws"
        target = Target(
            id=info["id"], urls=addresses(own, info.get("ws_url")), client=client or secrets.token_hex(16), spectator=spectator,
            name=self._name, code=code or info.get("code"),
        )
        entered: Room[Any, Any] = Room(self, target)
        await entered.joined()
        return entered

    # Who plays.

    async def token(self, required: bool) -> str | None:
        if self._token is not None:
            token = self._token() if callable(self._token) else self._token
            return token if isinstance(token, str) else await token
        if not self._guest and required:
            if not self._becoming:  # shared by all who ask meanwhile
                self._becoming = asyncio.get_running_loop().create_task(self.guest())
                self._becoming.add_done_callback(self._became)
            await asyncio.shield(self._becoming)
        return self._guest["token"] if self._guest else None

    def _became(self, _: object) -> None:
        self._becoming = None

    def renew(self, refused: str | None, same: bool) -> bool:
        if self._token is not None:
            return callable(self._token)
        if self._guest and self._guest["token"] == refused:
            self._guest = None
        return refused is not None and not same  # another guest is another player

    def welcomed(self, player: str, token: str | None) -> None:
        if token and self._token is None:
            self._guest = {"token": token, "player": player, "name": self._name or ""}
        self._player = player or self._player

    # HTTP.

    async def ask(self, room: str) -> tuple[bool, str]:
        try:
            await self.room(room)
        except HTTPError as err:
            return err.status in (400, 404), str(err)  # 400: no room can have that id
        except OSError as err:
            return False, str(err)
        return False, "HTTP gets through: look whether each proxy on the way passes WebSocket upgrades on."

    async def _ask(
        self, path: str, *, query: dict[str, Any] | None = None, body: Any = None, as_player: bool = False, as_known: bool = False,
    ) -> Any:
        for last in (False, True):
            token = await self.token(as_player) if as_player or as_known else None
            try:
                return await ask(self._base + path, query, body, token, self.options.http_timeout)
            except HTTPError as err:
                if last or err.status != 401 or not token or not self.renew(token, False):
                    raise


def addresses(own: str, given: str | None) -> list[str]:
    """Return where a room's socket may be, the likeliest first.

    own is beneath the address by which HTTP reaches the server; given is the server's, who may not know that a proxy cut
    off a part of the path, speaks TLS for it or names it otherwise. Only what is said of another host may be right where it
    differs: a server can be told to name one. Nothing leaves TLS.
    """
    to, mine = urlsplit(given or own), urlsplit(own)
    mine = mine._replace(query=to.query)  # leads balancers to the room's node
    if to.netloc == mine.netloc or (to.scheme == "ws" and mine.scheme == "wss"):
        return [urlunsplit(mine)]
    return [urlunsplit(to), urlunsplit(mine)]
