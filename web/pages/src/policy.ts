// Tells the author of a page in the console what its policy has kept it from, and what to do. Browsers tell the first half of that.
{
  const instead: Record<string, string> = {
    "script-src-elem inline": "Scripts within a page are not run: move this one to a .js file beside the page, and load it by <script type=\"module\" src=\"./page.js\"></script>.",
    "script-src-attr inline": "Handlers in attributes are not run: give the element an id, and call addEventListener in a .js file.",
    "style-src-elem inline": "Style sheets within a page are not applied: move this one to a .css file beside the page, and load it by <link rel=\"stylesheet\" href=\"./page.css\">.",
    "style-src-attr inline": "Attributes style=\"…\" are not applied: use a class, or set element.style in a script.",
    "script-src eval": "Text is not run as a program: do without eval, new Function and setTimeout with text.",
    "script-src wasm-eval": "WebAssembly is not compiled here: serve that page from an origin of its own, and name it in --allowed-origins.",
    "connect-src": "Pages connect to this server alone: have your own server ask the other one.",
  };
  document.addEventListener("securitypolicyviolation", (e) => {
    const what = e.effectiveDirective;
    const from = e.blockedURI;
    const words = instead[`${what} ${from}`] ?? instead[what] ?? (/^[a-z]+$/.test(from) ? undefined : "Pages load what this server has, and nothing else: put a copy of the file beside the page.");
    const where = e.sourceFile ? ` (${e.sourceFile}:${e.lineNumber})` : "";
    console.error(`This page's Content-Security-Policy does not allow it: ${what}, ${from}${where}. ${words ?? "docs/GAMES.md says what pages may do, under \"What a page may do\"."}`);
  });
}
