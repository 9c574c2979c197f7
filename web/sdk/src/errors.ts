import type { Over, Problem } from "./types.js";

/** The game's refusal of an action, which changed nothing. */
export class RejectedError extends Error {
  override readonly name = "RejectedError";
  /** code is for programs, reason for people. */
  constructor(readonly code: string, readonly reason: string) {
    super(reason || code);
  }
}

/** What a close code asks for: see ClosedError.kind. */
export type ClosedKind = "left" | "token" | "forbidden" | "not-found" | "reload" | "replaced" | "over" | "unreachable" | "refused";

const kinds: Record<number, [ClosedKind, string]> = {
  1000: ["left", "You have left the room."],
  1007: ["refused", "What was said could not be read."],
  4401: ["token", "Who you are could not be told, or no longer: come with a new token."],
  4403: ["forbidden", "This room does not let you in."],
  4404: ["not-found", "There is no such room."],
  4406: ["reload", "This page is older than the server: reload it."],
  4409: ["replaced", "You are playing in another window now."],
  4410: ["over", "The game is over."],
};

/** A room's connection has ended for good. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
  /**
   * left: the seat was given up, or close was called; token: come with another one; forbidden: kicked, full,
   * locked or the wrong code; not-found; reload: this program is too old for the server; replaced: the same
   * player came from elsewhere; over: the game is; unreachable: a first join has failed as often as Options.tries
   * says, for the reason given; refused: a mistake of the program's that reason describes.
   */
  readonly kind: ClosedKind;
  /** For people. */
  readonly reason: string;
  /** code is of docs/PROTOCOL.md, section 10, or of RFC 6455; over is there when the room told how it ended. */
  constructor(readonly code: number, reason: string, readonly over?: Over) {
    const [kind, words] = kinds[code] ?? [code < 4400 ? "unreachable" : "refused", "The server closed the connection."];
    super(reason || words);
    this.kind = kind;
    this.reason = this.message;
  }
}

/** An HTTP request that the server refused. */
export class HTTPError extends Error {
  override readonly name = "HTTPError";
  constructor(readonly status: number, readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
}
