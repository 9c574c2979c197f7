import { fillBar } from "./kit/bar.ts";
import { Place } from "./play/place.ts";

fillBar();
void new Place(decodeURIComponent(location.pathname.split("/")[2] ?? ""), new URLSearchParams(location.search)).enter();
