import type { Camera } from "./camera.ts";
import { coat, type Ground } from "./colours.ts";
import type { Point } from "./path.ts";
import type { SnakesView } from "./view.ts";

type Context = CanvasRenderingContext2D;

/** A snake as it is drawn. */
export interface Figure {
  number: string;
  points: Point[];
  heading: Point;
  name: string;
  mine: boolean;
  fast: boolean;
  /** From 1 to 0 while it fades. */
  alpha: number;
}

/** Draws the empty field. */
export function paintField(c: Context, camera: Camera, v: SnakesView, g: Ground): void {
  const [left, top, w, h] = [camera.left, camera.top, v.width * camera.cell, v.height * camera.cell];
  c.fillStyle = g.field;
  c.fillRect(left, top, w, h);
  c.fillStyle = chequers(c, g, camera);
  c.fillRect(left, top, w, h);
  c.strokeStyle = g.wall;
  c.lineWidth = Math.max(2, camera.cell * 0.3);
  c.setLineDash(v.walls ? [] : [camera.cell, camera.cell]);
  c.strokeRect(left - c.lineWidth / 2, top - c.lineWidth / 2, w + c.lineWidth, h + c.lineWidth);
  c.setLineDash([]);
}

// Two by two cells, as two by two pixels made larger: one fill draws all of them.
function chequers(c: Context, g: Ground, camera: Camera): CanvasPattern {
  const tile = new OffscreenCanvas(2, 2);
  const t = tile.getContext("2d")!;
  t.fillStyle = g.grid;
  t.fillRect(0, 0, 1, 1);
  t.fillRect(1, 1, 1, 1);
  const pattern = c.createPattern(tile, "repeat")!;
  pattern.setTransform(new DOMMatrix([camera.cell, 0, 0, camera.cell, camera.left, camera.top]));
  c.imageSmoothingEnabled = false;
  return pattern;
}

/** Draws what there is to eat; beat swings between -1 and 1. */
export function paintFood(c: Context, camera: Camera, v: SnakesView, g: Ground, beat: number): void {
  for (const [key, value] of Object.entries(v.food)) {
    const cell = Number(key);
    const at = [camera.x(cell % v.width), camera.y(Math.floor(cell / v.width))] as const;
    if (value > 1) star(c, at, camera.cell * (0.46 + 0.04 * beat), g.treat);
    else disc(c, at, camera.cell * 0.31, g.food);
  }
}

function disc(c: Context, [x, y]: Point, r: number, colour: string): void {
  c.fillStyle = colour;
  c.beginPath();
  c.arc(x, y, r, 0, 2 * Math.PI);
  c.fill();
}

function star(c: Context, [x, y]: Point, r: number, colour: string): void {
  c.fillStyle = colour;
  c.beginPath();
  for (let i = 0; i < 10; i++) {
    const [a, d] = [(i * Math.PI) / 5 - Math.PI / 2, i % 2 ? r * 0.5 : r];
    c.lineTo(x + Math.cos(a) * d, y + Math.sin(a) * d);
  }
  c.fill();
}

/** Draws a snake, again on the far side where it goes over an edge. The clip to the field is the caller's. */
export function paintSnake(c: Context, camera: Camera, v: SnakesView, f: Figure, g: Ground): void {
  c.globalAlpha = f.alpha;
  for (const [dx, dy] of copies(f.points, v)) {
    const points = f.points.map(([x, y]): Point => [camera.x(x + dx), camera.y(y + dy)]);
    paintBody(c, points, camera.cell, f, g);
    if (dx === 0 && dy === 0) paintHead(c, points[0]!, f.heading, camera.cell);
  }
  c.globalAlpha = 1;
}

// By how much the body has to be shifted so that its parts outside of the field are seen inside.
function copies(points: Point[], v: SnakesView): Point[] {
  const over = (axis: 0 | 1, size: number) => {
    const all = points.map((p) => p[axis]);
    const shifts = [0];
    if (Math.min(...all) < -0.5) shifts.push(size);
    if (Math.max(...all) > size - 0.5) shifts.push(-size);
    return shifts;
  };
  if (v.walls) return [[0, 0]];
  const [xs, ys] = [over(0, v.width), over(1, v.height)];
  return xs.flatMap((x) => ys.map((y): Point => [x, y]));
}

