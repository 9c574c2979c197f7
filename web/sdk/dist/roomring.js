/* Roomring SDK. Apache-2.0. Made by "make generate". */
var u=class extends Error{constructor(t,n){super(n||t);this.code=t;this.reason=n}code;reason;name="RejectedError"},V={1e3:["left","You have left the room."],1007:[
"refused","What was said could not be read."],4401:["token","Who you are could not be told, or no longer: come with a new token."],4403:["forbidden","This room \
does not let you in."],4404:["not-found","There is no such room."],4406:["reload","This page is older than the server: reload it."],4409:["replaced","You are pl\
aying in another window now."],4410:["over","The game is over."]},l=class extends Error{constructor(t,n,i){let[o,r]=V[t]??[t<4400?"unreachable":"refused","The s\
erver closed the connection."];super(n||r);this.code=t;this.over=i;this.kind=o,this.reason=this.message}code;over;name="ClosedError";kind;reason},f=class extends Error{constructor(t,n){
super(n.detail||n.title);this.status=t;this.problem=n}status;problem;name="HTTPError"};var P={subprotocol:"roomring.v1.json",encode:JSON.stringify,decode:s=>s.split(`
`).filter(e=>e.trim()).map(e=>JSON.parse(e))},j=s=>typeof s=="string"?new TextEncoder().encode(s).length:s.length;var g=Number.MAX_SAFE_INTEGER,I=31,W=/(^|[^\\])(\\\\)*\\ud[89a-f]/;function O(s,e){if(Number.isInteger(s)&&!Number.isSafeInteger(s))throw new u("bad_action","A \
whole number in the action is beyond ±(2⁵³−1): send it as text.");if(!(typeof s!="object"||s===null)){if(!e)throw new u("bad_action",`Arrays and objects o\
f the action are more than ${I} deep in one another.`);for(let t of Object.values(s))O(t,e-1)}}var p=class{constructor(e,t){this.encode=e;this.send=t}encode;send;#e=[];#s=[];#n=1;#o=0;#r={};#a=0;#d=0;#t=0;#i;resent=0;add(e,t){
return new Promise((n,i)=>{t?.throwIfAborted();let o=JSON.stringify(e);if(o===void 0)throw new TypeError("An action is a JSON value; this is none.");let r=JSON.
parse(o);if(W.test(o))throw new u("bad_text","A text in the action has half a character: cut texts between characters, not in one.");O(r,I);let a=()=>{let h=this.#e.
indexOf(d);h>=0&&this.#e.splice(h,1),d.reject(t.reason)},c=h=>N=>{t?.removeEventListener("abort",a),h(N)},d={data:r,cseq:0,sent:0,here:!1,resolve:c(n),reject:c(
i)};t?.addEventListener("abort",a),this.#e.push(d),this.flush()})}welcomed(e,t){this.#r=t,this.#a=t.rate||g,this.#d=t.bytes||g,this.#t=performance.now(),e<this.#o&&
(this.#o=e,this.#s.forEach((i,o)=>i.cseq=e+1+o));for(let i of this.#s)i.here=!1;let n=this.#s.at(-1);this.#n=n?n.cseq+1:e+1,this.flush()}answer(e,t,n){let i=this.#s.
findIndex(r=>r.cseq===e);if(i<0)return;let[o]=this.#s.splice(i,1);this.#o=Math.max(this.#o,e),n?o.reject(n):o.resolve({seq:t}),this.flush()}flush(){clearTimeout(
this.#i);for(let e of this.#s)if(!e.here&&!this.#c(e))return;for(;this.#e.length&&this.#s.length<(this.#r.unanswered??32);){let e=this.#e[0];if(!this.#c(e))return;
this.#e.shift(),e.cseq&&this.#s.push(e)}}fail(e){clearTimeout(this.#i);for(let t of[...this.#s.splice(0),...this.#e.splice(0)])t.reject(e)}#c(e){let t=e.cseq||this.#n,
n=this.encode({t:"act",cseq:t,data:e.data}),i=j(n);return!e.cseq&&i>(this.#r.message??1/0)?(e.reject(new u("too_large",`The action is larger than the ${this.#r.
message} bytes a message may have.`)),!0):!this.#u(i)||!this.send(n)?!1:(this.#a--,this.#d-=i,e.cseq||(e.cseq=this.#n++),e.here=!0,e.sent++&&this.resent++,!0)}#u(e){
let t=this.#r.rate||g,n=this.#r.bytes||g,i=Math.min(e,n),o=performance.now(),r=(o-this.#t)/1e3;if(this.#a=Math.min(t,this.#a+r*t),this.#d=Math.min(n,this.#d+r*n),
this.#t=o,this.#a>=1&&this.#d>=i)return!0;let a=Math.max((1-this.#a)/t,(i-this.#d)/n);return this.#i=setTimeout(()=>this.flush(),Math.ceil(a*1e3)),!1}};function y(s){if(Array.isArray(s))return"["+s.map(y).join()+"]";if(typeof s!="object"||s===null)return JSON.stringify(s);let e=s;return"{"+Object.keys(e).sort().
map(n=>JSON.stringify(n)+":"+y(e[n])).join()+"}"}var E;function _(){return Uint32Array.from({length:256},(s,e)=>{for(let t=0;t<8;t++)e=e&1?3988292384^e>>>1:e>>>
1;return e})}function L(s){E??=_();let e=-1;for(let t of new TextEncoder().encode(s))e=E[(e^t)&255]^e>>>8;return~e>>>0}var w=class{#e=new Map;on(e,t,n){if(n?.aborted)return()=>{};let i=(...a)=>t(...a),o=this.#e.get(e);o||this.#e.set(e,o=new Set),o.add(i);let r=()=>{o.delete(i),n?.
removeEventListener("abort",r)};return n?.addEventListener("abort",r),r}emit(e,...t){for(let n of[...this.#e.get(e)??[]])try{n(...t)}catch(i){queueMicrotask(()=>{
throw i})}}},b=class{constructor(e,t){this.max=e;this.cleanup=t}max;cleanup;#e=[];#s=[];#n=!1;push(e){if(this.#n)return;let t=this.#s.shift();if(t)return t({value:e,
done:!1});this.#e.push(e)>this.max&&this.#e.shift()}end(){if(!this.#n){this.#n=!0;for(let e of this.#s.splice(0))e({value:void 0,done:!0});this.cleanup()}}async next(){
return this.#e.length?{value:this.#e.shift(),done:!1}:this.#n?{value:void 0,done:!0}:new Promise(e=>this.#s.push(e))}async return(){return this.#e.length=0,this.
end(),{value:void 0,done:!0}}[Symbol.asyncIterator](){return this}};var v=class{constructor(e,t,n,i){this.url=e;this.codec=n;this.owner=i;let o=this.#e=t(e,n.subprotocol);this.#r=setTimeout(()=>this.drop("the server does not ans\
wer"),1e4),o.binaryType="arraybuffer",o.onopen=()=>{this.open=!0,i.opened(this)},o.onmessage=r=>this.#u(r.data),o.onclose=r=>this.#h(r.code,r.reason||this.#d),o.
onerror=r=>this.#d=String(r?.message??"")}url;codec;owner;open=!1;welcomedAt;#e;#s=performance.now();#n=1/0;#o=0;#r;#a;#d="";#t=!1;welcomed(e){this.welcomedAt??=
performance.now(),this.#n=e,clearTimeout(this.#r),this.#i()}send(e){this.write(this.codec.encode(e))}write(e){if(this.#t||!this.open)return!1;try{this.#e.send(e)}catch{
return!1}return!0}check(){let e=performance.now();this.welcomedAt!==void 0&&this.#c(),clearTimeout(this.#a),this.#a=setTimeout(()=>this.#s<e&&this.drop("the con\
nection died"),3e3)}drop(e,t=1006){this.#h(t,e),this.#e.terminate?this.#e.terminate():this.#e.close()}close(){this.#m(),this.#e.close(1e3)}#i(){if(performance.now()-
this.#s>2.5*this.#n)return this.drop("the server fell silent");this.#r=setTimeout(()=>this.#i(),this.#n/2),this.#c()}#c(){this.#o=performance.now(),this.send({t:"\
ping",echo:this.#o})}#u(e){this.#s=performance.now(),this.#s-this.#o>this.#n/2&&this.#c();try{for(let t of this.codec.decode(e))this.#t||this.owner.received(this,
t)}catch(t){this.drop(`The server said what cannot be read: ${t.message}`,1007)}}#h(e,t){this.#t||(this.#m(),this.owner.lost(this,e,t))}#m(){this.#t=!0,clearTimeout(
this.#r),clearTimeout(this.#a);let e=this.#e;e.onopen=e.onmessage=e.onclose=null}};var k=s=>typeof s=="object"&&s!==null&&!Array.isArray(s),T=(s,e)=>typeof s=="object"&&s!==null&&Object.hasOwn(s,e)?s[e]:void 0,M=(s,e,t)=>Object.defineProperty(
s,e,{value:t,configurable:!0,enumerable:!0,writable:!0});function R(s,e){return q(s,e)}function q(s,e){if(!k(e))return m(s,e);let t=k(s)?s:void 0,n;for(let i of Object.
keys(e)){let o=t!==void 0&&Object.hasOwn(t,i);if(e[i]===null){o&&delete(n??={...t})[i];continue}let r=T(t,i),a=q(r,e[i]);(!o||a!==r)&&M(n??={...t},i,a)}return n??
t??{}}function m(s,e){if(Array.isArray(e)&&Array.isArray(s)){let t=e.map((n,i)=>m(s[i],n));return t.length===s.length&&t.every((n,i)=>n===s[i])?s:t}if(k(e)&&k(s)){
let t=Object.keys(e),n=t.length===Object.keys(s).length,i={};for(let o of t)M(i,o,m(T(s,o),e[o])),n&&=Object.hasOwn(s,o)&&i[o]===s[o];return n?s:i}return e}function A(s,e,t,n,i=[]){
if(e===t)return;if(i.length===s.length)return n(t,i);let o=s[i.length],r=o==="*"?new Set([...G(e),...G(t)]):[o];for(let a of r)A(s,T(e,a),T(t,a),n,[...i,a])}var G=s=>typeof s==
"object"&&s!==null?Object.keys(s):[];var H=1e4,C=5e3,K=3,B=1024,S=class{id;spectator;game="";player="";seat=-1;view;state="connecting";lag=NaN;clockOffset=0;over;#e;#s;#n=new w;#o;#r={sockets:0,recovered:0,
states:0,turns:0,checks:0,mismatches:0,lost:0};#a;#d;#t;#i;#c=0;#u;#h=0;#m=0;#b=0;#x=0;#v;#R=!1;#k=0;#y=0;#j=0;#l=!1;#g=!1;#I=0;#A=1/0;#O=!1;#f;#T;ready=new Promise(
(e,t)=>this.#T={resolve:e,reject:t});constructor(e,t){this.#e=e,this.#s=t,this.id=t.id,this.spectator=t.spectator,this.#a=[...t.urls],this.#d=this.#a[0],this.#o=
new p(e.codec.encode,n=>this.#t?.write(n)??!1),this.ready.catch(()=>{}),this.#M("addEventListener"),this.#S()}get stats(){return{...this.#r,resent:this.#o.resent}}roomTime(){
return performance.now()-this.#I}act(e,t){return this.#f?Promise.reject(this.#f):this.spectator?Promise.reject(new u("spectator","Who watches cannot act.")):this.#o.
add(e,t?.signal)}on(e,t,n){return this.#n.on(e,t,n?.signal)}watch(e,t,n){let i=typeof e=="string"?e?e.split("."):[]:e;return this.on("view",(o,r)=>A(i,r,o,t),n)}events(e){
return this.#U("event",B,e?.signal)}views(e){return this.#U("view",1,e?.signal,this.#l?[this.view]:[])}resync(){this.#g=!1,this.#t?.send({t:"resync"})}leave(){return this.#f||
this.spectator?Promise.resolve(this.close()):(this.#O=!0,this.#t?.send({t:"leave"}),new Promise(e=>this.on("closed",()=>e())))}close(){this.#p(new l(1e3,"This c\
lient has closed the connection."))}fail(e){this.#T.reject(e),this.close()}async#S(){let e=++this.#c;clearTimeout(this.#u),this.#u=void 0,this.#i?.close(),this.#i=
void 0;try{let t=await this.#e.token(this.spectator);if(e!==this.#c)return;this.#v=t,this.#x++,this.#i=new v(this.#d,(n,i)=>this.#e.open(n,i),this.#e.codec,this)}catch(t){
e===this.#c&&this.#$(t)}}#$(e){let t=e instanceof f,n=t&&e.status<500&&e.status!==429;if(!this.#l&&(n||!t))return this.fail(e);if(n)return this.#p(new l(4401,e.
message));if(this.#E())return this.fail(e);this.#d=this.#a[0],this.#L(1006,String(e))}opened(e){let{client:t,spectator:n,name:i,code:o}=this.#s,r={t:"hello",client:t,
attempt:this.#x};this.#v&&(r.token=this.#v),i&&(r.name=i),n&&(r.as="spectator"),o&&(r.code=o),this.#g&&(r.resume={epoch:this.#k,seq:this.#y}),e.send(r)}lost(e,t,n){
if(e===this.#i&&(this.#i=void 0),e===this.#t&&(this.#t=void 0),t===4401&&!this.#R&&this.#e.renew(this.#v,this.#l))return this.#R=!0,this.#l&&!this.#t&&this.#w("\
reconnecting",{code:t,reason:n,retryIn:0}),void this.#S();if(t===4409&&this.#i&&e!==this.#i)return;if(t===1e3||t>=4400&&t<4500)return this.#p(new l(t,n,this.over));
if(t===1007&&(this.#g=!1,++this.#b>=K))return this.#p(new l(t,n,this.over));let i=this.#E();e.open||(this.#a.push(this.#a.shift()),this.#d=this.#a[0]),(i||!e.open)&&
this.#N(t,e,n,i),!i&&(e.welcomedAt!==void 0&&performance.now()-e.welcomedAt>C&&(this.#h=0),this.#L(t,n))}#E(){return!this.#l&&!this.#t&&!this.#i&&++this.#m>=this.#s.
tries}async#N(e,t,n,i){let{gone:o,reason:r}=await this.#e.ask(this.id);if(o)return this.#p(new l(4404,"",this.over));i&&this.#p(new l(e,t.open?n||r:`No socket o\
pens at ${t.url}${n&&` (${n})`}. ${r}`))}#L(e,t){if(this.#f)return;let n={code:e,reason:t};this.#i||(n={code:e,reason:t,retryIn:this.#G()}),!this.#t&&this.#l&&this.#w(
"reconnecting",n)}#G(){let e=this.#h++,t=e&&Math.random()*Math.min(H,250*2**e);return this.#c++,clearTimeout(this.#u),this.#u=setTimeout(()=>{this.#S()},t),t}#P=e=>{
e.type==="visibilitychange"&&document.visibilityState==="hidden"||(this.#u!==void 0&&this.#S(),this.#t?.check(),this.#i?.check())};#M(e){globalThis[e]?.("online",
this.#P),globalThis[e]?.("pageshow",this.#P),globalThis.document?.[e]("visibilitychange",this.#P)}received(e,t){switch(t.t){case"welcome":return this.#V(e,t);case"\
state":return this.#W(t);case"turn":return this.#_(t);case"ack":return this.#o.answer(t.cseq,t.seq);case"reject":return this.#o.answer(t.cseq,t.seq,new u(t.code,
t.reason??""));case"pong":return this.#H(t);case"move":return this.#K(e,t);case"over":return this.#B(t)}}#V(e,t){e===this.#i&&(this.#a.includes(e.url)&&(this.#a=
[e.url]),this.#t?.close(),this.#i=void 0,this.#t=e);let n=t.player??"";this.#x>1&&n!==this.player&&this.#o.fail(new l(4401,"The new token is another player's.")),
this.game=t.game,this.player=n,this.seat=t.seat,this.#k=t.epoch,this.#I=performance.now()-t.now,this.#R=!1,this.#r.sockets++,t.recovered?this.#r.recovered++:(this.#g=
!1,this.#y=0),this.#j=this.#y,this.#e.welcomed(n,t.token),e.welcomed(t.heartbeat),this.#o.welcomed(t.cseq??0,t.limits??{}),this.#O&&e.send({t:"leave"}),t.recovered&&
this.#w("open")}#W(e){this.#r.states++,this.#r.lost+=e.lost??0,this.#g=!1,this.#q(e,this.#l?m(this.view,e.view):e.view),this.#g=!0,this.#C()}#_(e){if(!(!this.#l||
e.seq<=this.#j)){this.#r.turns++,this.#q(e,"patch"in e?R(this.view,e.patch):this.view);for(let t of e.events??[])this.#n.emit("event",{...t,seq:e.seq})}}#q(e,t){
let n=this.#l?this.view:void 0,i=!this.#l||t!==n;this.#k=e.epoch??this.#k,this.#y=Math.max(this.#y,e.seq),this.view=t,this.#l=!0,this.#b=0,e.check!==void 0&&this.#J(
e.check),i&&this.#n.emit("view",t,n)}#J(e){if(L(y(this.view))===e){this.#r.checks++;return}this.#r.mismatches++,this.#g&&this.resync()}#C(){this.#T.resolve(),this.#t&&
this.#w("open")}#H(e){typeof e.echo=="number"&&(this.lag=performance.now()-e.echo,this.#A=Math.min(this.lag,this.#A*1.1),this.lag===this.#A&&(this.clockOffset=e.
time+this.lag/2-Date.now()),this.#n.emit("lag",this.lag))}#K(e,t){e===this.#t&&(t.url&&(this.#d=new URL(t.url,this.#d).href),performance.now()-e.welcomedAt>C&&(this.#h=
0),this.#n.emit("move",{within:t.within,...t.url&&{url:t.url}}),!this.#i&&!this.#f&&this.#G())}#B(e){let{t,...n}=e;this.over=n,this.#n.emit("over",this.over),this.#t&&
this.#C()}#w(e,t){e===this.state&&e!=="reconnecting"||(this.state=e,this.#n.emit("state",e,t))}#p(e){this.#f||(this.#f=e,this.#c++,clearTimeout(this.#u),this.#M(
"removeEventListener"),this.#i?.close(),this.#t?.close(),this.#i=this.#t=void 0,this.#o.fail(e),this.#T.reject(e),this.#w("closed",{code:e.code,reason:e.reason,
kind:e.kind}),this.#n.emit("closed",e))}#U(e,t,n,i=[]){let o=[],r=new b(t,()=>o.forEach(c=>c()));i.forEach(c=>r.push(c));let a=()=>r.end();return this.#f||n?.aborted?
a():(n?.addEventListener("abort",a),o.push(this.#n.on(e,c=>r.push(c)),this.on("closed",a),()=>n?.removeEventListener("abort",a))),r}};var U=class{get codec(){return P}#e;#s;#n;#o;#r;#a;constructor(e={}){let t=e.url??globalThis.location?.origin;if(!t)throw new TypeError('There is no page whose \
server to ask: pass url, such as new Roomring({ url: "https://play.example.org" }).');this.#e=e,this.#s=new URL(t).href.replace(/\/$/,""),this.#n=e.storage===void 0?
Q():e.storage,e.token||(this.#o=this.#d())}get player(){return this.#a??this.#o?.player}async guest(e={}){let t=e.name??this.#e.name,n=await this.#h("/v1/guest",
{...e,method:"POST",body:t===void 0?{}:{name:t}});return this.#t(n),n}#d(){try{let e=JSON.parse(this.#n?.getItem(this.#i)??"null");return typeof e?.token=="stri\
ng"?e:void 0}catch{return}}#t(e){this.#o=e,this.#a=e?.player;try{e?this.#n?.setItem(this.#i,JSON.stringify(e)):this.#n?.removeItem(this.#i)}catch{}}get#i(){return"\
roomring:"+this.#s}async#c(e){let{token:t}=this.#e;return t?typeof t=="function"?t():t:(!this.#o&&e&&(this.#r??=this.guest().finally(()=>this.#r=void 0),await this.#r),
this.#o?.token)}#u(e,t){return this.#e.token?typeof this.#e.token=="function":(this.#o?.token===e&&this.#t(void 0),e!==void 0&&!t)}async#h(e,t={},n=!0){let i=t.
as&&await this.#c(t.as==="player"),o={};i&&(o.Authorization="Bearer "+i);let r={headers:o};t.method&&(r.method=t.method),t.signal&&(r.signal=t.signal),t.body!==
void 0&&(o["Content-Type"]="application/json",r.body=JSON.stringify(t.body));let a=await(this.#e.fetch??fetch)(this.#s+e,r);if(a.ok)return a.json();if(a.status===
401&&n&&i&&this.#u(i,!1))return this.#h(e,t,!1);throw new f(a.status,await z(a))}async games(e){return(await this.#h("/v1/games",e)).games}rooms(e={},t){return this.#h(
"/v1/rooms"+x(e),t)}room(e,t){return this.#h(`/v1/rooms/${encodeURIComponent(e)}`,t)}async findRoom(e,t){let{rooms:n}=await this.#h("/v1/rooms"+x({code:e}),t);if(n[0])
return n[0];throw new f(404,{type:"about:blank",title:"Not Found",status:404,detail:"There is no room with this code."})}create(e,t){return this.#h("/v1/rooms",
{...t,method:"POST",body:e,as:"player"})}matchmake(e,t){return this.#h("/v1/matchmake",{...t,method:"POST",body:{...e,ticket:e.ticket??$()},as:"player"})}result(e,t){
return this.#h(`/v1/results/${encodeURIComponent(e)}`,{...t,as:"known"})}profile(e,t){return this.#h(`/v1/players/${encodeURIComponent(e)}`,{...t,as:"known"})}async leaderboard(e,t={},n){
return(await this.#h(`/v1/leaderboards/${encodeURIComponent(e)}${x(t)}`,n)).players}leaderboardPage(e,t={},n){return this.#h(`/v1/leaderboards/${encodeURIComponent(
e)}${x(t)}`,n)}join(e,t={}){return this.#m(e,!1,t)}spectate(e,t={}){return this.#m(e,!0,t)}async#m(e,t,n){n.signal?.throwIfAborted();let i=this.#e.WebSocket??globalThis.
WebSocket;if(!i)throw new TypeError("This runtime has no WebSocket: pass one, such as that of the npm package ws: new Roomring({ url, WebSocket }).");let o=typeof e==
"string"?{id:e}:e,r={id:o.id,urls:D(`${this.#s.replace(/^http/,"ws")}/v1/rooms/${encodeURIComponent(o.id)}/ws`,o.ws_url),tries:this.#e.tries??10,client:this.#e.
client??$(),spectator:t,name:this.#e.name,code:n.code??o.code},a=new S({codec:this.codec,open:(d,h)=>new i(d,h),token:d=>this.#c(!d),renew:(d,h)=>this.#u(d,h),welcomed:(d,h)=>this.#b(
d,h),ask:d=>this.#h(`/v1/rooms/${encodeURIComponent(d)}`).then(()=>({gone:!1,reason:"HTTP gets through: look whether each proxy on the way passes WebSocket upgr\
ades on."}),h=>({gone:h.status===404||h.status===400,reason:h.message}))},r),c=()=>a.fail(n.signal.reason);n.signal?.addEventListener("abort",c);try{await a.ready}finally{
n.signal?.removeEventListener("abort",c)}return a}#b(e,t){t&&!this.#e.token&&this.#t({token:t,player:e,name:this.#e.name??""}),e&&(this.#a=e)}};function D(s,e=s){
let t=new URL(e,s),n=new URL(s);return n.search=t.search,t.host===n.host||t.protocol==="ws:"&&n.protocol==="wss:"||t.href===n.href?[n.href]:[t.href,n.href]}function Q(){
try{return globalThis.document?globalThis.localStorage:null}catch{return null}}function $(){return Array.from(crypto.getRandomValues(new Uint8Array(16)),s=>s.toString(
16).padStart(2,"0")).join("")}function x(s){let e=Object.entries(s).filter(([,t])=>t!==void 0).map(([t,n])=>[t,String(n)]);return e.length?"?"+new URLSearchParams(
e):""}async function z(s){let e=await s.json().catch(()=>{});return e?.title?e:{type:"about:blank",title:s.statusText||`HTTP ${s.status}`,status:s.status}}export{l as ClosedError,f as HTTPError,u as RejectedError,U as Roomring,R as patch};
