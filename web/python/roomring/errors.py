"""What goes wrong."""

from __future__ import annotations

from typing import Any, Literal

from .types import Over

ClosedKind = Literal["left", "token", "forbidden", "not-found", "reload", "replaced", "over", "unreachable", "refused"]

UNREADABLE = 1007  # the close code of what cannot be read, here or there

_KINDS: dict[int, tuple[ClosedKind, str]] = {
    1000: ("left", "You have left the room."),
    UNREADABLE: ("refused", "What was said could not be read."),
    4401: ("token", "Who you are could not be told, or no longer: come with a new token."),
    4403: ("forbidden", "This room does not let you in."),
    4404: ("not-found", "There is no such room."),
    4406: ("reload", "This program is older than the server: update package roomring."),
    4409: ("replaced", "You are playing in another program now."),
    4410: ("over", "The game is over."),
}


class RoomringError(Exception):
    """What all errors of this package are."""


class RejectedError(RoomringError):
    """The game's refusal of an action, which changed nothing. code is for programs, reason for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason or code)
        self.code = code
        self.reason = reason


class ClosedError(RoomringError):
    """A room's connection has ended for good.

    kind says what to do: "left": nothing, leave or close was called; "token": come with another one; "forbidden":
    kicked, full, locked or the wrong code; "not-found"; "reload": this program is too old for the server; "replaced":
    the same player came from elsewhere; "over": the game is; "unreachable": a first join has failed as often as
    Roomring's tries says; "refused": a mistake of the program's that reason describes.

    code is of docs/PROTOCOL.md, section 10, or of RFC 6455. over is there when the room told how it ended.
    """

    def __init__(self, code: int, reason: str = "", over: Over | None = None) -> None:
        kind, words = _KINDS.get(code) or ("unreachable" if code < 4400 else "refused", "The server closed the connection.")
        super().__init__(reason or words)
        self.code = code
        self.kind: ClosedKind = kind
        self.reason = reason or words
        self.over = over


class HTTPError(RoomringError):
    """An HTTP request that the server refused. problem is its answer (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))
        self.status = status
        self.problem = problem
