import { HTTPError, type Problem } from "roomring";
import { base } from "../kit/base.ts";
import { me } from "../kit/me.ts";
import { Recording, type Line } from "./replay.ts";

/** The replay of a game, also of a private one of this player's. */
async function ask(room: string, as: string): Promise<Response> {
  const headers: Record<string, string> = { Accept: as };
  if (me.guest) headers.Authorization = "Bearer " + me.guest.token;
  const answer = await fetch(`${base}/v1/replays/${encodeURIComponent(room)}`, { headers });
  if (!answer.ok) throw new HTTPError(answer.status, (await answer.json()) as Problem);
  return answer;
}

/** Saves the log of a game as a file. */
export async function saveLog(room: string): Promise<void> {
  const url = URL.createObjectURL(await (await ask(room, "application/octet-stream")).blob());
  Object.assign(document.createElement("a"), { href: url, download: `${room}.replay` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Fetches a recorded game, telling how far it is. */
export async function fetchReplay(room: string, progress: (turns: number) => void): Promise<Recording> {
  const answer = await ask(room, "application/x-ndjson");
  const lines: Line[] = [];
  let told = 0;
  for await (const text of textLines(answer.body!)) {
    lines.push(JSON.parse(text) as Line);
    if (performance.now() - told > 250) {
      told = performance.now();
      progress(lines.length);
    }
  }
  if (lines.length === 0) throw new Error("nothing was shown in this game");
  return new Recording(lines);
}

async function* textLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop()!;
    yield* parts.filter((p) => p !== "");
  }
  if (rest !== "") yield rest;
}
