import { h, onTheme, still } from "../dom.ts";
import { Camera } from "./camera.ts";
import { ground, type Ground } from "./colours.ts";
import { Pace } from "./pace.ts";
import { paintField, paintFood, paintMap, paintName, paintSnake, type Figure } from "./paint.ts";
import { heading, trail } from "./path.ts";
import { lastLeg, numberOf, type Snake, type SnakesView } from "./view.ts";

/** How long a dead snake fades, in milliseconds. */
const fading = 500;

/** The canvas: it draws while something moves and the page is seen, and stands still otherwise. */
export class Stage {
  readonly canvas = h("canvas", { class: "snakes-canvas", role: "img", "aria-label": "The field", "data-testid": "field" });
  readonly el = h("div", { class: "snakes-stage" }, this.canvas);
  private readonly context = this.canvas.getContext("2d")!;
  private readonly camera = new Camera();
  private readonly pace = new Pace();
  private readonly lengths = new Map<string, number>(); // in cells, as shown
  private ghosts: { figure: Figure; since: number }[] = [];
  private figures: Figure[] = [];
  private view?: SnakesView;
  private frame = 0;
  private tick = 0;
  private colours!: Ground;
  private readonly sized = new ResizeObserver(() => this.resize());
  private readonly stopTheme: () => void;

  constructor(private readonly me: string | undefined, private readonly now: () => number) {
    this.sized.observe(this.el);
    this.stopTheme = onTheme(() => {
      if (!this.el.isConnected) return;
      this.colours = ground(this.el);
      this.wake();
    });
  }

  show(v: SnakesView): void {
    const before = this.view;
    if (before && before.round === v.round) this.bury(before, v);
    else {
      this.ghosts = [];
      this.lengths.clear();
    }
    this.view = v;
    this.pace.note(v, this.now());
    if (before?.width !== v.width || before.height !== v.height) this.resize();
    this.wake();
  }

  private bury(before: SnakesView, v: SnakesView): void {
    for (const key of Object.keys(before.snakes)) {
      const figure = v.snakes[key] ? undefined : this.figures.find((f) => f.number === key);
      if (figure) this.ghosts.push({ figure, since: performance.now() });
    }
  }

  // The canvas is as wide as it may be; on a phone the field is higher than wide would allow and the camera follows.
  private resize(): void {
    const v = this.view;
    const width = this.el.clientWidth;
    if (!v || width === 0) return;
    this.colours = ground(this.el);
    const room = Math.max(260, innerHeight - 220);
    const whole = (width * (v.height + 1.2)) / (v.width + 1.2);
    const height = Math.round(Math.min(room, Math.max(whole, width < 560 ? width * 0.95 : 0)));
    const ratio = devicePixelRatio || 1;
    this.canvas.style.setProperty("height", `${height}px`);
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.draw(performance.now());
    this.wake();
  }

  private wake(): void {
    this.frame ||= requestAnimationFrame((at) => {
      this.frame = 0;
      this.draw(at);
      if (this.view?.phase === "playing" || this.ghosts.length > 0) this.wake();
    });
  }

  private draw(at: number): void {
    const v = this.view;
    if (!v || !this.colours || this.canvas.width === 0) return;
    if (v.phase !== "playing") this.pace.settle();
    const tick = this.pace.at(this.now());
    this.grow(v, tick - this.tick);
    this.tick = tick;
    this.figures = this.pose(v, tick);
    this.fade(at);
    this.paint(v, at);
  }

  private pose(v: SnakesView, tick: number): Figure[] {
    const mine = numberOf(v, this.me);
    return Object.entries(v.snakes).map(([number, snake]) => ({
      number, points: trail(snake, tick, this.lengths.get(number) ?? snake.n, v.width, v.height), heading: heading(snake, tick),
      name: v.players[number]?.name ?? "", mine: number === mine, fast: lastLeg(snake)[3] > 1, alpha: 1,
    }));
  }

  // Bodies grow and shrink as fast as they move, so that a tail does not jump.
  private grow(v: SnakesView, ticks: number): void {
    for (const [number, snake] of Object.entries(v.snakes)) {
      const shown = this.lengths.get(number) ?? snake.n;
      const step = Math.max(0, ticks) * speed(snake);
      this.lengths.set(number, ticks < 0 ? snake.n : shown + Math.min(step, Math.max(-step, snake.n - shown)));
    }
  }

  private fade(at: number): void {
    this.ghosts = this.ghosts.filter((g) => at - g.since < fading);
    for (const g of this.ghosts) g.figure.alpha = still() ? 0.4 : Math.max(0, 1 - (at - g.since) / fading);
  }

  private paint(v: SnakesView, at: number): void {
    const [c, ratio] = [this.context, devicePixelRatio || 1];
    const size = { width: this.canvas.width / ratio, height: this.canvas.height / ratio };
    const mine = this.figures.find((f) => f.mine) ?? this.ghosts.find((g) => g.figure.mine)?.figure;
    this.camera.aim(size, v.width, v.height, mine?.points[0]);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, size.width, size.height);
    paintField(c, this.camera, v, this.colours);
    c.save();
    c.beginPath();
    c.rect(this.camera.left, this.camera.top, v.width * this.camera.cell, v.height * this.camera.cell);
    c.clip();
    paintFood(c, this.camera, v, this.colours, still() ? 0 : Math.sin(at / 250));
    for (const f of [...this.ghosts.map((g) => g.figure), ...this.figures]) paintSnake(c, this.camera, v, f, this.colours);
    c.restore();
    for (const f of this.figures) if (this.camera.sees(f.points[0]!, size)) paintName(c, this.camera, f, this.colours, size);
    if (this.camera.follows) paintMap(c, v, this.figures, this.colours, size.width);
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.sized.disconnect();
    this.stopTheme();
  }
}

const speed = (s: Snake): number => lastLeg(s)[3] / 2;
