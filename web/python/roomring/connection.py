"""The sockets of one client in one room, one after another."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin

from .errors import UNREADABLE, ClosedError, HTTPError
from .link import Link
from .types import Options

MAX_DELAY = 10.0  # seconds
FIRST_DELAY = 0.25
YOUNG = 5.0  # seconds: a socket that was lost sooner after its welcome than this counts as a failure
MAX_UNREAD = 3  # sockets in a row that ended in what cannot be read


class Host(Protocol):
    """What a connection needs of the Roomring that made it."""

    options: Options

    async def token(self, required: bool) -> str | None:
        """Return who comes. A player without a token becomes a guest."""

    def renew(self, refused: str | None, same: bool) -> bool:
        """Forget a token that was refused; say whether there is another one, for the same player or for anybody."""

    def welcomed(self, player: str, token: str | None) -> None:
        """Hear who the server says this is."""

    async def ask(self, room: str) -> tuple[bool, str]:
        """Ask by HTTP why no socket opens: whether there is certainly no such room, else what is known."""


class Owner(Protocol):
    """What a connection connects."""

    @property
    def seen(self) -> bool:
        """Whether there is a view, so that the connection goes on for as long as it takes."""

    def hello(self) -> dict[str, Any]: ...
    def received(self, link: Link, message: dict[str, Any]) -> None: ...
    def reconnecting(self, code: int, reason: str, retry_in: float | None) -> None: ...
    def unsound(self) -> None:
        """Hear that the view may not be resumed from."""

    def ended(self, err: BaseException) -> None: ...


@dataclass(frozen=True)
class Target:
    """What to connect to, and as what. urls is where the room's socket may be, the likeliest first."""

    id: str
    urls: list[str]
    client: str
    spectator: bool
    name: str | None
    code: str | None


