"""Actions, exactly once."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Any, Callable

from .errors import RejectedError
from .values import decode, encode, flaw

DEEPEST = 31  # arrays and objects in one another, of the 32 that a message may have


class Act:
    """One action: its JSON, its number once it has one, and who waits for its answer."""

    def __init__(self, data: str, answer: asyncio.Future[int]) -> None:
        self.data = data
        self.answer = answer
        self.cseq = 0  # 0 while it waits
        self.sent = 0  # times, in all
        self.here = False  # sent on the present socket

    def settle(self, seq: int = 0, error: Exception | None = None) -> None:
        if self.answer.done():
            return  # nobody waits any more
        if error:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(seq)


class Acts:
    """Number actions, and send each until it has its answer (docs/PROTOCOL.md, section 6).

    write writes a message to the socket, or returns False when there is none.
    """

    def __init__(self, write: Callable[[str], bool], max_waiting: int) -> None:
        self._write = write
        self._max_waiting = max_waiting
        self._waiting: deque[Act] = deque()
        self._unanswered: list[Act] = []  # in the order of cseq
        self._next = 1  # cseq
        self._answered = 0  # the highest cseq that has its answer
        self._message = math.inf  # bytes a message
        self._most = 32  # unanswered
        self._budget = Budget(math.inf, 0)  # messages
        self._bytes = Budget(math.inf, 0)
        self._timer: asyncio.TimerHandle | None = None
        self.resent = 0

    def add(self, action: Any) -> asyncio.Future[int]:
        """Take an action, which must be a JSON value, as it is at this moment."""
        if len(self._waiting) >= self._max_waiting:
            raise RejectedError("too_many", f"{self._max_waiting} actions wait already: await some before you add more.")
        act = Act(_said(action), asyncio.get_running_loop().create_future())
        self._waiting.append(act)
        self.flush()
        return act.answer

    def welcomed(self, cseq: int, limits: dict[str, Any]) -> None:
        """Send again, on a new socket, all that has no answer."""
        now = asyncio.get_running_loop().time()
        self._message = limits.get("message") or math.inf
        self._most = limits.get("unanswered", 32)
        # Half of the burst that the server allows: pings need some too.
        self._budget = Budget(limits.get("rate") or math.inf, now)
        self._bytes = Budget(limits.get("bytes") or math.inf, now)
        if cseq < self._answered:
            # The room has lost what it had answered, and all after it: count on from what it knows.
            self._answered = cseq
            for i, act in enumerate(self._unanswered):
                act.cseq = cseq + 1 + i
        for act in self._unanswered:
            act.here = False
        self._next = (self._unanswered[-1].cseq if self._unanswered else cseq) + 1
        self.flush()

    def answer(self, cseq: int, seq: int, refusal: RejectedError | None = None) -> None:
        act = next((a for a in self._unanswered if a.cseq == cseq), None)
        if act is None:
            return  # a second answer
        self._unanswered.remove(act)
        self._answered = max(self._answered, cseq)
        act.settle(seq, refusal)
        self.flush()

    def flush(self) -> None:
        """Send what may be sent at this moment."""
        self._stop()
        for act in self._unanswered:
            if not act.here and not self._send(act):
                return
        while self._waiting and len(self._unanswered) < self._most:
            act = self._waiting[0]
            if not act.answer.done() and not self._send(act):
                return
            self._waiting.popleft()
            if act.cseq:  # else it was taken back, or is too large
                self._unanswered.append(act)

    def fail(self, error: Exception) -> None:
        """End all."""
        self._stop()
        acts = [*self._unanswered, *self._waiting]
        self._unanswered.clear()
        self._waiting.clear()
        for act in acts:
            act.settle(error=error)

    def _send(self, act: Act) -> bool:
        """Return False when nothing can be sent at this moment. An action too large is rejected and gets no number."""
        text = f'{{"t":"act","cseq":{act.cseq or self._next},"data":{act.data}}}'
        size = len(text.encode())
        if not act.cseq and size > self._message:
            act.settle(error=RejectedError("too_large", f"The action is larger than the {self._message} bytes a message may have."))
            return True
        if not self._allowed(size) or not self._write(text):
            return False
        self._budget.spend(1)
        self._bytes.spend(size)
        if not act.cseq:
            act.cseq = self._next
            self._next += 1
        act.here = True
        act.sent += 1
        if act.sent > 1:
            self.resent += 1
        return True

    def _allowed(self, size: int) -> bool:
        """Keep to limits.rate and limits.bytes: what is beyond them goes a little later."""
        loop = asyncio.get_running_loop()
        wait = max(self._budget.wait(1, loop.time()), self._bytes.wait(size, loop.time()))
        if wait > 0:
            self._timer = loop.call_later(wait, self.flush)
        return wait <= 0

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Budget:
    """What may be spent at a rate a second, and at most one second's worth at once."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._left = rate
        self._at = now

    def wait(self, cost: float, now: float) -> float:
        """Return the seconds until cost may be spent. One above the rate may be when all is there."""
        if self.rate == math.inf:
            return 0
        self._left = min(self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        lacks = min(cost, self.rate) - self._left
        return math.ceil(lacks / self.rate * 1000) / 1000 if lacks > 1e-9 else 0

    def spend(self, cost: float) -> None:
        self._left -= cost


def _said(action: Any) -> str:
    """Return an action's JSON. A message that no server takes would end the session for good, so it is refused here."""
    try:
        data = decode(encode(action))  # keys that Python spells otherwise become one
        found = flaw(data, DEEPEST)
    except (ValueError, RecursionError):  # NaN, a value inside of itself, or one too deep to be written
        found = "The action is no JSON value: it holds NaN, an infinity or itself."
    if found:
        raise RejectedError("bad_action", found)
    text = encode(data)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RejectedError("bad_text", "A text in the action has half a surrogate pair: it is no Unicode.") from None
    return text
