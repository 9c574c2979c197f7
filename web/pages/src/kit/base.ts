/** The path that a proxy puts the server under, without a slash at its end: "" where it is at its host's root. Every script of the
 * pages is served from the folder assets below it. */
export const base = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** What follows the page's kind in its address, such as the room of /play/ROOM. */
export function pathID(): string {
  return decodeURIComponent(location.pathname.slice(base.length).split("/")[2] ?? "");
}
