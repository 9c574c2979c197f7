var n={};async function a(e){let t=Object.hasOwn(n,e)?n[e]:void 0;return t&&(await t()).default}export{a};