function paintBody(c: Context, points: Point[], cell: number, f: Figure, g: Ground): void {
  const { colour, pattern } = coat(f.number);
  if (f.fast) stroke(c, points, cell * 1.25, colour, 0.3);
  stroke(c, points, cell * (f.mine ? 1.02 : 0.9), f.mine ? g.ink : "rgb(0 0 0 / 0.6)", 1);
  stroke(c, points, cell * 0.74, colour, 1);
  if (pattern === "striped") stroke(c, points, cell * 0.74, "rgb(0 0 0 / 0.45)", 1, [cell * 0.3, cell * 0.7]);
  if (pattern === "dotted") stroke(c, points, cell * 0.3, "rgb(255 255 255 / 0.85)", 1, [0.01, cell]);
  if (pattern === "lined") stroke(c, points, cell * 0.22, "rgb(255 255 255 / 0.85)", 1);
}

function stroke(c: Context, points: Point[], width: number, colour: string, alpha: number, dash: number[] = []): void {
  const before = c.globalAlpha;
  c.globalAlpha = before * alpha;
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.lineJoin = "round";
  c.lineCap = dash.length && dash[0]! > 0.1 ? "butt" : "round";
  c.setLineDash(dash);
  c.beginPath();
  for (const [x, y] of points) c.lineTo(x, y);
  if (points.length === 1) c.lineTo(points[0]![0] + 0.01, points[0]![1]);
  c.stroke();
  c.setLineDash([]);
  c.globalAlpha = before;
}

function paintHead(c: Context, [x, y]: Point, [dx, dy]: Point, cell: number): void {
  for (const side of [-1, 1]) {
    const eye: Point = [x + dx * cell * 0.1 + dy * side * cell * 0.21, y + dy * cell * 0.1 + dx * side * cell * 0.21];
    disc(c, eye, cell * 0.17, "#fff");
    disc(c, [eye[0] + dx * cell * 0.07, eye[1] + dy * cell * 0.07], cell * 0.09, "#111");
  }
}

/** Draws the name beside a head. */
export function paintName(c: Context, camera: Camera, f: Figure, g: Ground, canvas: { width: number; height: number }): void {
  const [x, y] = f.points[0]!;
  const size = Math.min(14, Math.max(11, camera.cell));
  c.font = `600 ${size}px system-ui, sans-serif`;
  c.textAlign = "center";
  c.lineJoin = "round";
  const name = f.name.length > 16 ? `${f.name.slice(0, 15)}…` : f.name;
  const half = c.measureText(name).width / 2 + 4;
  const [above, below] = [camera.y(y) - camera.cell * 0.9, camera.y(y) + camera.cell * 0.9 + size * 0.8];
  const under = (f.heading[1] > 0 && below < canvas.height - 4) || above < size + 2; // rather not on its own body
  const at = [Math.min(canvas.width - half, Math.max(half, camera.x(x))), under ? below : above] as const;
  c.globalAlpha = f.alpha;
  c.strokeStyle = g.field;
  c.lineWidth = 3;
  c.strokeText(name, ...at);
  c.fillStyle = g.ink;
  c.fillText(name, ...at);
  c.globalAlpha = 1;
}

/** Draws the whole field small in a corner, for a camera that shows only a part of it. */
export function paintMap(c: Context, v: SnakesView, figures: Figure[], g: Ground, right: number): void {
  const scale = 84 / Math.max(v.width, v.height);
  const [left, top] = [right - v.width * scale - 8, 8];
  c.globalAlpha = 0.85;
  c.fillStyle = g.field;
  c.strokeStyle = g.wall;
  c.lineWidth = 1.5;
  c.fillRect(left, top, v.width * scale, v.height * scale);
  c.strokeRect(left, top, v.width * scale, v.height * scale);
  for (const f of figures) disc(c, [left + (f.points[0]![0] + 0.5) * scale, top + (f.points[0]![1] + 0.5) * scale], f.mine ? 3.4 : 2.2, f.mine ? g.ink : coat(f.number).colour);
  c.globalAlpha = 1;
}
