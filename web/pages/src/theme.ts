// Runs before the page is painted, so that a chosen theme never flashes the other one.
{
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem("roomring.theme");
  } catch {
    // storage is forbidden: the system's theme it is
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
}
