import { fillBar } from "./kit/bar.ts";
import { Place } from "./play/place.ts";
import { pathID } from "./kit/base.ts";

fillBar();
void new Place(pathID(), new URLSearchParams(location.search)).enter();
