#!/usr/bin/env python3
"""Runs peers x workloads interleaved, one server at a time, and appends JSON lines to --out.

  bench.py --peers go-coder,node-ws --work w1 --runs 3 --out results.jsonl

Server pinned to core 0, generator to core 1 (--unpinned: neither). Processes are stopped by pid.
Paths of things that are built or installed elsewhere come from the environment, see README.md.
"""
import tempfile, argparse, json, os, resource, shlex, shutil, signal, socket, subprocess, sys, time

HOME = os.environ.get("BENCH_HOME", os.path.join(tempfile.gettempdir(), "roombench"))
os.makedirs(HOME, exist_ok=True)
BIN = os.environ.get("BENCH_BIN", os.path.join(HOME, "bin"))          # loadgen, hub, server
NODE = os.environ.get("BENCH_NODE", "node")                  # node >= 22
APPS = os.environ.get("BENCH_APPS", os.path.join(HOME, "node"))       # folder with *.mjs and node_modules
NAKAMA = os.environ.get("BENCH_NAKAMA", os.path.join(HOME, "bin", "nakama"))
NAKRUN = os.environ.get("BENCH_NAKAMA_RUN", os.path.join(HOME, "nakama-run"))  # modules/room.so
PGBIN = "/usr/lib/postgresql/15/bin"
PGDATA = os.environ.get("BENCH_PGDATA", os.path.join(HOME, "pg", "data"))  # owned by nobody
PG = "postgres@127.0.0.1:5433/nakama"


def hub(lib):
    return dict(adapter="raw", port=9000, cmd=[f"{BIN}/hub", "-lib", lib])


def node(app, adapter):
    return dict(adapter=adapter, port=2567, cmd=[NODE, f"{APPS}/{app}.mjs"], env={"PORT": "2567", "NODE_ENV": "production"})


def roomring(adapter, *flags):
    # all players come from one address, and idle clients of the generator send nothing
    limits = ["--max-rooms", "100000", "--max-sockets-per-address", "1000000", "--max-connections-per-address", "0", "--max-connections", "0", "--requests-per-second", "0", "--rooms-per-second", "100000", "--unclaimed-seats", "0", "--room-share", "100",
              "--messages-per-second", "65536", "--heartbeat", "1h"]
    data = os.path.join(HOME, "roomring-data")
    return dict(adapter=adapter, port=7777, fresh=data,
                cmd=[f"{BIN}/server", "serve", "--listen", "127.0.0.1:7777", "--admin-listen", "127.0.0.1:0",
                     "--log-level", "warn", "--data-dir", data, *limits, *flags])


PEERS = {
    "go-coder": hub("coder"),
    "go-gws": hub("gws"),
    "go-raw": hub("raw"),
    "go-raw-10ms": dict(hub("raw"), cmd=hub("raw")["cmd"] + ["-flush", "10ms"]),
    "go-raw-20ms": dict(hub("raw"), cmd=hub("raw")["cmd"] + ["-flush", "20ms"]),
    "node-ws": node("wshub", "raw"),
    "socketio": node("socketio", "socketio"),
    "colyseus": node("colyseus", "colyseus"),
    "nakama": dict(adapter="nakama", port=7350, pg=True, env={"NAKAMA_TELEMETRY": "0"},
                   cmd=[NAKAMA, "--name", "n1", "--database.address", PG, "--socket.address", "127.0.0.1",
                        "--console.address", "127.0.0.1", "--logger.level", "ERROR", "--data_dir", NAKRUN,
                        "--runtime.path", f"{NAKRUN}/modules", "--match.max_empty_sec", "10",
                        "--session.token_expiry_sec", "7200"]),
    "roomring": roomring("roomring"),
    "roomring-cbor": roomring("roomring-cbor"),
    "roomring-memory": roomring("roomring", "--durability", "memory"),
    "roomring-memory-cbor": roomring("roomring-cbor", "--durability", "memory"),
    # a new server: adapter name in loadgen/adapters.go, its port, its command
}

