import type { Leg, Snake } from "./view.ts";

export type Point = readonly [x: number, y: number];

const dx = [0, 1, 0, -1];
const dy = [-1, 0, 1, 0];

/**
 * The middle line of a snake at a tick, which may be a fraction, from the head to the tail of a body of so many cells.
 * The head lies in the field; where edges wrap, the rest may go on outside of it.
 */
export function trail(snake: Snake, tick: number, cells: number, width: number, height: number): Point[] {
  const legs = begun(snake, tick);
  let [x, y] = head(legs.at(-1)!, tick, width, height);
  const points: Point[] = [[x, y]];
  let end = tick;
  let rest = cells - 1;
  for (const leg of legs.reverse()) {
    const gone = Math.min(rest, distance(leg, end));
    [x, y] = [x - dx[leg[1]]! * gone, y - dy[leg[1]]! * gone];
    if (gone > 0) points.push([x, y]);
    rest -= gone;
    if (rest <= 0) break;
    end = leg[2];
  }
  return points;
}

// The legs that had begun at a tick, oldest first, and never none.
function begun(snake: Snake, tick: number): Leg[] {
  const legs = Object.keys(snake.p).map(Number).sort((a, b) => a - b).map((key) => snake.p[key]!);
  return legs.filter((leg, i) => i === 0 || leg[2] <= tick);
}

const distance = (leg: Leg, tick: number): number => Math.max(0, ((tick - leg[2]) * leg[3]) / 2);

function head(leg: Leg, tick: number, width: number, height: number): Point {
  const d = distance(leg, tick);
  const x = leg[0] % width;
  const y = (leg[0] - x) / width;
  return [wrap(x + dx[leg[1]]! * d, width), wrap(y + dy[leg[1]]! * d, height)];
}

// Into the field, whose cells reach half a cell around their middles.
function wrap(at: number, size: number): number {
  return ((((at + 0.5) % size) + size) % size) - 0.5;
}

/** The direction in which a snake's head looks at a tick. */
export function heading(snake: Snake, tick: number): Point {
  const d = begun(snake, tick).at(-1)![1];
  return [dx[d]!, dy[d]!];
}
