import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer as createHTTP, request, type Server as HTTPListener } from "node:http";
import { connect, createServer, type Server as Listener, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Binary builds the server and returns its path. */
export function binary(dir: string): string {
  const out = join(dir, "roomring");
  execFileSync("go", ["build", "-o", out, "../../cmd/roomring"], { stdio: "inherit" }); // tests run in web/sdk
  return out;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Server is a real server on a port of its own, which survives restarts with its data. */
export class Server {
  #process: ChildProcess | undefined;
  #ready: string;

  private constructor(readonly dir: string, readonly bin: string, readonly port: number) {
    this.#ready = join(dir, "ready");
  }

  static async start(): Promise<Server> {
    const dir = mkdtempSync(join(tmpdir(), "roomring-sdk-"));
    const server = new Server(dir, binary(dir), await freePort());
    await server.run();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    rmSync(this.#ready, { force: true });
    const args = ["serve", "--listen", `127.0.0.1:${this.port}`, "--admin-listen", "127.0.0.1:0",
      "--data-dir", join(this.dir, "data"), "--ready-file", this.#ready,
      "--rate-guests", "--rated-min-time", "0", "--leaderboard-min-games", "1"];
    this.#process = spawn(this.bin, args, { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    this.#process.stderr!.on("data", (text) => (log += text));
    for (const end = Date.now() + 30_000; !existsSync(this.#ready); await sleep(20)) {
      if (Date.now() > end || this.#process.exitCode !== null) throw new Error("the server does not start:\n" + log);
    }
  }

  /** kill ends the process as a crash would. */
  async kill(): Promise<void> {
    const p = this.#process!;
    const gone = new Promise((resolve) => p.once("exit", resolve));
    p.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Prefixed is a proxy that serves the server under a path of its own, which it cuts off: of that path the server knows nothing. It may pass no WebSocket on. */
export class Prefixed {
  readonly #sockets = new Set<Socket>();

  sockets = true;

  private constructor(readonly listener: HTTPListener, readonly prefix: string) {}

  static async start(to: number, prefix: string): Promise<Prefixed> {
    const proxy = new Prefixed(createHTTP(), prefix);
    const inside = (url: string) => (url.startsWith(prefix + "/") ? url.slice(prefix.length) : undefined);
    proxy.listener.on("request", (r, w) => {
      const path = inside(r.url!);
      if (path === undefined) return void w.writeHead(404).end();
      const { method, headers } = r;
      r.pipe(request({ port: to, host: "127.0.0.1", path, method, headers }, (answer) => answer.pipe(w.writeHead(answer.statusCode!, answer.headers))));
    });
    proxy.listener.on("upgrade", (r, client: Socket, head) => {
      const path = inside(r.url!);
      if (path === undefined || !proxy.sockets) return void client.end("HTTP/1.1 404 Not Found\r\n\r\n");
      const server = connect(to, "127.0.0.1", () => {
        const headers = r.rawHeaders.map((text, i) => text + (i % 2 ? "\r\n" : ": ")).join("");
        server.write(`GET ${path} HTTP/1.1\r\n${headers}\r\n`);
        server.write(head);
        client.pipe(server).pipe(client);
      });
      for (const s of [client, server]) {
        proxy.#sockets.add(s);
        s.on("error", () => {}).on("close", () => (client.destroy(), server.destroy(), proxy.#sockets.delete(s)));
      }
    });
    await new Promise<void>((resolve) => proxy.listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as { port: number }).port}${this.prefix}`;
  }

  async stop(): Promise<void> {
    this.#sockets.forEach((s) => s.destroy());
    this.listener.closeAllConnections();
    await new Promise((resolve) => this.listener.close(resolve));
  }
}

/** Proxy stands between client and server, and is the bad network. */
export class Proxy {
  /** What the server says gets lost. */
  muted = false;
  #sockets = new Set<Socket>();

  private constructor(readonly listener: Listener) {}

  static async start(to: number): Promise<Proxy> {
    const proxy: Proxy = new Proxy(createServer((client) => proxy.#join(client, connect(to, "127.0.0.1"))));
    await new Promise<void>((resolve) => proxy.listener.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.listener.address() as { port: number }).port;
  }

  #join(client: Socket, server: Socket): void {
    for (const [from, to] of [[client, server], [server, client]] as const) {
      this.#sockets.add(from);
      from.on("data", (data) => (from === server && this.muted) || to.write(data));
      from.on("error", () => {}).on("close", () => {
        to.destroy();
        this.#sockets.delete(from);
      });
    }
  }

  /** cut resets every connection; later ones are heard again. */
  cut(): void {
    this.muted = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.listener.close(resolve));
  }
}
