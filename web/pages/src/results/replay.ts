import { patch } from "roomring";

/** A line of GET /v1/replays/{room} as application/x-ndjson. */
export interface Line {
  t: "state" | "turn";
  seq: number;
  at: number;
  kind: string;
  player?: string;
  view?: unknown;
  patch?: unknown;
  events?: { name: string; data?: unknown }[];
}

const apart = 128; // turns between views that are kept whole

/** A recorded game, at any of its turns. */
export class Recording {
  private readonly kept: unknown[] = []; // the views at 0, apart, 2·apart …
  private at = -1;
  private now: unknown;
  /** The turns that one steps through: those in which somebody did something, and the first and last. */
  readonly steps: number[];

  constructor(readonly lines: Line[]) {
    for (let i = 0; i < lines.length; i++) {
      this.now = this.next(i);
      if (i % apart === 0) this.kept.push(this.now);
    }
    this.at = lines.length - 1;
    this.steps = stepsOf(lines);
  }

  /** The view after turn i. The next turn is cheap; any other costs the turns since the nearest kept view. */
  view(i: number): unknown {
    if (i === this.at) return this.now;
    if (i < this.at || i > this.at + apart) {
      this.at = i - (i % apart);
      this.now = this.kept[i / apart | 0];
    }
    while (this.at < i) this.now = this.next(++this.at);
    return this.now;
  }

  /** Milliseconds from the first turn to turn i. */
  time(i: number): number {
    return this.lines[i]!.at - this.lines[0]!.at;
  }

  roomTime(i: number): number {
    return this.lines[i]!.at;
  }

  /** The input that the replay begins at, where what lies before it is not kept. */
  get cut(): { seq: number; at: number } | undefined {
    const first = this.lines[0]!;
    return first.kind === "cut" ? first : undefined;
  }

  events(i: number): NonNullable<Line["events"]> {
    return this.lines[i]!.events ?? [];
  }

  private next(i: number): unknown {
    const line = this.lines[i]!;
    if (line.t === "state") return line.view;
    return line.patch === undefined ? this.now : patch(this.now, line.patch);
  }
}

// Coming and going changes little that is worth a step of its own.
const silent = new Set(["epoch", "open", "join", "attach", "detach"]);

function stepsOf(lines: Line[]): number[] {
  const steps = lines.flatMap((line, i) => (silent.has(line.kind) ? [] : [i]));
  const first = steps[0] ?? 0; // the last turn before anything was done is where it starts
  if (first > 0) steps.unshift(first - 1);
  const last = lines.length - 1;
  if (steps.length === 0 || steps.at(-1) !== last) steps.push(last);
  return steps;
}
