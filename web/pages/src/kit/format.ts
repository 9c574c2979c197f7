/** "1 player", "2 players". */
export function count(n: number, one: string, many = one + "s"): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** How many a game seats: "2 players", "2–6 players". */
export function seats(least: number, most: number): string {
  return least === most ? count(most, "player") : `${least}–${most} players`;
}

/** A length of time as m:ss or h:mm:ss. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A length of time in words: "12 s", "3 min", "2 h 5 min". */
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  const m = Math.round(s / 60);
  return m < 60 ? `${m} min` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "3 minutes ago", from an RFC 3339 date. */
export function since(date: string, now = Date.now()): string {
  const s = Math.round((Date.parse(date) - now) / 1000);
  if (Number.isNaN(s)) return "";
  if (s > -45) return "just now";
  if (s > -3600) return ago.format(Math.round(s / 60), "minute");
  if (s > -86400) return ago.format(Math.round(s / 3600), "hour");
  return ago.format(Math.round(s / 86400), "day");
}

/** "1st", "2nd", "3rd", "4th". */
export function ordinal(n: number): string {
  const ends = ["th", "st", "nd", "rd"];
  const tail = n % 100;
  return n + (ends[(tail - 20) % 10] ?? ends[tail] ?? "th");
}

/** A change with its sign: "+12", "−3", "±0". */
export function signed(n: number): string {
  const r = Math.round(n);
  return r > 0 ? `+${r}` : r < 0 ? `−${-r}` : "±0";
}

/** A room's options in few words, such as "5+3 · takeback". What cannot be said in few words is left out. */
export function options(o: Record<string, unknown> | undefined): string {
  const out: string[] = [];
  if (o?.["width"] && o["height"]) out.push(`${o["width"]}×${o["height"]}`);
  for (const [name, value] of Object.entries(o ?? {})) {
    const label = name.replaceAll("_", " ");
    if (name === "clock" && isClock(value)) out.push(`${value.initial_ms / 60000}+${(value.increment_ms ?? 0) / 1000}`);
    else if (value === true) out.push(label === "bot" ? "against the computer" : label);
    else if (name === "bot" && typeof value === "number") out.push(`computer, level ${value}`);
    else if (name === "bots" && typeof value === "number") out.push(count(value, "computer"));
    else if (typeof value === "number" && name !== "width" && name !== "height") out.push(number(name, value));
  }
  return out.join(" · ");
}

// A number whose name may say its unit: "round_s", "think_ms". What is 1 of something is "1 round".
function number(name: string, value: number): string {
  const [, stem, unit] = /^(.*?)(?:_(s|ms))?$/.exec(name)!;
  const label = stem!.replaceAll("_", " ");
  if (unit) return `${duration(unit === "s" ? value * 1000 : value)} ${label}${label === "grace" ? "" : "s"}`;
  return /s$|^dice$/.test(label) ? count(value, label.replace(/s$/, ""), label) : `${label} ${value}`;
}

function isClock(v: unknown): v is { initial_ms: number; increment_ms?: number } {
  return typeof v === "object" && v !== null && typeof (v as { initial_ms?: unknown }).initial_ms === "number";
}
