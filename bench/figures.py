#!/usr/bin/env python3
"""Measures what docs/RELIABILITY.md says of deaths, cuts, drains and deploys, and prints the table. Run it from the project's root.

  figures.py                     all rows; an hour. As root with iproute2 and nftables, with PostgreSQL's programs and Chromium
  figures.py kill drain          only these
  figures.py --times 3 join      the rows that are tests, three times instead of twenty

Each row is one command, which the table shows. Rows that are plans of `roomring torture` do what their plan says, twenty times, and fail
if a check of it does not hold: then something was lost, forked, doubled or gone for good. Exits with 1 if a goal is missed.
"""
import argparse, datetime, json, os, re, subprocess, sys

FIELD = '{"walls":false,"width":128,"height":128,"bots":4,"rounds":20,"round_s":900,"start_s":1,"pause_s":1}'
OPEN = f"--store postgres --games snakes --options 'snakes={FIELD}' --rooms 12 --room-time 15m --pause 1s"
HERE = "bench/figures"


class Row:
    def __init__(self, name, what, goal, command, read):
        self.name, self.what, self.goal, self.command, self.read = name, what, goal, command, read


def torture(plan, seconds, rest):
    return f"bin/roomring torture --plan {HERE}/{plan}.plan --for {seconds}s --seed 1 --json {rest}"


def e2e(folder, test):
    return f"ROOMRING_FIGURES={{times}} go test ./internal/e2e/{folder} -count 1 -timeout 0 -v -run '{test}'"


def ms(v):
    return f"{v / 1000:.2f} s" if v >= 1000 else f"{v:.0f} ms"


