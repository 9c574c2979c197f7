var s='<path d="M0-21a7 7 0 0 1 4.6 12.3L10 6h3v5h-26V6h3l5.400-14.700A7 7 0 0 1 0-21z"/>',i='<path d="M-2-34h4v5h5v4H2v5c10 0 15 7 11 15L9 8h4v5h-26V8h4L-13-5C-17-13-12-20-2-20v-5h-5v-4h5z"/>',h=`
  <g transform="translate(160 96) scale(1 .5) rotate(45)">
    ${Array.from({length:16},(c,a)=>`<rect x="${a%4*44-88}" y="${Math.floor(a/4)*44-88}" width="44" height="44" class="${(a+Math.floor(a/4))%2?"a-dark":"a-light"}"/>`).join("")}
  </g>
  <g class="a-piece-light" transform="translate(160 104) scale(1.5)">${i}</g>
  <g class="a-piece-dark" transform="translate(98 88) scale(1.35)">${s}</g>
  <g class="a-piece-dark" transform="translate(222 88) scale(1.35)">${s}</g>
  <g class="a-piece-light" transform="translate(129 128) scale(1.35)">${s}</g>`,g=Array.from({length:98},(c,a)=>`<circle cx="${a%14*22+17}" cy="${Math.floor(a/14)*22+24}" r="1.500"/>`).join(""),d=`
  <g class="a-faint">${g}</g>
  <path class="a-snake a-one" d="M39 134V90a11 11 0 0 1 11-11h33a11 11 0 0 1 11 11v22a11 11 0 0 0 11 11h55"/>
  <path class="a-snake a-two" d="M281 46h-66a11 11 0 0 0-11 11v33a11 11 0 0 0 11 11h22a11 11 0 0 1 11 11v22"/>
  <path class="a-snake a-three" d="M61 35h66a11 11 0 0 1 11 11v11"/>
  <circle class="a-eye" cx="162" cy="120" r="2.600"/><circle class="a-eye" cx="278" cy="43" r="2.600"/><circle class="a-eye" cx="141" cy="59" r="2.600"/>
  <circle class="a-food" cx="193" cy="123" r="7"/><circle class="a-food" cx="292" cy="112" r="5"/><circle class="a-food" cx="105" cy="46" r="5"/>`,p={2:[[-9,-9],[9,9]],3:[[-10,-10],[0,0],[10,10]],5:[[-10,-10],[10,-10],[0,0],[-10,10],[10,10]]},r=(c,a,e,t,l)=>`<g transform="translate(${c} ${a}) rotate(${e})"><rect class="a-die ${l}" x="-21" y="-21" width="42" height="42" rx="9"/>${p[t].map(([n,o])=>`<circle class="a-pip" cx="${n}" cy="${o}" r="4.200"/>`).join("")}</g>`,m=`
  <ellipse class="a-shade" cx="160" cy="140" rx="120" ry="14"/>
  <g transform="rotate(-14 118 90)"><path class="a-cup" d="M82 36h72l12 96q-48 16-96 0z"/><ellipse class="a-cup-top" cx="118" cy="36" rx="36" ry="9"/><path class="a-cup-band" d="M76 84q42 13 84 0l1.500 12q-43.500 13-87 0z"/></g>
  ${r(206,118,12,5,"")}${r(248,96,-18,3,"a-die-two")}${r(168,128,-24,2,"")}`,x='<circle class="a-ring" cx="160" cy="80" r="44"/><circle class="a-food" cx="160" cy="36" r="11"/><circle class="a-knot" cx="198" cy="102" r="11"/><circle class="a-knot" cx="122" cy="102" r="11"/>',y={chess:h,snakes:d,liarsdice:m};function $(c){let a=`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 160" class="art" aria-hidden="true" preserveAspectRatio="xMidYMid slice">${y[c]??x}</svg>`;return document.importNode(new DOMParser().parseFromString(a,"image/svg+xml").documentElement,!0)}export{$ as a};
