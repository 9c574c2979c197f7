import { Window } from "happy-dom";

// The pages' modules look for a browser when they are loaded, so a test imports this one first.
const window = new Window({ url: "http://localhost:7777/play/0123456789abcdef" });
const { document, location, localStorage, sessionStorage, Event, Element, Node } = window;
Object.assign(globalThis, { document, localStorage, sessionStorage, Event, Element, Node, addEventListener: () => undefined });
Object.defineProperty(globalThis, "location", { value: location });
