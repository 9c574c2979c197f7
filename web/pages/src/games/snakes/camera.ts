import type { Point } from "./path.ts";

/** Below this a cell is too small to steer by, in CSS pixels: the camera then follows one's own snake. */
export const legible = 11;
const margin = 0.6; // of a cell, around the field

/** Which part of the field the canvas shows, in CSS pixels. */
export class Camera {
  cell = 10;
  left = 0;
  top = 0;
  /** Whether the field is larger than the canvas. */
  follows = false;

  constructor(private width = 1, private height = 1) {}

  /** Fits the field, or makes its cells legible and follows a point of it. */
  aim(canvas: { width: number; height: number }, width: number, height: number, eye: Point | undefined): void {
    [this.width, this.height] = [width, height];
    const fit = Math.min(canvas.width / (width + 2 * margin), canvas.height / (height + 2 * margin));
    this.follows = eye !== undefined && fit < legible;
    this.cell = this.follows ? legible + 2 : fit;
    const [x, y] = eye ?? [0, 0];
    this.left = this.edge(canvas.width, this.width, x);
    this.top = this.edge(canvas.height, this.height, y);
  }

  // Where the field begins: in the middle if it fits, else so that the eye is in the middle, but not far beyond the field.
  private edge(room: number, cells: number, eye: number): number {
    const size = cells * this.cell;
    const rim = margin * this.cell;
    if (size + 2 * rim <= room + 1) return (room - size) / 2;
    return Math.min(rim, Math.max(room - size - rim, room / 2 - (eye + 0.5) * this.cell));
  }

  /** Whether a point is on the canvas. */
  sees([x, y]: Point, canvas: { width: number; height: number }): boolean {
    return this.x(x) > 0 && this.x(x) < canvas.width && this.y(y) > 0 && this.y(y) < canvas.height;
  }

  /** The middle of a cell. */
  x(at: number): number {
    return this.left + (at + 0.5) * this.cell;
  }

  y(at: number): number {
    return this.top + (at + 0.5) * this.cell;
  }
}