def of(values):
    """Values of a summary of torture's, or a list of ms."""
    if isinstance(values, list):
        v = sorted(values)
        values = {"count": len(v), "median_ms": v[len(v) // 2], "p99_ms": v[min(len(v) - 1, int(0.99 * len(v)))], "worst_ms": v[-1]} if v else {"count": 0}
    return values


def told(s, unit):
    if not s["count"]:
        return "nothing was measured"
    return f"median {ms(s['median_ms'])}, 99 % {ms(s['p99_ms'])}, worst {ms(s['worst_ms'])}, of {s['count']} {unit}"


def whole(r):
    """What torture found lost, in words."""
    c, n = r["counts"], len(r["violations"])
    done = sum("error" not in f for f in r["faults"])
    return f"{n or 'nothing'} lost, forked or doubled: {done} faults, {c['rooms']} rooms, {c['results']} results ({c['finished']} of games that ended by themselves), {c['clients']} clients, {c['acts']} acts"


def plan_row(key, unit, goal):
    def read(text):
        r = json.loads(text[text.index("{"):])
        s = of(r[key])
        return told(s, unit) + "; " + whole(r), r["ok"] and bool(s["count"]) and goal(s)
    return read


def counts_row(key, name):
    def read(text):
        r = json.loads(text[text.index("{"):])
        return f"{whole(r)}; {name}: {told(of(r[key]), key)}", r["ok"]
    return read


def marks(text, name):
    return [float(v) for v in re.findall(rf"FIGURE {name} ([0-9.]+)", text)]


def served(text):
    s = of(marks(text, "served"))
    return told(s, "deaths"), bool(s["count"]) and s["worst_ms"] < 3000


def drained(text):
    s = of(marks(text, "gap"))
    return told(s, "clients"), bool(s["count"]) and s["p99_ms"] < 100


def joined(text):
    share, gap = of(marks(text, "share")), of(marks(text, "gap"))
    return f"share: {told(share, 'joins')}; longest gap of a client: {told(gap, 'clients')}", \
        bool(share["count"]) and share["worst_ms"] < 15000 and gap["worst_ms"] < 100


def stalls(text):
    parts = [(k, of(marks(text, k))) for k in ("kill", "drain")]
    return "; ".join(f"{k}: {told(s, 'stalls')}" for k, s in parts), all(s["count"] for _, s in parts)


ROWS = [
    Row("kill", "SIGKILL of a room's node, to the next turn at each of its clients", "median < 0.3 s, worst < 1 s", torture("kill", 135, OPEN),
        plan_row("failovers", "clients", lambda s: s["median_ms"] < 300 and s["worst_ms"] < 1000)),
    Row("cut", "the cable between two nodes is cut: longest stall of each client that feels it", "< 2.5 s, worst 4 s", torture("cut", 195, "--namespaces " + OPEN),
        plan_row("cuts", "clients", lambda s: s["median_ms"] < 2500 and s["worst_ms"] < 4000)),
    Row("alone", "a node is cut off from all others and the store: the same", "", torture("alone", 195, "--namespaces " + OPEN),
        plan_row("cuts", "clients", lambda s: True)),
    Row("served", "1,000 rooms of chess and 100 of snakes on the node that is killed: until a client of each is welcomed by the other node", "< 3 s on two cores",
        e2e("cluster", "TestFiguresOfADeathWithAThousandRooms$"), served),
    Row("drain", "a room's node drains, of four by command and two at once by SIGTERM: longest gap of each client", "99 % < 100 ms, nothing lost",
        "go test ./internal/e2e/cluster -count {times} -timeout 0 -v -run 'TestADrainHandsRoomsOver$'", drained),
    Row("pauses", "the same in rooms of snakes, whose rounds have pauses of a second", "", torture("drain", 135, OPEN),
        plan_row("handovers", "clients", lambda s: True)),
    Row("roll", "rolling restarts of three nodes with 500 games and 1,500 players", "0 lost, forked, doubled",
        torture("roll", 270, "--store postgres --games liarsdice --players 3 --rooms 500 --room-time 15m --pause 8s --settle 60s"), counts_row("outages", "a client's waits")),
    Row("join", "a fourth node joins three with 500 rooms: its share is there, after the 10 s in which the ring must be stable", "< 15 s, no gap > 100 ms",
        e2e("cluster", "TestFiguresOfANodeThatJoins$"), joined),
    Row("away", "PostgreSQL is away for 60 s while games end, three times", "each result once", torture("away", 240, "--store postgres --games chess --rooms 150 --room-time 5m --pause 2s --settle 60s"), counts_row("answers", "from an act to its answer")),
    Row("wipe", "a node is killed and its folder deleted: to the next turn at each client", "nothing lost", torture("wipe", 190, OPEN),
        plan_row("failovers", "clients", lambda s: True)),
    Row("stall", "Chromium plays snakes while its node is killed, and drained: longest time without a turn", "", e2e("browser", "TestBrowser/stall"), stalls),
]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("rows", nargs="*", help=", ".join(r.name for r in ROWS) + " (default: all)")
    ap.add_argument("--times", type=int, default=20)
    ap.add_argument("--keep", help="folder for the whole output of each command")
    a = ap.parse_args()
    if unknown := set(a.rows) - {r.name for r in ROWS}:
        raise SystemExit(f"no such row: {', '.join(unknown)}")
    subprocess.run(["go", "build", "-o", "bin/roomring", "./cmd/roomring"], check=True)
    missed = []
    print(f"{datetime.date.today()}, {os.cpu_count()} cores\n\n| what | goal | result | command |\n|---|---|---|---|", flush=True)
    for row in ROWS:
        if a.rows and row.name not in a.rows:
            continue
        command = row.command.format(times=a.times) if "{times}" in row.command else row.command
        done = subprocess.run(command, shell=True, executable="/bin/bash", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if a.keep:
            with open(os.path.join(a.keep, row.name + ".txt"), "w") as f:
                f.write(f"$ {command}\n{done.stdout}\n{done.stderr}")
        try:
            result, met = row.read(done.stdout)
        except (ValueError, KeyError) as e:
            result, met = f"it failed: {e}: {done.stdout[-300:]} {done.stderr[-300:]}", False
        if done.returncode != 0 or not met:
            missed.append(row.name)
        print(f"| {row.what} | {row.goal or '–'} | {result}{'' if done.returncode == 0 else ' **exit ' + str(done.returncode) + '**'} | `{command}` |", flush=True)
    if missed:
        raise SystemExit("goals missed: " + ", ".join(missed))


main()
