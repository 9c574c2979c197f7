"""HTTP by the standard library, in a thread: calls are few, and none streams."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.error import HTTPError as Refused
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from .errors import HTTPError


async def ask(url: str, query: dict[str, Any] | None, body: Any, token: str | None, timeout: float) -> Any:
    """Send a request, a POST if it has a body, and return the JSON of the answer.

    It raises HTTPError when the server refuses, and OSError when it cannot be reached within timeout, in seconds.
    """
    told = {name: value for name, value in (query or {}).items() if value is not None}
    request = Request(f"{url}?{urlencode(told)}" if told else url)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    return await asyncio.to_thread(_ask, request, timeout)


def _ask(request: Request, timeout: float) -> Any:
    try:
        with urlopen(request, timeout=timeout) as answer:
            text = answer.read()
    except Refused as err:
        with err:
            raise HTTPError(err.code, _problem(err)) from None
    try:
        return json.loads(text)
    except ValueError:
        raise ConnectionError(f"{request.full_url} answers with what is not JSON: is it the address of a Roomring server?") from None


def _problem(err: Refused) -> dict[str, Any]:
    try:
        found = json.loads(err.read())
    except (OSError, ValueError):
        found = None
    if isinstance(found, dict) and found.get("title"):
        return found
    return {"type": "about:blank", "title": err.reason or f"HTTP {err.code}", "status": err.code}
