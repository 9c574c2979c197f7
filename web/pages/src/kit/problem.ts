import { ClosedError, HTTPError, RejectedError } from "roomring";

/** What went wrong, in words for people. */
export function words(err: unknown): string {
  if (err instanceof HTTPError) return sentence(err.problem.detail || err.problem.title);
  if (err instanceof RejectedError || err instanceof ClosedError) return sentence(err.reason);
  if (err instanceof TypeError) return "The server cannot be reached. Check your connection and try again.";
  return sentence(err instanceof Error ? err.message : String(err));
}

/** A server's reason as a sentence: a capital letter first, a full stop last. */
export function sentence(text: string): string {
  const t = text.trim();
  if (t === "") return "";
  return t[0]!.toUpperCase() + t.slice(1) + (/[.!?…]$/.test(t) ? "" : ".");
}

/** Whether the server no longer believes who we say we are. */
export function isExpired(err: unknown): boolean {
  return (err instanceof HTTPError && err.status === 401) || (err instanceof ClosedError && err.code === 4401);
}

/** Whether a program has been stopped on purpose. */
export function isAbort(err: unknown): boolean {
  return err instanceof DOMException && err.name === "AbortError";
}
