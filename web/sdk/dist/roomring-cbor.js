/* Roomring SDK. Apache-2.0. Made by "make generate". */
var We={subprotocol:"roomring.v1.json",encode:JSON.stringify,decode:n=>n.split(`
`).filter(e=>e.trim()).map(e=>JSON.parse(e))},He=n=>typeof n=="string"?new TextEncoder().encode(n).length:n.length;var S=class extends Error{constructor(t,r){super(r||t);this.code=t;this.reason=r}code;reason;name="RejectedError"},cn={1e3:["left","You have left the room."],1007:[
"refused","What was said could not be read."],4401:["token","Who you are could not be told, or no longer: come with a new token."],4403:["forbidden","This room \
does not let you in."],4404:["not-found","There is no such room."],4406:["reload","This page is older than the server: reload it."],4409:["replaced","You are pl\
aying in another window now."],4410:["over","The game is over."]},_=class extends Error{constructor(t,r,o){let[s,a]=cn[t]??[t<4400?"unreachable":"refused","The \
server closed the connection."];super(r||a);this.code=t;this.over=o;this.kind=s,this.reason=this.message}code;over;name="ClosedError";kind;reason},$=class extends Error{constructor(t,r){
super(r.detail||r.title);this.status=t;this.problem=r}status;problem;name="HTTPError"};var ne=Number.MAX_SAFE_INTEGER,Je=31,un=/(^|[^\\])(\\\\)*\\ud[89a-f]/;function Ke(n,e){if(Number.isInteger(n)&&!Number.isSafeInteger(n))throw new S("bad_action",
"A whole number in the action is beyond ±(2⁵³−1): send it as text.");if(!(typeof n!="object"||n===null)){if(!e)throw new S("bad_action",`Arrays and object\
s of the action are more than ${Je} deep in one another.`);for(let t of Object.values(n))Ke(t,e-1)}}var re=class{constructor(e,t){this.encode=e;this.send=t}encode;send;#e=[];#r=[];#n=1;#i=0;#s={};#a=0;#u=0;#t=0;#o;resent=0;add(e,t){
return new Promise((r,o)=>{t?.throwIfAborted();let s=JSON.stringify(e);if(s===void 0)throw new TypeError("An action is a JSON value; this is none.");let a=JSON.
parse(s);if(un.test(s))throw new S("bad_text","A text in the action has half a character: cut texts between characters, not in one.");Ke(a,Je);let d=()=>{let p=this.#e.
indexOf(m);p>=0&&this.#e.splice(p,1),m.reject(t.reason)},h=p=>T=>{t?.removeEventListener("abort",d),p(T)},m={data:a,cseq:0,sent:0,here:!1,resolve:h(r),reject:h(
o)};t?.addEventListener("abort",d),this.#e.push(m),this.flush()})}welcomed(e,t){this.#s=t,this.#a=t.rate||ne,this.#u=t.bytes||ne,this.#t=performance.now(),e<this.#i&&
(this.#i=e,this.#r.forEach((o,s)=>o.cseq=e+1+s));for(let o of this.#r)o.here=!1;let r=this.#r.at(-1);this.#n=r?r.cseq+1:e+1,this.flush()}answer(e,t,r){let o=this.#r.
findIndex(a=>a.cseq===e);if(o<0)return;let[s]=this.#r.splice(o,1);this.#i=Math.max(this.#i,e),r?s.reject(r):s.resolve({seq:t}),this.flush()}flush(){clearTimeout(
this.#o);for(let e of this.#r)if(!e.here&&!this.#d(e))return;for(;this.#e.length&&this.#r.length<(this.#s.unanswered??32);){let e=this.#e[0];if(!this.#d(e))return;
this.#e.shift(),e.cseq&&this.#r.push(e)}}fail(e){clearTimeout(this.#o);for(let t of[...this.#r.splice(0),...this.#e.splice(0)])t.reject(e)}#d(e){let t=e.cseq||this.#n,
r=this.encode({t:"act",cseq:t,data:e.data}),o=He(r);return!e.cseq&&o>(this.#s.message??1/0)?(e.reject(new S("too_large",`The action is larger than the ${this.#s.
message} bytes a message may have.`)),!0):!this.#f(o)||!this.send(r)?!1:(this.#a--,this.#u-=o,e.cseq||(e.cseq=this.#n++),e.here=!0,e.sent++&&this.resent++,!0)}#f(e){
let t=this.#s.rate||ne,r=this.#s.bytes||ne,o=Math.min(e,r),s=performance.now(),a=(s-this.#t)/1e3;if(this.#a=Math.min(t,this.#a+a*t),this.#u=Math.min(r,this.#u+a*
r),this.#t=s,this.#a>=1&&this.#u>=o)return!0;let d=Math.max((1-this.#a)/t,(o-this.#u)/r);return this.#o=setTimeout(()=>this.flush(),Math.ceil(d*1e3)),!1}};function oe(n){if(Array.isArray(n))return"["+n.map(oe).join()+"]";if(typeof n!="object"||n===null)return JSON.stringify(n);let e=n;return"{"+Object.keys(e).sort().
map(r=>JSON.stringify(r)+":"+oe(e[r])).join()+"}"}var Qe;function dn(){return Uint32Array.from({length:256},(n,e)=>{for(let t=0;t<8;t++)e=e&1?3988292384^e>>>1:e>>>
1;return e})}function Xe(n){Qe??=dn();let e=-1;for(let t of new TextEncoder().encode(n))e=Qe[(e^t)&255]^e>>>8;return~e>>>0}var ie=class{#e=new Map;on(e,t,r){if(r?.aborted)return()=>{};let o=(...d)=>t(...d),s=this.#e.get(e);s||this.#e.set(e,s=new Set),s.add(o);let a=()=>{s.delete(o),
r?.removeEventListener("abort",a)};return r?.addEventListener("abort",a),a}emit(e,...t){for(let r of[...this.#e.get(e)??[]])try{r(...t)}catch(o){queueMicrotask(
()=>{throw o})}}},se=class{constructor(e,t){this.max=e;this.cleanup=t}max;cleanup;#e=[];#r=[];#n=!1;push(e){if(this.#n)return;let t=this.#r.shift();if(t)return t(
{value:e,done:!1});this.#e.push(e)>this.max&&this.#e.shift()}end(){if(!this.#n){this.#n=!0;for(let e of this.#r.splice(0))e({value:void 0,done:!0});this.cleanup()}}async next(){
return this.#e.length?{value:this.#e.shift(),done:!1}:this.#n?{value:void 0,done:!0}:new Promise(e=>this.#r.push(e))}async return(){return this.#e.length=0,this.
end(),{value:void 0,done:!0}}[Symbol.asyncIterator](){return this}};var ae=class{constructor(e,t,r,o){this.url=e;this.codec=r;this.owner=o;let s=this.#e=t(e,r.subprotocol);this.#s=setTimeout(()=>this.drop("the server does not an\
swer"),1e4),s.binaryType="arraybuffer",s.onopen=()=>{this.open=!0,o.opened(this)},s.onmessage=a=>this.#f(a.data),s.onclose=a=>this.#c(a.code,a.reason||this.#u),
s.onerror=a=>this.#u=String(a?.message??"")}url;codec;owner;open=!1;welcomedAt;#e;#r=performance.now();#n=1/0;#i=0;#s;#a;#u="";#t=!1;welcomed(e){this.welcomedAt??=
performance.now(),this.#n=e,clearTimeout(this.#s),this.#o()}send(e){this.write(this.codec.encode(e))}write(e){if(this.#t||!this.open)return!1;try{this.#e.send(e)}catch{
return!1}return!0}check(){let e=performance.now();this.welcomedAt!==void 0&&this.#d(),clearTimeout(this.#a),this.#a=setTimeout(()=>this.#r<e&&this.drop("the con\
nection died"),3e3)}drop(e,t=1006){this.#c(t,e),this.#e.terminate?this.#e.terminate():this.#e.close()}close(){this.#m(),this.#e.close(1e3)}#o(){if(performance.now()-
this.#r>2.5*this.#n)return this.drop("the server fell silent");this.#s=setTimeout(()=>this.#o(),this.#n/2),this.#d()}#d(){this.#i=performance.now(),this.send({t:"\
ping",echo:this.#i})}#f(e){this.#r=performance.now(),this.#r-this.#i>this.#n/2&&this.#d();try{for(let t of this.codec.decode(e))this.#t||this.owner.received(this,
t)}catch(t){this.drop(`The server said what cannot be read: ${t.message}`,1007)}}#c(e,t){this.#t||(this.#m(),this.owner.lost(this,e,t))}#m(){this.#t=!0,clearTimeout(
this.#s),clearTimeout(this.#a);let e=this.#e;e.onopen=e.onmessage=e.onclose=null}};var ce=n=>typeof n=="object"&&n!==null&&!Array.isArray(n),ue=(n,e)=>typeof n=="object"&&n!==null&&Object.hasOwn(n,e)?n[e]:void 0,Ze=(n,e,t)=>Object.defineProperty(
n,e,{value:t,configurable:!0,enumerable:!0,writable:!0});function Oe(n,e){return et(n,e)}function et(n,e){if(!ce(e))return J(n,e);let t=ce(n)?n:void 0,r;for(let o of Object.
keys(e)){let s=t!==void 0&&Object.hasOwn(t,o);if(e[o]===null){s&&delete(r??={...t})[o];continue}let a=ue(t,o),d=et(a,e[o]);(!s||d!==a)&&Ze(r??={...t},o,d)}return r??
t??{}}function J(n,e){if(Array.isArray(e)&&Array.isArray(n)){let t=e.map((r,o)=>J(n[o],r));return t.length===n.length&&t.every((r,o)=>r===n[o])?n:t}if(ce(e)&&ce(
n)){let t=Object.keys(e),r=t.length===Object.keys(n).length,o={};for(let s of t)Ze(o,s,J(ue(n,s),e[s])),r&&=Object.hasOwn(n,s)&&o[s]===n[s];return r?n:o}return e}
function je(n,e,t,r,o=[]){if(e===t)return;if(o.length===n.length)return r(t,o);let s=n[o.length],a=s==="*"?new Set([...Ye(e),...Ye(t)]):[s];for(let d of a)je(n,
ue(e,d),ue(t,d),r,[...o,d])}var Ye=n=>typeof n=="object"&&n!==null?Object.keys(n):[];var ln=1e4,tt=5e3,hn=3,mn=1024,de=class{id;spectator;game="";player="";seat=-1;view;state="connecting";lag=NaN;clockOffset=0;over;#e;#r;#n=new ie;#i;#s={sockets:0,
recovered:0,states:0,turns:0,checks:0,mismatches:0,lost:0};#a;#u;#t;#o;#d=0;#f;#c=0;#m=0;#x=0;#E=0;#b;#A=!1;#v=0;#y=0;#U=0;#l=!1;#p=!1;#I=0;#S=1/0;#B=!1;#h;#k;ready=new Promise(
(e,t)=>this.#k={resolve:e,reject:t});constructor(e,t){this.#e=e,this.#r=t,this.id=t.id,this.spectator=t.spectator,this.#a=[...t.urls],this.#u=this.#a[0],this.#i=
new re(e.codec.encode,r=>this.#t?.write(r)??!1),this.ready.catch(()=>{}),this.#N("addEventListener"),this.#T()}get stats(){return{...this.#s,resent:this.#i.resent}}roomTime(){
return performance.now()-this.#I}act(e,t){return this.#h?Promise.reject(this.#h):this.spectator?Promise.reject(new S("spectator","Who watches cannot act.")):this.#i.
add(e,t?.signal)}on(e,t,r){return this.#n.on(e,t,r?.signal)}watch(e,t,r){let o=typeof e=="string"?e?e.split("."):[]:e;return this.on("view",(s,a)=>je(o,a,s,t),r)}events(e){
return this.#C("event",mn,e?.signal)}views(e){return this.#C("view",1,e?.signal,this.#l?[this.view]:[])}resync(){this.#p=!1,this.#t?.send({t:"resync"})}leave(){
return this.#h||this.spectator?Promise.resolve(this.close()):(this.#B=!0,this.#t?.send({t:"leave"}),new Promise(e=>this.on("closed",()=>e())))}close(){this.#g(new _(
1e3,"This client has closed the connection."))}fail(e){this.#k.reject(e),this.close()}async#T(){let e=++this.#d;clearTimeout(this.#f),this.#f=void 0,this.#o?.close(),
this.#o=void 0;try{let t=await this.#e.token(this.spectator);if(e!==this.#d)return;this.#b=t,this.#E++,this.#o=new ae(this.#u,(r,o)=>this.#e.open(r,o),this.#e.codec,
this)}catch(t){e===this.#d&&this.#P(t)}}#P(e){let t=e instanceof $,r=t&&e.status<500&&e.status!==429;if(!this.#l&&(r||!t))return this.fail(e);if(r)return this.#g(
new _(4401,e.message));if(this.#R())return this.fail(e);this.#u=this.#a[0],this.#O(1006,String(e))}opened(e){let{client:t,spectator:r,name:o,code:s}=this.#r,a={
t:"hello",client:t,attempt:this.#E};this.#b&&(a.token=this.#b),o&&(a.name=o),r&&(a.as="spectator"),s&&(a.code=s),this.#p&&(a.resume={epoch:this.#v,seq:this.#y}),
e.send(a)}lost(e,t,r){if(e===this.#o&&(this.#o=void 0),e===this.#t&&(this.#t=void 0),t===4401&&!this.#A&&this.#e.renew(this.#b,this.#l))return this.#A=!0,this.#l&&
!this.#t&&this.#w("reconnecting",{code:t,reason:r,retryIn:0}),void this.#T();if(t===4409&&this.#o&&e!==this.#o)return;if(t===1e3||t>=4400&&t<4500)return this.#g(
new _(t,r,this.over));if(t===1007&&(this.#p=!1,++this.#x>=hn))return this.#g(new _(t,r,this.over));let o=this.#R();e.open||(this.#a.push(this.#a.shift()),this.#u=
this.#a[0]),(o||!e.open)&&this.#L(t,e,r,o),!o&&(e.welcomedAt!==void 0&&performance.now()-e.welcomedAt>tt&&(this.#c=0),this.#O(t,r))}#R(){return!this.#l&&!this.#t&&
!this.#o&&++this.#m>=this.#r.tries}async#L(e,t,r,o){let{gone:s,reason:a}=await this.#e.ask(this.id);if(s)return this.#g(new _(4404,"",this.over));o&&this.#g(new _(
e,t.open?r||a:`No socket opens at ${t.url}${r&&` (${r})`}. ${a}`))}#O(e,t){if(this.#h)return;let r={code:e,reason:t};this.#o||(r={code:e,reason:t,retryIn:this.#j()}),
!this.#t&&this.#l&&this.#w("reconnecting",r)}#j(){let e=this.#c++,t=e&&Math.random()*Math.min(ln,250*2**e);return this.#d++,clearTimeout(this.#f),this.#f=setTimeout(
()=>{this.#T()},t),t}#_=e=>{e.type==="visibilitychange"&&document.visibilityState==="hidden"||(this.#f!==void 0&&this.#T(),this.#t?.check(),this.#o?.check())};#N(e){
globalThis[e]?.("online",this.#_),globalThis[e]?.("pageshow",this.#_),globalThis.document?.[e]("visibilitychange",this.#_)}received(e,t){switch(t.t){case"welcom\
e":return this.#F(e,t);case"state":return this.#G(t);case"turn":return this.#q(t);case"ack":return this.#i.answer(t.cseq,t.seq);case"reject":return this.#i.answer(
t.cseq,t.seq,new S(t.code,t.reason??""));case"pong":return this.#V(t);case"move":return this.#z(e,t);case"over":return this.#W(t)}}#F(e,t){e===this.#o&&(this.#a.
includes(e.url)&&(this.#a=[e.url]),this.#t?.close(),this.#o=void 0,this.#t=e);let r=t.player??"";this.#E>1&&r!==this.player&&this.#i.fail(new _(4401,"The new to\
ken is another player's.")),this.game=t.game,this.player=r,this.seat=t.seat,this.#v=t.epoch,this.#I=performance.now()-t.now,this.#A=!1,this.#s.sockets++,t.recovered?
this.#s.recovered++:(this.#p=!1,this.#y=0),this.#U=this.#y,this.#e.welcomed(r,t.token),e.welcomed(t.heartbeat),this.#i.welcomed(t.cseq??0,t.limits??{}),this.#B&&
e.send({t:"leave"}),t.recovered&&this.#w("open")}#G(e){this.#s.states++,this.#s.lost+=e.lost??0,this.#p=!1,this.#M(e,this.#l?J(this.view,e.view):e.view),this.#p=
!0,this.#$()}#q(e){if(!(!this.#l||e.seq<=this.#U)){this.#s.turns++,this.#M(e,"patch"in e?Oe(this.view,e.patch):this.view);for(let t of e.events??[])this.#n.emit(
"event",{...t,seq:e.seq})}}#M(e,t){let r=this.#l?this.view:void 0,o=!this.#l||t!==r;this.#v=e.epoch??this.#v,this.#y=Math.max(this.#y,e.seq),this.view=t,this.#l=
!0,this.#x=0,e.check!==void 0&&this.#D(e.check),o&&this.#n.emit("view",t,r)}#D(e){if(Xe(oe(this.view))===e){this.#s.checks++;return}this.#s.mismatches++,this.#p&&
this.resync()}#$(){this.#k.resolve(),this.#t&&this.#w("open")}#V(e){typeof e.echo=="number"&&(this.lag=performance.now()-e.echo,this.#S=Math.min(this.lag,this.#S*
1.1),this.lag===this.#S&&(this.clockOffset=e.time+this.lag/2-Date.now()),this.#n.emit("lag",this.lag))}#z(e,t){e===this.#t&&(t.url&&(this.#u=new URL(t.url,this.#u).
href),performance.now()-e.welcomedAt>tt&&(this.#c=0),this.#n.emit("move",{within:t.within,...t.url&&{url:t.url}}),!this.#o&&!this.#h&&this.#j())}#W(e){let{t,...r}=e;
this.over=r,this.#n.emit("over",this.over),this.#t&&this.#$()}#w(e,t){e===this.state&&e!=="reconnecting"||(this.state=e,this.#n.emit("state",e,t))}#g(e){this.#h||
(this.#h=e,this.#d++,clearTimeout(this.#f),this.#N("removeEventListener"),this.#o?.close(),this.#t?.close(),this.#o=this.#t=void 0,this.#i.fail(e),this.#k.reject(
e),this.#w("closed",{code:e.code,reason:e.reason,kind:e.kind}),this.#n.emit("closed",e))}#C(e,t,r,o=[]){let s=[],a=new se(t,()=>s.forEach(h=>h()));o.forEach(h=>a.
push(h));let d=()=>a.end();return this.#h||r?.aborted?d():(r?.addEventListener("abort",d),s.push(this.#n.on(e,h=>a.push(h)),this.on("closed",d),()=>r?.removeEventListener(
"abort",d))),a}};var le=class{get codec(){return We}#e;#r;#n;#i;#s;#a;constructor(e={}){let t=e.url??globalThis.location?.origin;if(!t)throw new TypeError('There is no page whos\
e server to ask: pass url, such as new Roomring({ url: "https://play.example.org" }).');this.#e=e,this.#r=new URL(t).href.replace(/\/$/,""),this.#n=e.storage===
void 0?gn():e.storage,e.token||(this.#i=this.#u())}get player(){return this.#a??this.#i?.player}async guest(e={}){let t=e.name??this.#e.name,r=await this.#c("/v\
1/guest",{...e,method:"POST",body:t===void 0?{}:{name:t}});return this.#t(r),r}#u(){try{let e=JSON.parse(this.#n?.getItem(this.#o)??"null");return typeof e?.token==
"string"?e:void 0}catch{return}}#t(e){this.#i=e,this.#a=e?.player;try{e?this.#n?.setItem(this.#o,JSON.stringify(e)):this.#n?.removeItem(this.#o)}catch{}}get#o(){
return"roomring:"+this.#r}async#d(e){let{token:t}=this.#e;return t?typeof t=="function"?t():t:(!this.#i&&e&&(this.#s??=this.guest().finally(()=>this.#s=void 0),
await this.#s),this.#i?.token)}#f(e,t){return this.#e.token?typeof this.#e.token=="function":(this.#i?.token===e&&this.#t(void 0),e!==void 0&&!t)}async#c(e,t={},r=!0){
let o=t.as&&await this.#d(t.as==="player"),s={};o&&(s.Authorization="Bearer "+o);let a={headers:s};t.method&&(a.method=t.method),t.signal&&(a.signal=t.signal),t.
body!==void 0&&(s["Content-Type"]="application/json",a.body=JSON.stringify(t.body));let d=await(this.#e.fetch??fetch)(this.#r+e,a);if(d.ok)return d.json();if(d.
status===401&&r&&o&&this.#f(o,!1))return this.#c(e,t,!1);throw new $(d.status,await yn(d))}async games(e){return(await this.#c("/v1/games",e)).games}rooms(e={},t){
return this.#c("/v1/rooms"+fe(e),t)}room(e,t){return this.#c(`/v1/rooms/${encodeURIComponent(e)}`,t)}async findRoom(e,t){let{rooms:r}=await this.#c("/v1/rooms"+
fe({code:e}),t);if(r[0])return r[0];throw new $(404,{type:"about:blank",title:"Not Found",status:404,detail:"There is no room with this code."})}create(e,t){return this.#c(
"/v1/rooms",{...t,method:"POST",body:e,as:"player"})}matchmake(e,t){return this.#c("/v1/matchmake",{...t,method:"POST",body:{...e,ticket:e.ticket??nt()},as:"pla\
yer"})}result(e,t){return this.#c(`/v1/results/${encodeURIComponent(e)}`,{...t,as:"known"})}profile(e,t){return this.#c(`/v1/players/${encodeURIComponent(e)}`,{
...t,as:"known"})}async leaderboard(e,t={},r){return(await this.#c(`/v1/leaderboards/${encodeURIComponent(e)}${fe(t)}`,r)).players}leaderboardPage(e,t={},r){return this.#c(
`/v1/leaderboards/${encodeURIComponent(e)}${fe(t)}`,r)}join(e,t={}){return this.#m(e,!1,t)}spectate(e,t={}){return this.#m(e,!0,t)}async#m(e,t,r){r.signal?.throwIfAborted();
let o=this.#e.WebSocket??globalThis.WebSocket;if(!o)throw new TypeError("This runtime has no WebSocket: pass one, such as that of the npm package ws: new Roomri\
ng({ url, WebSocket }).");let s=typeof e=="string"?{id:e}:e,a={id:s.id,urls:pn(`${this.#r.replace(/^http/,"ws")}/v1/rooms/${encodeURIComponent(s.id)}/ws`,s.ws_url),
tries:this.#e.tries??10,client:this.#e.client??nt(),spectator:t,name:this.#e.name,code:r.code??s.code},d=new de({codec:this.codec,open:(m,p)=>new o(m,p),token:m=>this.#d(
!m),renew:(m,p)=>this.#f(m,p),welcomed:(m,p)=>this.#x(m,p),ask:m=>this.#c(`/v1/rooms/${encodeURIComponent(m)}`).then(()=>({gone:!1,reason:"HTTP gets through: lo\
ok whether each proxy on the way passes WebSocket upgrades on."}),p=>({gone:p.status===404||p.status===400,reason:p.message}))},a),h=()=>d.fail(r.signal.reason);
r.signal?.addEventListener("abort",h);try{await d.ready}finally{r.signal?.removeEventListener("abort",h)}return d}#x(e,t){t&&!this.#e.token&&this.#t({token:t,player:e,
name:this.#e.name??""}),e&&(this.#a=e)}};function pn(n,e=n){let t=new URL(e,n),r=new URL(n);return r.search=t.search,t.host===r.host||t.protocol==="ws:"&&r.protocol===
"wss:"||t.href===r.href?[r.href]:[t.href,r.href]}function gn(){try{return globalThis.document?globalThis.localStorage:null}catch{return null}}function nt(){return Array.
from(crypto.getRandomValues(new Uint8Array(16)),n=>n.toString(16).padStart(2,"0")).join("")}function fe(n){let e=Object.entries(n).filter(([,t])=>t!==void 0).map(
([t,r])=>[t,String(r)]);return e.length?"?"+new URLSearchParams(e):""}async function yn(n){let e=await n.json().catch(()=>{});return e?.title?e:{type:"about:bla\
nk",title:n.statusText||`HTTP ${n.status}`,status:n.status}}var wn=["Object","RegExp","Date","Error","Map","Set","WeakMap","WeakSet","ArrayBuffer","SharedArrayBuffer","DataView","Promise","URL","HTMLElement","Int8Array",
"Uint8ClampedArray","Int16Array","Uint16Array","Int32Array","Uint32Array","Float32Array","Float64Array","BigInt64Array","BigUint64Array","Tagged"];function Ne(n){
if(n===null)return"null";if(n===void 0)return"undefined";if(n===!0||n===!1)return"boolean";let e=typeof n;if(e==="string"||e==="number"||e==="bigint"||e==="symb\
ol")return e;if(e==="function")return"Function";if(Array.isArray(n))return"Array";if(n instanceof Uint8Array)return"Uint8Array";if(n.constructor===Object)return"\
Object";let t=xn(n);return t||"Object"}function xn(n){let e=Object.prototype.toString.call(n).slice(8,-1);if(wn.includes(e))return e}var i=class{constructor(e,t,r){this.major=e,this.majorEncoded=e<<5,this.name=t,this.terminal=r}toString(){return`Type[${this.major}].${this.name}`}compare(e){return this.
major<e.major?-1:this.major>e.major?1:0}static equals(e,t){return e===t||e.major===t.major&&e.name===t.name}};i.uint=new i(0,"uint",!0);i.negint=new i(1,"negint",
!0);i.bytes=new i(2,"bytes",!0);i.string=new i(3,"string",!0);i.array=new i(4,"array",!1);i.map=new i(5,"map",!1);i.tag=new i(6,"tag",!1);i.float=new i(7,"float",
!0);i.false=new i(7,"false",!0);i.true=new i(7,"true",!0);i.null=new i(7,"null",!0);i.undefined=new i(7,"undefined",!0);i.break=new i(7,"break",!0);var u=class{constructor(e,t,r){
this.type=e,this.value=t,this.encodedLength=r,this.encodedBytes=void 0,this.byteValue=void 0}toString(){return`Token[${this.type}].${this.value}`}};var K=globalThis.process&&!globalThis.process.browser&&globalThis.Buffer&&typeof globalThis.Buffer.isBuffer=="function",bn=new TextEncoder;function he(n){return K&&
globalThis.Buffer.isBuffer(n)}function Q(n){return n instanceof Uint8Array?he(n)?new Uint8Array(n.buffer,n.byteOffset,n.byteLength):n:Uint8Array.from(n)}var vn=24,
kn=200,me=K?n=>n.length>=vn?globalThis.Buffer.from(n):rt(n):n=>n.length>=kn?bn.encode(n):rt(n),U=n=>Uint8Array.from(n),ot=K?(n,e,t)=>he(n)?new Uint8Array(n.subarray(
e,t)):n.slice(e,t):(n,e,t)=>n.slice(e,t),it=K?(n,e)=>(n=n.map(t=>t instanceof Uint8Array?t:globalThis.Buffer.from(t)),Q(globalThis.Buffer.concat(n,e))):(n,e)=>{
let t=new Uint8Array(e),r=0;for(let o of n)r+o.length>t.length&&(o=o.subarray(0,t.length-r)),t.set(o,r),r+=o.length;return t},Me=K?n=>globalThis.Buffer.allocUnsafe(
n):n=>new Uint8Array(n);function G(n,e){if(he(n)&&he(e))return n.compare(e);for(let t=0;t<n.length;t++)if(n[t]!==e[t])return n[t]<e[t]?-1:1;return 0}function rt(n){let e=[],t=0;for(let r=0;r<
n.length;r++){let o=n.charCodeAt(r);o<128?e[t++]=o:o<2048?(e[t++]=o>>6|192,e[t++]=o&63|128):(o&64512)===55296&&r+1<n.length&&(n.charCodeAt(r+1)&64512)===56320?(o=
65536+((o&1023)<<10)+(n.charCodeAt(++r)&1023),e[t++]=o>>18|240,e[t++]=o>>12&63|128,e[t++]=o>>6&63|128,e[t++]=o&63|128):(o>=55296&&o<=57343&&(o=65533),e[t++]=o>>
12|224,e[t++]=o>>6&63|128,e[t++]=o&63|128)}return e}var Tn=256,X=class{constructor(e=Tn){this.chunkSize=e,this.cursor=0,this.maxCursor=-1,this.chunks=[],this._initReuseChunk=null}reset(){this.cursor=0,this.maxCursor=
-1,this.chunks.length&&(this.chunks=[]),this._initReuseChunk!==null&&(this.chunks.push(this._initReuseChunk),this.maxCursor=this._initReuseChunk.length-1)}pushByte(e){
let t=this.chunks[this.chunks.length-1];this.cursor>this.maxCursor&&(t=Me(this.chunkSize),this.chunks.push(t),this.maxCursor+=t.length,this._initReuseChunk===null&&
(this._initReuseChunk=t));let r=t.length-(this.maxCursor-this.cursor)-1;t[r]=e,this.cursor++}push(e){let t=this.chunks[this.chunks.length-1];if(this.cursor+e.length<=
this.maxCursor+1){let o=t.length-(this.maxCursor-this.cursor)-1;t.set(e,o)}else{if(t){let o=t.length-(this.maxCursor-this.cursor)-1;o<t.length&&(this.chunks[this.
chunks.length-1]=t.subarray(0,o),this.maxCursor=this.cursor-1)}e.length<64&&e.length<this.chunkSize?(t=Me(this.chunkSize),this.chunks.push(t),this.maxCursor+=t.
length,this._initReuseChunk===null&&(this._initReuseChunk=t),t.set(e,0)):(this.chunks.push(e),this.maxCursor+=e.length)}this.cursor+=e.length}toBytes(e=!1){let t;
if(this.chunks.length===1){let r=this.chunks[0];e&&this.cursor>r.length/2?(t=this.cursor===r.length?r:r.subarray(0,this.cursor),this._initReuseChunk=null,this.chunks=
[]):t=ot(r,0,this.cursor)}else t=it(this.chunks,this.cursor);return e&&this.reset(),t}},pe=class{constructor(e){this.dest=e,this.cursor=0,this.chunks=[e]}reset(){
this.cursor=0}pushByte(e){if(this.cursor>=this.dest.length)throw new Error("write out of bounds, destination buffer is too small");this.dest[this.cursor++]=e}push(e){
if(this.cursor+e.length>this.dest.length)throw new Error("write out of bounds, destination buffer is too small");this.dest.set(e,this.cursor),this.cursor+=e.length}toBytes(e=!1){
let t=this.dest.subarray(0,this.cursor);return e&&this.reset(),t}};var f="CBOR decode error:",ge="CBOR encode error:",Y=[];Y[23]=1;Y[24]=2;Y[25]=3;Y[26]=5;Y[27]=9;function R(n,e,t){if(n.length-e<t)throw new Error(`${f} not enou\
gh data for type`)}var w=[24,256,65536,4294967296,BigInt("18446744073709551616")];function x(n,e,t){R(n,e,1);let r=n[e];if(t.strict===!0&&r<w[0])throw new Error(`${f} integer enco\
ded in more bytes than necessary (strict decode)`);return r}function b(n,e,t){R(n,e,2);let r=n[e]<<8|n[e+1];if(t.strict===!0&&r<w[1])throw new Error(`${f} integ\
er encoded in more bytes than necessary (strict decode)`);return r}function v(n,e,t){R(n,e,4);let r=n[e]*16777216+(n[e+1]<<16)+(n[e+2]<<8)+n[e+3];if(t.strict===
!0&&r<w[2])throw new Error(`${f} integer encoded in more bytes than necessary (strict decode)`);return r}function k(n,e,t){R(n,e,8);let r=n[e]*16777216+(n[e+1]<<
16)+(n[e+2]<<8)+n[e+3],o=n[e+4]*16777216+(n[e+5]<<16)+(n[e+6]<<8)+n[e+7],s=(BigInt(r)<<BigInt(32))+BigInt(o);if(t.strict===!0&&s<w[3])throw new Error(`${f} inte\
ger encoded in more bytes than necessary (strict decode)`);if(s<=Number.MAX_SAFE_INTEGER)return Number(s);if(t.allowBigInt===!0)return s;throw new Error(`${f} i\
ntegers outside of the safe integer range are not supported`)}function st(n,e,t,r){return new u(i.uint,x(n,e+1,r),2)}function at(n,e,t,r){return new u(i.uint,b(
n,e+1,r),3)}function ct(n,e,t,r){return new u(i.uint,v(n,e+1,r),5)}function ut(n,e,t,r){return new u(i.uint,k(n,e+1,r),9)}function I(n,e){return g(n,0,e.value)}
function g(n,e,t){if(t<w[0]){let r=Number(t);n.pushByte(e|r)}else if(t<w[1]){let r=Number(t);n.push([e|24,r])}else if(t<w[2]){let r=Number(t);n.push([e|25,r>>>8,
r&255])}else if(t<w[3]){let r=Number(t);n.push([e|26,r>>>24&255,r>>>16&255,r>>>8&255,r&255])}else{let r=BigInt(t);if(r<w[4]){let o=[e|27,0,0,0,0,0,0,0],s=Number(
r&BigInt(4294967295)),a=Number(r>>BigInt(32)&BigInt(4294967295));o[8]=s&255,s=s>>8,o[7]=s&255,s=s>>8,o[6]=s&255,s=s>>8,o[5]=s&255,o[4]=a&255,a=a>>8,o[3]=a&255,a=
a>>8,o[2]=a&255,a=a>>8,o[1]=a&255,n.push(o)}else throw new Error(`${f} encountered BigInt larger than allowable range`)}}I.encodedSize=function(e){return g.encodedSize(
e.value)};g.encodedSize=function(e){return e<w[0]?1:e<w[1]?2:e<w[2]?3:e<w[3]?5:9};I.compareTokens=function(e,t){return e.value<t.value?-1:e.value>t.value?1:0};function dt(n,e,t,r){return new u(i.negint,-1-x(n,e+1,r),2)}function ft(n,e,t,r){return new u(i.negint,-1-b(n,e+1,r),3)}function lt(n,e,t,r){return new u(i.negint,
-1-v(n,e+1,r),5)}var $e=BigInt(-1),ht=BigInt(1);function mt(n,e,t,r){let o=k(n,e+1,r);if(typeof o!="bigint"){let s=-1-o;if(s>=Number.MIN_SAFE_INTEGER)return new u(
i.negint,s,9)}if(r.allowBigInt!==!0)throw new Error(`${f} integers outside of the safe integer range are not supported`);return new u(i.negint,$e-BigInt(o),9)}function ye(n,e){
let t=e.value,r=typeof t=="bigint"?t*$e-ht:t*-1-1;g(n,e.type.majorEncoded,r)}ye.encodedSize=function(e){let t=e.value,r=typeof t=="bigint"?t*$e-ht:t*-1-1;return r<
w[0]?1:r<w[1]?2:r<w[2]?3:r<w[3]?5:9};ye.compareTokens=function(e,t){return e.value<t.value?1:e.value>t.value?-1:0};function Z(n,e,t,r){R(n,e,t+r);let o=n.slice(e+t,e+t+r);return new u(i.bytes,o,t+r)}function pt(n,e,t,r){return Z(n,e,1,t)}function gt(n,e,t,r){return Z(n,e,2,x(
n,e+1,r))}function yt(n,e,t,r){return Z(n,e,3,b(n,e+1,r))}function wt(n,e,t,r){return Z(n,e,5,v(n,e+1,r))}function xt(n,e,t,r){let o=k(n,e+1,r);if(typeof o=="bi\
gint")throw new Error(`${f} 64-bit integer bytes lengths not supported`);return Z(n,e,9,o)}function we(n){return n.encodedBytes===void 0&&(n.encodedBytes=i.equals(
n.type,i.string)?me(n.value):n.value),n.encodedBytes}function q(n,e){let t=we(e);g(n,e.type.majorEncoded,t.length),n.push(t)}q.encodedSize=function(e){let t=we(
e);return g.encodedSize(t.length)+t.length};q.compareTokens=function(e,t){return An(we(e),we(t))};function An(n,e){return n.length<e.length?-1:n.length>e.length?
1:G(n,e)}var bt=new TextDecoder,_n=32;function Un(n,e,t){if(t-e<_n){let o="";for(let s=e;s<t;s++){let a=n[s];if(a&128)return bt.decode(n.subarray(e,t));o+=String.fromCharCode(
a)}return o}return bt.decode(n.subarray(e,t))}function ee(n,e,t,r,o){let s=t+r;R(n,e,s);let a=new u(i.string,Un(n,e+t,e+s),s);return o.retainStringBytes===!0&&(a.
byteValue=n.slice(e+t,e+s)),a}function vt(n,e,t,r){return ee(n,e,1,t,r)}function kt(n,e,t,r){return ee(n,e,2,x(n,e+1,r),r)}function Tt(n,e,t,r){return ee(n,e,3,
b(n,e+1,r),r)}function Et(n,e,t,r){return ee(n,e,5,v(n,e+1,r),r)}function At(n,e,t,r){let o=k(n,e+1,r);if(typeof o=="bigint")throw new Error(`${f} 64-bit intege\
r string lengths not supported`);return ee(n,e,9,o,r)}var St=q;function D(n,e,t,r){return new u(i.array,r,t)}function _t(n,e,t,r){return D(n,e,1,t)}function Ut(n,e,t,r){return D(n,e,2,x(n,e+1,r))}function It(n,e,t,r){return D(
n,e,3,b(n,e+1,r))}function Bt(n,e,t,r){return D(n,e,5,v(n,e+1,r))}function Rt(n,e,t,r){let o=k(n,e+1,r);if(typeof o=="bigint")throw new Error(`${f} 64-bit integ\
er array lengths not supported`);return D(n,e,9,o)}function Ot(n,e,t,r){if(r.allowIndefinite===!1)throw new Error(`${f} indefinite length items not allowed`);return D(
n,e,1,1/0)}function xe(n,e){g(n,i.array.majorEncoded,e.value)}xe.compareTokens=I.compareTokens;xe.encodedSize=function(e){return g.encodedSize(e.value)};function V(n,e,t,r){return new u(i.map,r,t)}function jt(n,e,t,r){return V(n,e,1,t)}function Nt(n,e,t,r){return V(n,e,2,x(n,e+1,r))}function Mt(n,e,t,r){return V(
n,e,3,b(n,e+1,r))}function $t(n,e,t,r){return V(n,e,5,v(n,e+1,r))}function Ct(n,e,t,r){let o=k(n,e+1,r);if(typeof o=="bigint")throw new Error(`${f} 64-bit integ\
er map lengths not supported`);return V(n,e,9,o)}function Pt(n,e,t,r){if(r.allowIndefinite===!1)throw new Error(`${f} indefinite length items not allowed`);return V(
n,e,1,1/0)}function be(n,e){g(n,i.map.majorEncoded,e.value)}be.compareTokens=I.compareTokens;be.encodedSize=function(e){return g.encodedSize(e.value)};function Lt(n,e,t,r){return new u(i.tag,t,1)}function Ft(n,e,t,r){return new u(i.tag,x(n,e+1,r),2)}function Gt(n,e,t,r){return new u(i.tag,b(n,e+1,r),3)}function qt(n,e,t,r){
return new u(i.tag,v(n,e+1,r),5)}function Dt(n,e,t,r){return new u(i.tag,k(n,e+1,r),9)}function ve(n,e){g(n,i.tag.majorEncoded,e.value)}ve.compareTokens=I.compareTokens;
ve.encodedSize=function(e){return g.encodedSize(e.value)};var ke=20,Te=21,Ee=22,Ae=23;function zt(n,e,t,r){if(r.allowUndefined===!1)throw new Error(`${f} undefined values are not supported`);return r.coerceUndefinedToNull===
!0?new u(i.null,null,1):new u(i.undefined,void 0,1)}function Wt(n,e,t,r){if(r.allowIndefinite===!1)throw new Error(`${f} indefinite length items not allowed`);return new u(
i.break,void 0,1)}function Ce(n,e,t){if(t){if(t.allowNaN===!1&&Number.isNaN(n))throw new Error(`${f} NaN values are not supported`);if(t.allowInfinity===!1&&(n===
1/0||n===-1/0))throw new Error(`${f} Infinity values are not supported`)}return new u(i.float,n,e)}function Ht(n,e,t,r){return Ce(Se(n,e+1),3,r)}function Jt(n,e,t,r){
return Ce(_e(n,e+1),5,r)}function Kt(n,e,t,r){return Ce(Yt(n,e+1),9,r)}function te(n,e,t){let r=e.value;if(r===!1)n.pushByte(i.float.majorEncoded|ke);else if(r===
!0)n.pushByte(i.float.majorEncoded|Te);else if(r===null)n.pushByte(i.float.majorEncoded|Ee);else if(r===void 0)n.pushByte(i.float.majorEncoded|Ae);else{let o,s=!1;
(!t||t.float64!==!0)&&(Pe(r),o=Se(y,1),r===o||Number.isNaN(r)?(y[0]=249,n.push(y.slice(0,3)),s=!0):(Le(r),o=_e(y,1),r===o&&(y[0]=250,n.push(y.slice(0,5)),s=!0))),
s||(Xt(r),o=Yt(y,1),y[0]=251,n.push(y.slice(0,9)))}}te.encodedSize=function(e,t){let r=e.value;if(r===!1||r===!0||r===null||r===void 0)return 1;if(!t||t.float64!==
!0){Pe(r);let o=Se(y,1);if(r===o||Number.isNaN(r))return 3;if(Le(r),o=_e(y,1),r===o)return 5}return 9};var Qt=new ArrayBuffer(9),E=new DataView(Qt,1),y=new Uint8Array(
Qt,0);function Pe(n){if(n===1/0)E.setUint16(0,31744,!1);else if(n===-1/0)E.setUint16(0,64512,!1);else if(Number.isNaN(n))E.setUint16(0,32256,!1);else{E.setFloat32(
0,n);let e=E.getUint32(0),t=(e&2139095040)>>23,r=e&8388607;if(t===255)E.setUint16(0,31744,!1);else if(t===0)E.setUint16(0,(e&2147483648)>>16|r>>13,!1);else{let o=t-
127;o<-24?E.setUint16(0,0):o<-14?E.setUint16(0,(e&2147483648)>>16|1<<24+o,!1):E.setUint16(0,(e&2147483648)>>16|o+15<<10|r>>13,!1)}}}function Se(n,e){if(n.length-
e<2)throw new Error(`${f} not enough data for float16`);let t=(n[e]<<8)+n[e+1];if(t===31744)return 1/0;if(t===64512)return-1/0;if(t===32256)return NaN;let r=t>>
10&31,o=t&1023,s;return r===0?s=o*2**-24:r!==31?s=(o+1024)*2**(r-25):s=o===0?1/0:NaN,t&32768?-s:s}function Le(n){E.setFloat32(0,n,!1)}function _e(n,e){if(n.length-
e<4)throw new Error(`${f} not enough data for float32`);let t=(n.byteOffset||0)+e;return new DataView(n.buffer,t,4).getFloat32(0,!1)}function Xt(n){E.setFloat64(
0,n,!1)}function Yt(n,e){if(n.length-e<8)throw new Error(`${f} not enough data for float64`);let t=(n.byteOffset||0)+e;return new DataView(n.buffer,t,8).getFloat64(
0,!1)}function jn(n,e){let t=n.value;if(t===!1)return Uint8Array.of(i.float.majorEncoded|ke);if(t===!0)return Uint8Array.of(i.float.majorEncoded|Te);if(t===null)
return Uint8Array.of(i.float.majorEncoded|Ee);if(t===void 0)return Uint8Array.of(i.float.majorEncoded|Ae);if(!e){if(Pe(t),t===Se(y,1)||Number.isNaN(t))return y[0]=
249,y.slice(0,3);if(Le(t),t===_e(y,1))return y[0]=250,y.slice(0,5)}return Xt(t),y[0]=251,y.slice(0,9)}function Vt(n,e){let t=n,r=e?.float64===!0,o=r?t._keyBytesFloat64:
t._keyBytes;if(o!==void 0)return o;let s=jn(n,r);return r?t._keyBytesFloat64=s:t._keyBytes=s,s}te.compareTokens=function(e,t,r){let o=Vt(e,r),s=Vt(t,r);return o.
length!==s.length?o.length<s.length?-1:1:G(o,s)};function l(n,e,t){throw new Error(`${f} encountered invalid minor (${t}) for major ${n[e]>>>5}`)}function Ue(n){return()=>{throw new Error(`${f} ${n}`)}}var c=[];
for(let n=0;n<=23;n++)c[n]=l;c[24]=st;c[25]=at;c[26]=ct;c[27]=ut;c[28]=l;c[29]=l;c[30]=l;c[31]=l;for(let n=32;n<=55;n++)c[n]=l;c[56]=dt;c[57]=ft;c[58]=lt;c[59]=
mt;c[60]=l;c[61]=l;c[62]=l;c[63]=l;for(let n=64;n<=87;n++)c[n]=pt;c[88]=gt;c[89]=yt;c[90]=wt;c[91]=xt;c[92]=l;c[93]=l;c[94]=l;c[95]=Ue("indefinite length bytes/\
strings are not supported");for(let n=96;n<=119;n++)c[n]=vt;c[120]=kt;c[121]=Tt;c[122]=Et;c[123]=At;c[124]=l;c[125]=l;c[126]=l;c[127]=Ue("indefinite length byte\
s/strings are not supported");for(let n=128;n<=151;n++)c[n]=_t;c[152]=Ut;c[153]=It;c[154]=Bt;c[155]=Rt;c[156]=l;c[157]=l;c[158]=l;c[159]=Ot;for(let n=160;n<=183;n++)
c[n]=jt;c[184]=Nt;c[185]=Mt;c[186]=$t;c[187]=Ct;c[188]=l;c[189]=l;c[190]=l;c[191]=Pt;for(let n=192;n<=215;n++)c[n]=Lt;c[216]=Ft;c[217]=Gt;c[218]=qt;c[219]=Dt;c[220]=
l;c[221]=l;c[222]=l;c[223]=l;for(let n=224;n<=243;n++)c[n]=Ue("simple values are not supported");c[244]=l;c[245]=l;c[246]=l;c[247]=zt;c[248]=Ue("simple values a\
re not supported");c[249]=Ht;c[250]=Jt;c[251]=Kt;c[252]=l;c[253]=l;c[254]=l;c[255]=Wt;var A=[];for(let n=0;n<24;n++)A[n]=new u(i.uint,n,1);for(let n=-1;n>=-24;n--)
A[31-n]=new u(i.negint,n,1);A[64]=new u(i.bytes,new Uint8Array(0),1);A[96]=new u(i.string,"",1);A[128]=new u(i.array,0,1);A[160]=new u(i.map,0,1);A[244]=new u(i.
false,!1,1);A[245]=new u(i.true,!0,1);A[246]=new u(i.null,null,1);function Fe(n){switch(n.type){case i.false:return U([244]);case i.true:return U([245]);case i.
null:return U([246]);case i.bytes:return n.value.length?void 0:U([64]);case i.string:return n.value===""?U([96]):void 0;case i.array:return n.value===0?U([128]):
void 0;case i.map:return n.value===0?U([160]):void 0;case i.uint:return n.value<24?U([Number(n.value)]):void 0;case i.negint:if(n.value>=-24)return U([31-Number(
n.value)])}}var Mn={float64:!1,mapSorter:qe,quickEncodeToken:Fe},rn=Object.freeze({mapSorter:Pn,quickEncodeToken:Fe});function $n(){let n=[];return n[i.uint.major]=I,n[i.negint.
major]=ye,n[i.bytes.major]=q,n[i.string.major]=St,n[i.array.major]=xe,n[i.map.major]=be,n[i.tag.major]=ve,n[i.float.major]=te,n}var L=$n(),Ie=new X,W=class n{constructor(e,t){
this.obj=e,this.parent=t}includes(e){let t=this;do if(t.obj===e)return!0;while(t=t.parent);return!1}static createCheck(e,t){if(e&&e.includes(t))throw new Error(
`${ge} object contains circular references`);return new n(t,e)}},O={null:new u(i.null,null),undefined:new u(i.undefined,void 0),true:new u(i.true,!0),false:new u(
i.false,!1),emptyArray:new u(i.array,0),emptyMap:new u(i.map,0)},B={number(n,e,t,r){return!Number.isInteger(n)||!Number.isSafeInteger(n)?new u(i.float,n):n>=0?new u(
i.uint,n):new u(i.negint,n)},bigint(n,e,t,r){return n>=BigInt(0)?new u(i.uint,n):new u(i.negint,n)},Uint8Array(n,e,t,r){return new u(i.bytes,n)},string(n,e,t,r){
return new u(i.string,n)},boolean(n,e,t,r){return n?O.true:O.false},null(n,e,t,r){return O.null},undefined(n,e,t,r){return O.undefined},ArrayBuffer(n,e,t,r){return new u(
i.bytes,new Uint8Array(n))},DataView(n,e,t,r){return new u(i.bytes,new Uint8Array(n.buffer,n.byteOffset,n.byteLength))},Array(n,e,t,r){if(!n.length)return t.addBreakTokens===
!0?[O.emptyArray,new u(i.break)]:O.emptyArray;r=W.createCheck(r,n);let o=[],s=0;for(let a of n)o[s++]=P(a,t,r);return t.addBreakTokens?[new u(i.array,n.length),
o,new u(i.break)]:[new u(i.array,n.length),o]},Object(n,e,t,r){let o=e!=="Object",s=o?n.keys():Object.keys(n),a=o?n.size:s.length,d;if(a){d=new Array(a),r=W.createCheck(
r,n);let h=!o&&t.ignoreUndefinedProperties,m=0;for(let p of s){let T=o?n.get(p):n[p];h&&T===void 0||(d[m++]=[P(p,t,r),P(T,t,r)])}m<a&&(d.length=m)}return d?.length?
(Cn(d,t),t.addBreakTokens?[new u(i.map,d.length),d,new u(i.break)]:[new u(i.map,d.length),d]):t.addBreakTokens===!0?[O.emptyMap,new u(i.break)]:O.emptyMap},Tagged(n,e,t,r){
return[new u(i.tag,n.tag),P(n.value,t,r)]}};B.Map=B.Object;B.Buffer=B.Uint8Array;for(let n of"Uint8Clamped Uint16 Uint32 Int8 Int16 Int32 BigUint64 BigInt64 Flo\
at32 Float64".split(" "))B[`${n}Array`]=B.DataView;function P(n,e={},t){let r=Ne(n),o=e&&e.typeEncoders&&e.typeEncoders[r]||B[r];if(typeof o=="function"){let a=o(
n,r,e,t);if(a!=null)return a}let s=B[r];if(!s)throw new Error(`${ge} unsupported type: ${r}`);return s(n,r,e,t)}function Cn(n,e){let t=e.mapSorter;t&&n.sort((r,o)=>t(
r,o,e))}function qe(n,e,t){let r=Array.isArray(n[0])?n[0][0]:n[0],o=Array.isArray(e[0])?e[0][0]:e[0];if(r.type.major!==o.type.major)return r.type.compare(o.type);
let s=r.type.major,a=L[s].compareTokens(r,o,t);return a===0&&console.warn("WARNING: complex key types used, CBOR key sorting guarantees are gone"),a}function Pn(n,e){
if(n[0]instanceof u&&e[0]instanceof u){let t=n[0],r=e[0];return t._keyBytes||(t._keyBytes=Zt(t.value)),r._keyBytes||(r._keyBytes=Zt(r.value)),G(t._keyBytes,r._keyBytes)}
throw new Error("rfc8949MapSorter: complex key types are not supported yet")}function Zt(n){return on(n,L,rn)}function z(n,e,t,r){if(Array.isArray(e))for(let o of e)
z(n,o,t,r);else t[e.type.major](n,e,r)}var en=i.uint.majorEncoded,tn=i.negint.majorEncoded,Ln=i.bytes.majorEncoded,Fn=i.string.majorEncoded,nn=i.array.majorEncoded,
Ge=i.map.majorEncoded,Gn=i.float.majorEncoded|ke,qn=i.float.majorEncoded|Te,Dn=i.float.majorEncoded|Ee,Vn=i.float.majorEncoded|Ae,zn=BigInt(-1),Wn=BigInt(1);function j(n,e,t){
t<24?n.pushByte(e|Number(t)):g(n,e,t)}function Hn(n){return n.addBreakTokens!==!0}function Jn(n,e,t,r,o){let s=t==="Map",a=s?e.keys():Object.keys(e),d=s?e.size:
a.length;if(!d){n.pushByte(Ge);return}o=W.createCheck(o,e);let h=!s&&r.ignoreUndefinedProperties,m=new Array(d),p=0;for(let T of a){let F=s?e.get(T):e[T];h&&F===
void 0||(m[p++]=[P(T,r,o),F])}if(p===0){n.pushByte(Ge);return}p<d&&(m.length=p),m.sort((T,F)=>qe(T,F,r)),j(n,Ge,p);for(let[T,F]of m)z(n,T,L,r),De(n,F,r,o)}function De(n,e,t,r){
let o=Ne(e),s=t.typeEncoders&&t.typeEncoders[o];if(s){let a=s(e,o,t,r);if(a!=null){z(n,a,L,t);return}}switch(o){case"null":n.pushByte(Dn);return;case"undefined":
n.pushByte(Vn);return;case"boolean":n.pushByte(e?qn:Gn);return;case"number":!Number.isInteger(e)||!Number.isSafeInteger(e)?te(n,new u(i.float,e),t):e>=0?j(n,en,
e):j(n,tn,e*-1-1);return;case"bigint":e>=BigInt(0)?j(n,en,e):j(n,tn,e*zn-Wn);return;case"string":{let a=me(e);j(n,Fn,a.length),n.push(a);return}case"Uint8Array":
j(n,Ln,e.length),n.push(e);return;case"Array":if(!e.length){n.pushByte(nn);return}r=W.createCheck(r,e),j(n,nn,e.length);for(let a of e)De(n,a,t,r);return;case"O\
bject":case"Map":if(t.mapSorter===qe)Jn(n,e,o,t,r);else{let a=B.Object(e,o,t,r);z(n,a,L,t)}return;default:{let a=B[o];if(!a)throw new Error(`${ge} unsupported t\
ype: ${o}`);let d=a(e,o,t,r);z(n,d,L,t)}}}function on(n,e,t,r){let o=r instanceof Uint8Array,s=o?new pe(r):Ie,a=P(n,t);if(!Array.isArray(a)&&t.quickEncodeToken){
let d=t.quickEncodeToken(a);if(d)return o?(s.push(d),s.toBytes()):d;let h=e[a.type.major];if(h.encodedSize){let m=h.encodedSize(a,t);if(o||(s=new X(m)),h(s,a,t),
s.chunks.length!==1)throw new Error(`Unexpected error: pre-calculated length for ${a} was wrong`);return o?s.toBytes():Q(s.chunks[0])}}return s.reset(),z(s,a,e,
t),s.toBytes(!0)}function Ve(n,e){return e=Object.assign({},Mn,e),Hn(e)?(Ie.reset(),De(Ie,n,e,void 0),Ie.toBytes(!0)):on(n,L,e)}var Kn={strict:!1,allowIndefinite:!0,allowUndefined:!0,allowBigInt:!0},Be=class{constructor(e,t={}){this._pos=0,this.data=e,this.options=t}pos(){return this._pos}done(){
return this._pos>=this.data.length}next(){let e=this.data[this._pos],t=A[e];if(t===void 0){let r=c[e];if(!r)throw new Error(`${f} no decoder for major type ${e>>>
5} (byte 0x${e.toString(16).padStart(2,"0")})`);let o=e&31;t=r(this.data,this._pos,o,this.options)}return this._pos+=t.encodedLength,t}},N=Symbol.for("DONE"),H=Symbol.
for("BREAK");function Qn(n,e,t){let r=[];for(let o=0;o<n.value;o++){let s=M(e,t);if(s===H){if(n.value===1/0)break;throw new Error(`${f} got unexpected break to \
lengthed array`)}if(s===N)throw new Error(`${f} found array but not enough entries (got ${o}, expected ${n.value})`);r[o]=s}return r}function Xn(n,e,t){let r=t.
useMaps===!0,o=t.rejectDuplicateMapKeys===!0,s=r?void 0:{},a=r?new Map:void 0;for(let d=0;d<n.value;d++){let h=M(e,t);if(h===H){if(n.value===1/0)break;throw new Error(
`${f} got unexpected break to lengthed map`)}if(h===N)throw new Error(`${f} found map but not enough entries (got ${d} [no key], expected ${n.value})`);if(!r&&typeof h!=
"string")throw new Error(`${f} non-string keys not supported (got ${typeof h})`);if(o&&(r&&a.has(h)||!r&&Object.hasOwn(s,h)))throw new Error(`${f} found repeat \
map key "${h}"`);let m=M(e,t);if(m===N)throw new Error(`${f} found map but not enough entries (got ${d} [no value], expected ${n.value})`);r?a.set(h,m):h==="__p\
roto__"?Object.defineProperty(s,h,{value:m,configurable:!0,enumerable:!0,writable:!0}):s[h]=m}return r?a:s}function*Yn(n,e,t){for(let r=0;r<n.value;r++){let o=M(
e,t);if(o===H){if(n.value===1/0)break;throw new Error(`${f} got unexpected break to lengthed map`)}if(o===N)throw new Error(`${f} found map but not enough entri\
es (got ${r} [no key], expected ${n.value})`);let s=M(e,t);if(s===N)throw new Error(`${f} found map but not enough entries (got ${r} [no value], expected ${n.value}\
)`);yield[o,s]}}function Zn(n,e){let t=function(){if(t._called)throw new Error(`${f} tag decode() may only be called once`);t._called=!0;let r=M(n,e);if(r===N)throw new Error(
`${f} tag content missing`);if(r===H)throw new Error(`${f} got unexpected break in tag content`);return r};return t.entries=function(){if(t._called)throw new Error(
`${f} tag decode() may only be called once`);t._called=!0;let r=n.next();if(!i.equals(r.type,i.map))throw new Error(`${f} entries() requires map content, got ${r.
type.name}`);let o=[];for(let s of Yn(r,n,e))o.push(s);return o},t._called=!1,t}function M(n,e){if(n.done())return N;let t=n.next();if(i.equals(t.type,i.break))
return H;if(t.type.terminal)return t.value;if(i.equals(t.type,i.array))return Qn(t,n,e);if(i.equals(t.type,i.map))return Xn(t,n,e);if(i.equals(t.type,i.tag)){if(e.
tags&&typeof e.tags[t.value]=="function"){let r=Zn(n,e),o=e.tags[t.value](r);if(!r._called)throw new Error(`${f} tag decoder must call decode() or entries()`);return o}
throw new Error(`${f} tag not supported (${t.value})`)}throw new Error("unsupported")}function ze(n,e){if(!(n instanceof Uint8Array))throw new Error(`${f} data \
to decode must be a Uint8Array`);e=Object.assign({},Kn,e);let t=Q(n),r=e.tokenizer||new Be(t,e),o=M(r,e);if(o===N)throw new Error(`${f} did not find any content\
 to decode`);if(o===H)throw new Error(`${f} got unexpected break`);return[o,n.subarray(r.pos())]}var Re=class n{constructor(e,t){if(typeof e!="number"||!Number.isInteger(e)||e<0)throw new TypeError("Tagged: tag must be a non-negative integer");this.tag=e,this.
value=t}static decoder(e){return t=>new n(e,t())}static preserve(...e){let t={};for(let r of e)t[r]=n.decoder(r);return t}};Object.defineProperty(Re.prototype,Symbol.
toStringTag,{value:"Tagged"});var sn={subprotocol:"roomring.v1.cbor",encode:n=>Ve(n),decode(n){let e=[];for(let t=new Uint8Array(n);t.length>0;){let[r,o]=ze(t,{allowBigInt:!1});e.push(r),t=o}
return e}};var an=class extends le{get codec(){return sn}};export{_ as ClosedError,$ as HTTPError,S as RejectedError,an as Roomring,Oe as patch};
