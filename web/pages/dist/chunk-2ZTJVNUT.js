var s={chess:()=>import("./chunk-2ASQ56XV.js"),snakes:()=>import("./chunk-7QYKFZV4.js")};async function n(e){let t=Object.hasOwn(s,e)?s[e]:void 0;return t&&(await t()).default}export{n as a};
