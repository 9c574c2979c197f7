"""Plays three moves of chess against the server's own player, and resigns."""

import asyncio
import sys

from roomring import RejectedError, Roomring


async def play(url: str) -> str:
    ring = Roomring(url, name="Ann")
    info = await ring.create("chess", {"bot": 1, "white": "first"})
    async with await ring.join(info) as room:
        for move in ["e4", "Nf3", "Bc4"]:
            try:
                await room.act({"move": move})
            except RejectedError as err:
                print(err.reason)  # for people; err.code is for programs
                break
            async for view in room.views():
                if view["status"] == "over" or view["turn"] == "white":
                    break
        await room.act({"resign": True})
        over = await room.wait_over()
    return str(over.result["summary"]) if over.result else over.reason


if __name__ == "__main__":
    print(asyncio.run(play(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:7777")))
