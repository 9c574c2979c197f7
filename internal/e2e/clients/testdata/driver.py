"""Does with the Python client what a test says, a line of JSON each, and answers each with a line of JSON."""

import asyncio
import json
import math
import sys

from roomring import ClosedError, HTTPError, Options, RejectedError, Roomring, patch
from roomring.values import checksum

rooms = {}  # by the name that the test gave
events = {}
states = {}


async def join(m):
    ring = Roomring(m["url"], name=m.get("name"), token=m.get("token"), options=Options(tries=m.get("tries", 10)))
    enter = ring.spectate if m.get("spectator") else ring.join
    room = await enter(m["id"], code=m.get("code"), client=m.get("client"))
    rooms[m["room"]] = room
    events[m["room"]], states[m["room"]] = [], []
    asyncio.create_task(collect(room.events(), events[m["room"]], lambda e: [e.name, e.data, e.seq]))
    asyncio.create_task(collect(room.states(), states[m["room"]], lambda s: s.state))
    return {"player": room.player, "seat": room.seat, "view": room.view}


async def collect(stream, into, write):
    async for item in stream:
        into.append(write(item))


async def act(m):
    return {"seq": await rooms[m["room"]].act(m["data"])}


async def leave(m):
    await rooms[m["room"]].leave()
    return {}


async def close(m):
    await rooms[m["room"]].close()
    return {}


async def resync(m):
    rooms[m["room"]].resync()
    return {}


async def tell(m):
    room = rooms[m["room"]]
    over = room.over and {"seq": room.over.seq, "end": room.over.end, "result": room.over.result, "reason": room.over.reason}
    return {
        "view": room.view, "state": room.state, "states": states[m["room"]], "player": room.player, "seat": room.seat, "game": room.game,
        "events": events[m["room"]], "over": over, "closed": room.closed and room.closed.kind, "lagged": not math.isnan(room.lag),
        "mismatches": room.stats.mismatches, "lost": room.stats.lost, "resent": room.stats.resent, "sockets": room.stats.sockets,
    }


async def values(m):
    patched = [patch(c["target"], c["patch"]) for c in m["cases"]]
    return {"views": patched, "checks": [checksum(v) for v in patched]}


async def sample(m):
    """Run the example of the docs."""
    import chess_bot

    return {"summary": await chess_bot.play(m["url"])}


async def do(m):
    try:
        answer = await globals()[m["do"]](m)
    except RejectedError as err:
        answer = {"rejected": err.code, "reason": err.reason}
    except ClosedError as err:
        over = err.over and {"seq": err.over.seq, "end": err.over.end, "result": err.over.result, "reason": err.over.reason}
        answer = {"closed": err.kind, "reason": err.reason, "over": over}
    except HTTPError as err:
        answer = {"status": err.status, "reason": str(err)}
    except OSError as err:
        answer = {"unreachable": str(err)}
    sys.stdout.write(json.dumps({**answer, "n": m["n"]}) + "\n")
    sys.stdout.flush()


async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no fault
    reader = asyncio.StreamReader(limit=64 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tasks = set()
    while line := await reader.readline():
        task = asyncio.create_task(do(json.loads(line.replace(b"\\ue000", b"\\ud83c"))))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    for room in rooms.values():
        await room.close()
    if tasks:
        await asyncio.wait(tasks)


asyncio.run(main())