WORK = {  # loadgen arguments
    "w1": "-w w1 -rooms 40 -f 10 -dur 5s",
    "w1max": "-w w1max -rooms 60 -f 10 -dur 2500ms -warm 1s -budget 32s",
    "w2": "-w w2 -rooms 10 -dur 5s",
    "w2max": "-w w2max -rooms 30 -dur 2500ms -warm 1s -budget 32s",
    "w3": "-w w3 -rooms 1250 -dur 8s",
    "w4": "-w w4 -rooms 500 -dur 5s",
}
# where the searches begin (rooms); only saves time, the search goes up or down from there
BEGIN = {
    "w1max": {"go-coder": 120, "go-gws": 130, "go-raw": 150, "go-raw-10ms": 200, "go-raw-20ms": 270, "node-ws": 150, "socketio": 80, "colyseus": 100, "nakama": 100},
    "w2max": {"go-coder": 75, "go-gws": 80, "go-raw": 90, "node-ws": 100, "socketio": 45, "colyseus": 60, "nakama": 50},
}
TICK = {"w1": 30, "w1max": 30, "w3": 30, "w4": 60}  # for servers that batch actions into ticks


def wait_port(port, p, t=40):
    end = time.time() + t
    while time.time() < end:
        if p.poll() is not None:
            raise SystemExit(f"server exited {p.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("server did not listen")


def stop(p, sig=signal.SIGTERM):
    if p.poll() is None:
        p.send_signal(sig)
        try:
            p.wait(8)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def start(peer, core, procs):
    c = PEERS[peer]
    pin = ["taskset", "-c", core]
    log = open(os.path.join(HOME, f"log-{peer}.txt"), "ab")
    env = dict(os.environ, **c.get("env", {}))
    if "," not in core:
        env["GOMAXPROCS"] = "1"
    ps = []
    if c.get("pg"):
        pg = subprocess.Popen(pin + [f"{PGBIN}/postgres", "-D", PGDATA, "-p", "5433", "-h", "127.0.0.1", "-k", PGDATA,
                                     "-c", "synchronous_commit=off", "-c", "max_connections=150"],
                              user="nobody", group="nogroup", extra_groups=[], stdout=log, stderr=log, cwd=HOME)
        ps.append((pg, signal.SIGINT))
        procs.append(ps[-1])
        wait_port(5433, pg)
        time.sleep(0.5)
        subprocess.run([NAKAMA, "migrate", "up", "--database.address", PG], stdout=log, stderr=log, check=True, env=env)
    if "fresh" in c:
        shutil.rmtree(c["fresh"], ignore_errors=True)
    p = subprocess.Popen(pin + c["cmd"], env=env, stdout=log, stderr=log, cwd=HOME)
    procs.append((p, signal.SIGTERM))
    ps.append(procs[-1])
    wait_port(c["port"], p)
    time.sleep(0.7)
    return [q.pid for q, _ in ps], p


def one(peer, work, extra, core, gcore, quiet=False):
    c = PEERS[peer]
    procs = []
    try:
        pids, main = start(peer, core, procs)
        args = shlex.split(WORK[work])
        if peer in BEGIN.get(work, {}):
            args += ["-rooms", str(BEGIN[work][peer])]
        args += shlex.split(extra)
        if work in TICK and "-tick" not in extra:
            args += ["-tick", str(TICK[work])]
        env = dict(os.environ, GOMAXPROCS="1")
        r = subprocess.run(["taskset", "-c", gcore, f"{BIN}/loadgen", "-peer", c["adapter"], "-label", peer,
                            "-addr", f"127.0.0.1:{c['port']}", "-pids", ",".join(map(str, pids))] + args,
                           env=env, capture_output=True, text=True, timeout=180)
        lines = [l for l in r.stdout.splitlines() if l.startswith("{")]
        if not lines:
            return {"peer": peer, "w": work, "error": (r.stderr or r.stdout)[:400]}
        m = json.loads(lines[-1])
        m["args"] = " ".join(args)
        m["core"] = core
        return m
    except subprocess.TimeoutExpired:
        return {"peer": peer, "w": work, "error": "timeout"}
    finally:
        for p, sig in reversed(procs):
            stop(p, sig)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--peers", default=",".join(PEERS))
    ap.add_argument("--work", default="w1")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--extra", default="", help="extra loadgen arguments")
    ap.add_argument("--unpinned", action="store_true")
    ap.add_argument("--tag", default="")
    ap.add_argument("--out", default=os.path.join(HOME, "results.jsonl"))
    a = ap.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    core, gcore = ("0,1", "0,1") if a.unpinned else ("0", "1")
    for run in range(a.runs):
        for work in a.work.split(","):
            for peer in a.peers.split(","):  # interleaved: every peer once per round
                m = one(peer, work, a.extra, core, gcore)
                m["run"], m["tag"] = run, a.tag
                with open(a.out, "a") as f:
                    f.write(json.dumps(m) + "\n")
                show = {k: v for k, v in m.items() if k not in ("trace", "args", "secs", "tag", "core", "w", "peer")}
                print(work, peer, json.dumps(show), flush=True)


main()
