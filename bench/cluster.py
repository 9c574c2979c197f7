#!/usr/bin/env python3
"""Measures what it costs to connect to a node that does not have the room: loadgen's w1 on a cluster of real processes.

  cluster.py --rounds 5 --out cluster.jsonl

Ways: owner (every socket at its room's node), other (all sockets of a room at one other node), any (at all nodes in
turn, as behind a balancer that knows nothing). They take turns on the same running nodes, so a ratio is of neighbouring seconds; medians are of rounds. Nodes are
pinned to core 0 with GOMAXPROCS=1, the generator to core 1 (--unpinned: neither). Several builds given with --build take
turns too, each with a cluster of its own. A round in which messages or sockets were lost, or too much came too late, is
left out, and its logs are kept. Exits with 1 if the first build misses the goals: other over owner at most 1.6 times the
CPU, and at most 0.5 ms more at the median.

  cluster.py --standbys --rounds 20

Instead measures what standbys cost: two nodes, of which the first has all rooms and all sockets and the second their copies, with rooms
in memory, in the first node's journal (local) and in both (standby), by turns. Commit delays are of that node's histogram. Goals of
standby: the owner at most 1.3 times the CPU of local, the follower at most 0.3 times the owner's (without what its node takes in
local rooms' rounds, when it follows nothing), at most 0.3 ms more at the median.
"""
import argparse, collections, json, os, random, shlex, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.request