class Connection:
    """Keep one client connected to one room (docs/PROTOCOL.md, section 7), until something ends it for good."""

    def __init__(self, host: Host, target: Target, owner: Owner) -> None:
        self._host = host
        self._target = target
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._urls = list(target.urls)  # the one whose turn it is first; only that one once it has led to the room
        self._url = self._urls[0]  # where the next socket goes
        self.link: Link | None = None  # welcomed
        self._next: Link | None = None  # opening
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._losses = 0  # in a row
        self._failed = 0  # sockets before the first view
        self._unread = 0  # sockets since the last view that could be read
        self.attempt = 0
        self._token: str | None = None  # of the newest socket
        self._renewed = False  # since the last welcome
        self._closed = False
        self._schedule(0)

    def write(self, text: str) -> bool:
        return self.link is not None and self.link.write(text)

    def send(self, message: dict[str, Any]) -> None:
        if self.link:
            self.link.send(message)

    def readable(self) -> None:
        """Hear that a view was read."""
        self._unread = 0

    def end(self) -> None:
        """Close all sockets. Nothing follows."""
        self._closed = True
        if self._connecting:
            self._connecting.cancel()
        for link in (self._next, self.link):
            if link:
                link.close()
        self._next = self.link = None

    async def wait_ended(self) -> None:
        """Wait until the sockets are closed, which takes a server that does not answer CLOSE_WITHIN."""
        tasks = {task for task in self._tasks if task is not asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks)

    # Connecting.

    def _keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """Hold a task until it has ended."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _schedule(self, delay: float) -> None:
        if self._connecting:
            self._connecting.cancel()
        self._connecting = self._keep(self._loop.create_task(self._connect(delay)))

    async def _connect(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self._next:
            self._next.close()
            self._next = None
        try:
            token = await self._host.token(not self._target.spectator)
        except Exception as err:  # a program's own function may raise anything
            self._hindered(err)
            return
        self._token = token
        self.attempt += 1
        self._next = Link(self._url, self, self._host.options.max_message)
        self._keep(self._next.task)

    def _hindered(self, err: Exception) -> None:
        """Decide whether a socket may be had later: there was no token."""
        http = isinstance(err, HTTPError)
        refused = isinstance(err, HTTPError) and err.status < 500 and err.status != 429
        if not self._owner.seen and (refused or not http):
            self._owner.ended(err)
        elif refused:
            self._owner.ended(ClosedError(4401, str(err)))
        elif self._hopeless():
            self._owner.ended(err)
        else:
            self._url = self._urls[0]
            self._retry(1006, str(err))

    def opened(self, link: Link) -> None:
        hello = {"t": "hello", "client": self._target.client, "attempt": self.attempt}
        if self._token:
            hello["token"] = self._token
        if self._target.name:
            hello["name"] = self._target.name
        if self._target.spectator:
            hello["as"] = "spectator"
        if self._target.code:
            hello["code"] = self._target.code
        link.send({**hello, **self._owner.hello()})

    def received(self, link: Link, message: dict[str, Any]) -> None:
        if message["t"] == "welcome":
            self._welcome(link, message)
        elif message["t"] == "move":
            self._move(link, message)
        else:
            self._owner.received(link, message)

    def _welcome(self, link: Link, m: dict[str, Any]) -> None:
        if link is self._next:
            if link.url in self._urls:
                self._urls = [link.url]
            if self.link:
                self.link.close()
            self._next, self.link = None, link
        self._renewed = False
        self._host.welcomed(m.get("player", ""), m.get("token"))
        link.welcomed(m["heartbeat"])
        self._owner.received(link, m)

    def _move(self, link: Link, m: dict[str, Any]) -> None:
        if link is not self.link:
            return
        if m.get("url"):
            moved = urljoin(f"http{self._url[2:]}", m["url"])  # which knows no relative addresses of sockets
            self._url = f"ws{moved[4:]}" if moved.startswith("http") else moved
        if self._lived(link):
            self._losses = 0
        if not self._next and not self._closed:
            self._schedule(self._delay())

    # Losing.

    def lost(self, link: Link, code: int, reason: str) -> None:
        if link is self._next:
            self._next = None
        if link is self.link:
            self.link = None
        if self._renew(code, reason):
            return
        if code == 4409 and self._next:
            return  # by that one, whose welcome is on its way
        if code == 1000 or 4400 <= code < 4500:
            self._owner.ended(ClosedError(code, reason))
            return
        if code == UNREADABLE:
            self._owner.unsound()  # the whole view may be free of it
            self._unread += 1
            if self._unread >= MAX_UNREAD:
                self._owner.ended(ClosedError(code, reason))
                return
        self._again(link, code, reason)

    def _renew(self, code: int, reason: str) -> bool:
        """Connect with another token, once, if that of the last socket was refused and there is one."""
        if code != 4401 or self._renewed or not self._host.renew(self._token, self._owner.seen):
            return False
        self._renewed = True
        if self._owner.seen and not self.link:
            self._owner.reconnecting(code, reason, 0)
        self._schedule(0)
        return True

    def _again(self, link: Link, code: int, reason: str) -> None:
        hopeless = self._hopeless()
        if not link.open:
            self._urls.append(self._urls.pop(0))
            self._url = self._urls[0]  # where a move led may be gone again
        if hopeless or not link.open:
            self._keep(self._loop.create_task(self._ask_why(code, link, reason, hopeless)))
        if hopeless:
            return
        if self._lived(link):
            self._losses = 0
        self._retry(code, reason)

    def _lived(self, link: Link) -> bool:
        return link.welcomed_at is not None and self._loop.time() - link.welcomed_at > YOUNG

    def _hopeless(self) -> bool:
        """Count a failure before the first view, and say whether there were as many as a join may have."""
        if self._owner.seen or self.link or self._next:
            return False
        self._failed += 1
        return self._failed >= self._host.options.tries

    async def _ask_why(self, code: int, link: Link, reason: str, hopeless: bool) -> None:
        """Find out whether a socket was refused because there is no such room. It ends a hopeless join."""
        gone, told = await self._host.ask(self._target.id)
        if gone:
            self._owner.ended(ClosedError(4404))
        elif hopeless:
            why = (reason or told) if link.open else f"No socket opens at {link.url} ({reason}). {told}"
            self._owner.ended(ClosedError(code, why))

    def _retry(self, code: int, reason: str) -> None:
        """Connect, at once after a first loss and then with full jitter, unless a socket is on its way."""
        if self._closed:
            return
        delay = None
        if not self._next:
            delay = self._delay()
            self._schedule(delay)
        if not self.link and self._owner.seen:
            self._owner.reconnecting(code, reason, delay and delay * 1000)

    def _delay(self) -> float:
        n, self._losses = self._losses, self._losses + 1
        return random.uniform(0, min(MAX_DELAY, FIRST_DELAY * 2 ** min(n, 10))) if n else 0.0
