import { HTTPError } from "roomring";
import { base } from "./base.ts";
import { me } from "./me.ts";

/** Asks the server for what the SDK has no words for, as whoever plays on this page. It rejects with an HTTPError. */
export async function ask<T>(path: string): Promise<T> {
  const token = me.guest?.token;
  const res = await fetch(base + path, token ? { headers: { Authorization: `Bearer ${token}` } } : {});
  if (res.ok) return (await res.json()) as T;
  const problem = await res.json().catch(() => undefined);
  throw new HTTPError(res.status, problem?.title ? problem : { type: "about:blank", title: res.statusText, status: res.status });
}