HOME = os.environ.get("BENCH_HOME", os.path.join(tempfile.gettempdir(), "roombench"))
BIN = os.environ.get("BENCH_BIN", os.path.join(HOME, "bin"))
CPU_GOAL, ADDED_MS_GOAL = 1.6, 0.5
OWNER_GOAL, FOLLOWER_GOAL, COMMIT_MS_GOAL = 1.3, 0.3, 0.3


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def ask(method, url, body=None):
    r = urllib.request.Request(url, method=method, data=body and json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(r, timeout=30) as a:
        return json.load(a)


class Cluster:
    def __init__(self, binary, nodes, durability, pinned, extra, weights=()):
        self.dir = tempfile.mkdtemp(dir=HOME)
        secret = os.path.join(self.dir, "secret")
        with open(secret, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(random.randbytes(32).hex() + "\n")
        free = free_ports(4 * nodes)
        ports = [free[4 * i:4 * i + 4] for i in range(nodes)]
        self.names = [f"n{i + 1}" for i in range(nodes)]
        self.at = [f"127.0.0.1:{p[0]}" for p in ports]
        self.admin = [f"127.0.0.1:{p[1]}" for p in ports]
        env = dict(os.environ, **({"GOMAXPROCS": "1"} if pinned else {}))
        self.procs, self.valid = [], True
        for i, (name, p) in enumerate(zip(self.names, ports)):
            weight = ["--weight", str(weights[i])] if weights else []
            join = ["--peer-listen", f"127.0.0.1:{p[2]}", "--gossip-listen", f"127.0.0.1:{p[3]}", "--cluster-secret-file", secret,
                    "--join", ",".join(f"127.0.0.1:{q[3]}" for q in ports)] if nodes > 1 else []
            log = open(os.path.join(self.dir, name + ".log"), "ab")
            self.procs.append(subprocess.Popen(
                (["taskset", "-c", "0"] if pinned else []) +
                [binary, "serve", "--node", name, "--listen", f"127.0.0.1:{p[0]}", "--admin-listen", f"127.0.0.1:{p[1]}", *join,
                 "--store", "sqlite:" + os.path.join(self.dir, "store.db"), "--data-dir", os.path.join(self.dir, name),
                 "--durability", durability, "--log-level", "warn", "--max-rooms", "100000", "--max-sockets-per-address", "1000000", "--max-connections-per-address", "0", "--max-connections", "0", "--requests-per-second", "0",
                 "--rooms-per-second", "100000", "--unclaimed-seats", "0", "--room-share", "100", "--messages-per-second", "65536", "--heartbeat", "1h", *weight, *extra],
                env=env, stdout=log, stderr=log, cwd=self.dir))

    def __enter__(self):
        end = time.time() + 60
        while not all(map(self.whole, self.at, self.admin)):
            if time.time() > end or any(p.poll() is not None for p in self.procs):
                self.__exit__()
                raise SystemExit(f"the cluster did not come up: see {self.dir}")
            time.sleep(0.1)
        time.sleep(0.7)
        return self

    def whole(self, at, admin):
        try:
            urllib.request.urlopen(f"http://{at}/readyz", timeout=5).close()
            seen = ask("GET", f"http://{admin}/admin/v1/nodes")["nodes"]
            return sum(n["state"] == "active" for n in seen) == len(self.names)
        except OSError:
            return False

    def pids(self):
        return ",".join(str(p.pid) for p in self.procs)

    def cpu(self):
        """Seconds of CPU that all nodes have used."""
        ticks = 0
        for p in self.procs:
            with open(f"/proc/{p.pid}/stat") as f:
                ticks += sum(map(int, f.read().rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def doors(self):
        return ",".join(f"{n}={a}" for n, a in zip(self.names, self.at))

    def __exit__(self, *_):
        for p in self.procs:
            p.send_signal(signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        if self.valid and all(p.returncode == 0 for p in self.procs):
            shutil.rmtree(self.dir, ignore_errors=True)


def load(c, way, pinned, args):
    r = subprocess.run((["taskset", "-c", "1"] if pinned else []) +
                       [f"{BIN}/loadgen", "-peer", "roomring", "-addr", c.doors(), "-via", way, "-pids", c.pids(), "-w", "w1", *args],
                       env=dict(os.environ, GOMAXPROCS="1"), capture_output=True, text=True, timeout=180)
    if r.returncode != 0:
        raise SystemExit(f"loadgen: {r.stderr[:600]}")
    m = json.loads(r.stdout.splitlines()[-1])
    m["valid"] = not m["bad"] and not m["closed"] and abs(m["ratio"] - 1) <= 0.01
    if not m["valid"]:
        c.valid = False
        print(f"not valid, see {c.dir}:", json.dumps(m), file=sys.stderr)
    return m


def text(url):
    with urllib.request.urlopen(url, timeout=30) as a:
        return a.read().decode()


def commits(c, durability):
    """The first node's histogram of commit delays: counts of all up to each bound in seconds."""
    at = {}
    for line in text(f"http://{c.admin[0]}/metrics").splitlines():
        if line.startswith("roomring_commit_delay_seconds_bucket{") and f'durability="{durability}"' in line:
            at[float(line.split('le="')[1].split('"')[0])] = float(line.split()[-1])
    return at


def quantile(before, after, share):
    """A quantile of what a histogram has gained, in ms, interpolated within its bucket."""
    gained = [(bound, after[bound] - before.get(bound, 0)) for bound in sorted(after)]
    want, low, under = share * gained[-1][1], 0, 0
    for bound, n in gained:
        if n >= want and n > 0:
            return 1e3 * (low + (bound - low) * (want - under) / (n - under)) if bound != float("inf") else 1e3 * low
        low, under = bound, n


def copied(c):
    """Waits until every room of the first node has its standby."""
    end = time.time() + 60
    while True:
        loss = ask("GET", f"http://{c.admin[0]}/admin/v1/nodes/{c.names[0]}/loss")
        if not loss["wait"]:
            return
        if time.time() > end:
            raise SystemExit(f"rooms have no standby after 60 s: {loss}")
        time.sleep(0.1)


def profile(c, folder, name):
    """Has each node write a CPU profile of the next 3 s, which the load outlasts."""
    for node, at in zip(c.names, c.admin):
        subprocess.Popen(["curl", "-s", "-o", os.path.join(folder, f"{name}-{node}.pprof"), f"http://{at}/debug/pprof/profile?seconds=3"])


def standbys(a, binary, pinned):
    """Measures what standbys cost, prints it, and returns what misses its goal."""
    kinds, results = a.durability.split(","), collections.defaultdict(list)
    for n in range(a.rounds):
        for d in kinds[n % len(kinds):] + kinds[:n % len(kinds)]:
            with Cluster(binary, 2, d, pinned, shlex.split(a.serve), weights=(100, 0.01)) as c:
                for warm in (True, False):
                    before = commits(c, d)
                    if a.profile and not warm:
                        profile(c, a.profile, d)
                    m = load(c, "owner", pinned, shlex.split(a.load) + (["-warm", "1s", "-dur", "1s"] if warm else []))
                    if d == "standby":
                        copied(c)
                after = commits(c, d)
                if d != "memory":
                    m["commit_p50"], m["commit_p99"] = (round(quantile(before, after, q), 4) for q in (0.5, 0.99))
                m.update(durability=d, round=n)
                results[d].append(m)
                with open(a.out, "a") as f:
                    f.write(json.dumps(m) + "\n")
                print(d, *(f"{k}={m.get(k)}" for k in ("cpu_us_act", "p50", "p99", "commit_p50", "commit_p99", "ratio", "late_ms")), flush=True)
    rounds = [dict(zip(kinds, r)) for r in zip(*(results[d] for d in kinds)) if all(m["valid"] for m in r)]
    if not rounds:
        return ["no round was valid"]
    print("\n| rooms | commit delay, median, ms | 99 % | first node's CPU an act, µs | second node's | a turn at the client, median, ms | 99 % | rounds |\n" + "|---" * 8 + "|")
    for d in kinds:
        ms = [r[d] for r in rounds]
        print("| " + " | ".join([d] + [spread([m[k] for m in ms if k in m]) for k in ("commit_p50", "commit_p99")] +
                                [spread([m["cpu_us_act"][i] for m in ms]) for i in (0, 1)] +
                                [spread([m[k] for m in ms]) for k in ("p50", "p99")] + [str(len(ms))]) + " |")
    if not {"local", "standby"} <= set(kinds):
        return []
    idle = [r["local"]["cpu_us_act"][1] for r in rounds]
    owner = [r["standby"]["cpu_us_act"][0] / r["local"]["cpu_us_act"][0] for r in rounds]
    follower = [(r["standby"]["cpu_us_act"][1] - r["local"]["cpu_us_act"][1]) / r["standby"]["cpu_us_act"][0] for r in rounds]
    added = [r["standby"]["p50"] - r["local"]["p50"] for r in rounds]
    print(f"\nowner over local {spread(owner)}, follower over owner {spread(follower)}, without the {spread(idle)} µs an act that its node takes when it follows nothing, "
          f"ms added at the median {spread(added)}")
    return [f"{what}: {statistics.median(v):.3g}, goal {goal}" for what, v, goal in
            (("owner over local", owner, OWNER_GOAL), ("follower over owner", follower, FOLLOWER_GOAL), ("ms added", added, COMMIT_MS_GOAL)) if statistics.median(v) > goal]


def idle(c, seconds):
    """Share of a core that one node uses while nobody plays."""
    time.sleep(3)
    used, began = c.cpu(), time.time()
    time.sleep(seconds)
    return (c.cpu() - used) / (time.time() - began) / len(c.names)


def balance(c, rooms):
    """How many of the rooms, each made at a random node, lie at each node."""
    own = collections.Counter(ask("POST", f"http://{random.choice(c.at)}/v1/rooms", {"game": "act"})["node"] for _ in range(rooms))
    return [own[n] for n in c.names]


def spread(v):
    return f"{statistics.median(v):.3g} ({min(v):.3g}–{max(v):.3g})" if v else ""


def table(results, builds, durabilities, ways):
    """Prints medians, and returns what the first build misses."""
    missed = []
    print("\n| build | durability | way | server CPU per delivery, µs | of owner | p50, ms | more than owner | p99, ms | proxied | rounds |\n" + "|---" * 10 + "|")
    for b in builds:
        for d in durabilities:
            rounds = [r for r in zip(*(results[b, d, w] for w in ways)) if all(m["valid"] for m in r)]
            if not rounds:
                missed.append(f"{b} {d}: no round was valid")
                continue
            of = {w: [r[i] for r in rounds] for i, w in enumerate(ways)}
            for w, ms in of.items():
                ratio, added = [], []
                if "owner" in of and w != "owner":
                    ratio = [m["cpu_us_msg"] / o["cpu_us_msg"] for m, o in zip(ms, of["owner"])]
                    added = [m["p50"] - o["p50"] for m, o in zip(ms, of["owner"])]
                if b == builds[0] and w == "other" and ratio and (statistics.median(ratio) > CPU_GOAL or statistics.median(added) > ADDED_MS_GOAL):
                    missed.append(f"{d}: {statistics.median(ratio):.2f} times the CPU, {statistics.median(added):.3f} ms more")
                row = [b, d, w, spread([m["cpu_us_msg"] for m in ms]), spread(ratio), spread([m["p50"] for m in ms]), spread(added),
                       spread([m["p99"] for m in ms]), f"{statistics.mean(m['proxied'] for m in ms):.1%}", str(len(ms))]
                print("| " + " | ".join(row) + " |")
    return missed


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--nodes", type=int, default=3)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--ways", default="owner,other")
    ap.add_argument("--durability", help="default memory,local, and with --standbys standby too")
    ap.add_argument("--standbys", action="store_true", help="only measure what standbys cost, with the first build")
    ap.add_argument("--build", action="append", help="NAME=PATH of a server built with -tags bench; may be given again")
    ap.add_argument("--load", default="-rooms 40 -f 10 -dur 5s", help="loadgen arguments")
    ap.add_argument("--serve", default="", help="more arguments of the nodes")
    ap.add_argument("--profile", help="with --standbys: folder for CPU profiles of both nodes, one for each durability; they cost CPU themselves")
    ap.add_argument("--unpinned", action="store_true")
    ap.add_argument("--idle", type=float, default=0, help="only measure the CPU of a node at rest, over so many seconds")
    ap.add_argument("--balance", type=int, default=0, help="only make so many rooms at random nodes and say where they are")
    ap.add_argument("--out", default=os.path.join(HOME, "cluster.jsonl"))
    a = ap.parse_args()
    os.makedirs(HOME, exist_ok=True)
    builds = dict(b.split("=", 1) for b in a.build or [f"roomring={BIN}/server"])
    for binary in [*builds.values(), f"{BIN}/loadgen"]:
        if not os.path.exists(binary):
            raise SystemExit(f"{binary} is not there: build it as bench/README.md says")
    a.durability = a.durability or ("memory,local,standby" if a.standbys else "memory,local")
    if a.standbys:
        if missed := standbys(a, next(iter(builds.values())), not a.unpinned):
            raise SystemExit("missed: " + "; ".join(missed))
        return
    ways, durabilities, pinned = a.ways.split(","), a.durability.split(","), not a.unpinned
    results, only = collections.defaultdict(list), a.idle or a.balance
    for n in range(a.rounds):
        for name, binary in builds.items():
            for d in durabilities:
                with Cluster(binary, a.nodes, d, pinned, shlex.split(a.serve)) as c:
                    if a.idle:
                        print(name, d, f"{a.nodes} nodes: {idle(c, a.idle):.2%} of a core each at rest", flush=True)
                    if a.balance:
                        print(name, d, f"{a.balance} rooms: {balance(c, a.balance)}", flush=True)
                    for w in [] if only else ways[n % len(ways):] + ways[:n % len(ways)]:
                        m = load(c, w, pinned, shlex.split(a.load))
                        m.update(build=name, durability=d, way=w, round=n)
                        results[name, d, w].append(m)
                        with open(a.out, "a") as f:
                            f.write(json.dumps(m) + "\n")
                        print(name, d, w, *(f"{k}={m[k]}" for k in ("cpu_us_msg", "p50", "p99", "ratio", "late_ms", "gen_busy", "srv_cpu", "proxied")), flush=True)
    if not only and (missed := table(results, list(builds), durabilities, ways)):
        raise SystemExit("missed: " + "; ".join(missed))


main()
