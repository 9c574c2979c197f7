/* Roomring SDK. Apache-2.0. Made by "make generate". */
var We={subprotocol:"roomring.v1.json",encode:JSON.stringify,decode:t=>t.split(`
`).filter(e=>e.trim()).map(e=>JSON.parse(e))},He=t=>typeof t=="string"?new TextEncoder().encode(t).length:t.length;var S=class extends Error{constructor(n,r){super(r||n);this.code=n;this.reason=r}code;reason;name="RejectedError"},an={1e3:["left","You have left the room."],1007:[
"refused","What was said could not be read."],4401:["token","Who you are could not be told, or no longer: come with a new token."],4403:["forbidden","This room \
does not let you in."],4404:["not-found","There is no such room."],4406:["reload","This page is older than the server: reload it."],4409:["replaced","You are pl\
aying in another window now."],4410:["over","The game is over."]},_=class extends Error{constructor(n,r,o){let[s,a]=an[n]??[n<4400?"unreachable":"refused","The \
server closed the connection."];super(r||a);this.code=n;this.over=o;this.kind=s,this.reason=this.message}code;over;name="ClosedError";kind;reason},$=class extends Error{constructor(n,r){
super(r.detail||r.title);this.status=n;this.problem=r}status;problem;name="HTTPError"};var ne=Number.MAX_SAFE_INTEGER,Je=31,cn=/(^|[^\\])(\\\\)*\\ud[89a-f]/;function Ke(t,e){if(Number.isInteger(t)&&!Number.isSafeInteger(t))throw new S("bad_action",
"A whole number in the action is beyond ±(2⁵³−1): send it as text.");if(!(typeof t!="object"||t===null)){if(!e)throw new S("bad_action",`Arrays and object\
s of the action are more than ${Je} deep in one another.`);for(let n of Object.values(t))Ke(n,e-1)}}var re=class{constructor(e,n){this.encode=e;this.send=n}encode;send;#e=[];#r=[];#n=1;#i=0;#s={};#a=0;#u=0;#t=0;#o;resent=0;add(e,n){
return new Promise((r,o)=>{n?.throwIfAborted();let s=JSON.stringify(e);if(s===void 0)throw new TypeError("An action is a JSON value; this is none.");let a=JSON.
parse(s);if(cn.test(s))throw new S("bad_text","A text in the action has half a character: cut texts between characters, not in one.");Ke(a,Je);let d=()=>{let p=this.#e.
indexOf(m);p>=0&&this.#e.splice(p,1),m.reject(n.reason)},h=p=>T=>{n?.removeEventListener("abort",d),p(T)},m={data:a,cseq:0,sent:0,here:!1,resolve:h(r),reject:h(
o)};n?.addEventListener("abort",d),this.#e.push(m),this.flush()})}welcomed(e,n){this.#s=n,this.#a=n.rate||ne,this.#u=n.bytes||ne,this.#t=performance.now(),e<this.#i&&
(this.#i=e,this.#r.forEach((o,s)=>o.cseq=e+1+s));for(let o of this.#r)o.here=!1;let r=this.#r.at(-1);this.#n=r?r.cseq+1:e+1,this.flush()}answer(e,n,r){let o=this.#r.
findIndex(a=>a.cseq===e);if(o<0)return;let[s]=this.#r.splice(o,1);this.#i=Math.max(this.#i,e),r?s.reject(r):s.resolve({seq:n}),this.flush()}flush(){clearTimeout(
this.#o);for(let e of this.#r)if(!e.here&&!this.#d(e))return;for(;this.#e.length&&this.#r.length<(this.#s.unanswered??32);){let e=this.#e[0];if(!this.#d(e))return;
this.#e.shift(),e.cseq&&this.#r.push(e)}}fail(e){clearTimeout(this.#o);for(let n of[...this.#r.splice(0),...this.#e.splice(0)])n.reject(e)}#d(e){let n=e.cseq||this.#n,
r=this.encode({t:"act",cseq:n,data:e.data}),o=He(r);return!e.cseq&&o>(this.#s.message??1/0)?(e.reject(new S("too_large",`The action is larger than the ${this.#s.
message} bytes a message may have.`)),!0):!this.#f(o)||!this.send(r)?!1:(this.#a--,this.#u-=o,e.cseq||(e.cseq=this.#n++),e.here=!0,e.sent++&&this.resent++,!0)}#f(e){
let n=this.#s.rate||ne,r=this.#s.bytes||ne,o=Math.min(e,r),s=performance.now(),a=(s-this.#t)/1e3;if(this.#a=Math.min(n,this.#a+a*n),this.#u=Math.min(r,this.#u+a*
r),this.#t=s,this.#a>=1&&this.#u>=o)return!0;let d=Math.max((1-this.#a)/n,(o-this.#u)/r);return this.#o=setTimeout(()=>this.flush(),Math.ceil(d*1e3)),!1}};function oe(t){if(Array.isArray(t))return"["+t.map(oe).join()+"]";if(typeof t!="object"||t===null)return JSON.stringify(t);let e=t;return"{"+Object.keys(e).sort().
map(r=>JSON.stringify(r)+":"+oe(e[r])).join()+"}"}var Qe;function un(){return Uint32Array.from({length:256},(t,e)=>{for(let n=0;n<8;n++)e=e&1?3988292384^e>>>1:e>>>
1;return e})}function Xe(t){Qe??=un();let e=-1;for(let n of new TextEncoder().encode(t))e=Qe[(e^n)&255]^e>>>8;return~e>>>0}var ie=class{#e=new Map;on(e,n,r){if(r?.aborted)return()=>{};let o=(...d)=>n(...d),s=this.#e.get(e);s||this.#e.set(e,s=new Set),s.add(o);let a=()=>{s.delete(o),
r?.removeEventListener("abort",a)};return r?.addEventListener("abort",a),a}emit(e,...n){for(let r of[...this.#e.get(e)??[]])try{r(...n)}catch(o){queueMicrotask(
()=>{throw o})}}},se=class{constructor(e,n){this.max=e;this.cleanup=n}max;cleanup;#e=[];#r=[];#n=!1;push(e){if(this.#n)return;let n=this.#r.shift();if(n)return n(
{value:e,done:!1});this.#e.push(e)>this.max&&this.#e.shift()}end(){if(!this.#n){this.#n=!0;for(let e of this.#r.splice(0))e({value:void 0,done:!0});this.cleanup()}}async next(){
return this.#e.length?{value:this.#e.shift(),done:!1}:this.#n?{value:void 0,done:!0}:new Promise(e=>this.#r.push(e))}async return(){return this.#e.length=0,this.
end(),{value:void 0,done:!0}}[Symbol.asyncIterator](){return this}};var ae=class{constructor(e,n,r,o){this.url=e;this.codec=r;this.owner=o;let s=this.#e=n(e,r.subprotocol);this.#s=setTimeout(()=>this.drop("the server does not an\
swer"),1e4),s.binaryType="arraybuffer",s.onopen=()=>{this.open=!0,o.opened(this)},s.onmessage=a=>this.#f(a.data),s.onclose=a=>this.#c(a.code,a.reason||this.#u),
s.onerror=a=>this.#u=String(a?.message??"")}url;codec;owner;open=!1;welcomedAt;#e;#r=performance.now();#n=1/0;#i=0;#s;#a;#u="";#t=!1;welcomed(e){this.welcomedAt??=
performance.now(),this.#n=e,clearTimeout(this.#s),this.#o()}send(e){this.write(this.codec.encode(e))}write(e){if(this.#t||!this.open)return!1;try{this.#e.send(e)}catch{
return!1}return!0}check(){let e=performance.now();this.welcomedAt!==void 0&&this.#d(),clearTimeout(this.#a),this.#a=setTimeout(()=>this.#r<e&&this.drop("the con\
nection died"),3e3)}drop(e,n=1006){this.#c(n,e),this.#e.terminate?this.#e.terminate():this.#e.close()}close(){this.#m(),this.#e.close(1e3)}#o(){if(performance.now()-
this.#r>2.5*this.#n)return this.drop("the server fell silent");this.#s=setTimeout(()=>this.#o(),this.#n/2),this.#d()}#d(){this.#i=performance.now(),this.send({t:"\
ping",echo:this.#i})}#f(e){this.#r=performance.now(),this.#r-this.#i>this.#n/2&&this.#d();try{for(let n of this.codec.decode(e))this.#t||this.owner.received(this,
n)}catch(n){this.drop(`The server said what cannot be read: ${n.message}`,1007)}}#c(e,n){this.#t||(this.#m(),this.owner.lost(this,e,n))}#m(){this.#t=!0,clearTimeout(
this.#s),clearTimeout(this.#a);let e=this.#e;e.onopen=e.onmessage=e.onclose=null}};var ce=t=>typeof t=="object"&&t!==null&&!Array.isArray(t),ue=(t,e)=>typeof t=="object"&&t!==null&&Object.hasOwn(t,e)?t[e]:void 0,Ze=(t,e,n)=>Object.defineProperty(
t,e,{value:n,configurable:!0,enumerable:!0,writable:!0});function je(t,e){return et(t,e)}function et(t,e){if(!ce(e))return J(t,e);let n=ce(t)?t:void 0,r;for(let o of Object.
keys(e)){let s=n!==void 0&&Object.hasOwn(n,o);if(e[o]===null){s&&delete(r??={...n})[o];continue}let a=ue(n,o),d=et(a,e[o]);(!s||d!==a)&&Ze(r??={...n},o,d)}return r??
n??{}}function J(t,e){if(Array.isArray(e)&&Array.isArray(t)){let n=e.map((r,o)=>J(t[o],r));return n.length===t.length&&n.every((r,o)=>r===t[o])?t:n}if(ce(e)&&ce(
t)){let n=Object.keys(e),r=n.length===Object.keys(t).length,o={};for(let s of n)Ze(o,s,J(ue(t,s),e[s])),r&&=Object.hasOwn(t,s)&&o[s]===t[s];return r?t:o}return e}
function Oe(t,e,n,r,o=[]){if(e===n)return;if(o.length===t.length)return r(n,o);let s=t[o.length],a=s==="*"?new Set([...Ye(e),...Ye(n)]):[s];for(let d of a)Oe(t,
ue(e,d),ue(n,d),r,[...o,d])}var Ye=t=>typeof t=="object"&&t!==null?Object.keys(t):[];var fn=1e4,tt=5e3,ln=3,hn=1024,de=class{id;spectator;game="";player="";seat=-1;view;state="connecting";lag=NaN;clockOffset=0;over;#e;#r;#n=new ie;#i;#s={sockets:0,
recovered:0,states:0,turns:0,checks:0,mismatches:0,lost:0};#a;#u;#t;#o;#d=0;#f;#c=0;#m=0;#x=0;#T=0;#b;#E=!1;#_=0;#y=0;#U=0;#l=!1;#p=!1;#I=0;#A=1/0;#B=!1;#h;#v;ready=new Promise(
(e,n)=>this.#v={resolve:e,reject:n});constructor(e,n){this.#e=e,this.#r=n,this.id=n.id,this.spectator=n.spectator,this.#a=[...n.urls],this.#u=this.#a[0],this.#i=
new re(e.codec.encode,r=>this.#t?.write(r)??!1),this.ready.catch(()=>{}),this.#N("addEventListener"),this.#k()}get stats(){return{...this.#s,resent:this.#i.resent}}roomTime(){
return performance.now()-this.#I}act(e,n){return this.#h?Promise.reject(this.#h):this.spectator?Promise.reject(new S("spectator","Who watches cannot act.")):this.#i.
add(e,n?.signal)}on(e,n,r){return this.#n.on(e,n,r?.signal)}watch(e,n,r){let o=typeof e=="string"?e?e.split("."):[]:e;return this.on("view",(s,a)=>Oe(o,a,s,n),r)}events(e){
return this.#C("event",hn,e?.signal)}views(e){return this.#C("view",1,e?.signal,this.#l?[this.view]:[])}resync(){this.#p=!1,this.#t?.send({t:"resync"})}leave(){
return this.#h||this.spectator?Promise.resolve(this.close()):(this.#B=!0,this.#t?.send({t:"leave"}),new Promise(e=>this.on("closed",()=>e())))}close(){this.#g(new _(
1e3,"This client has closed the connection."))}fail(e){this.#v.reject(e),this.close()}async#k(){let e=++this.#d;clearTimeout(this.#f),this.#f=void 0,this.#o?.close(),
this.#o=void 0;try{let n=await this.#e.token(this.spectator);if(e!==this.#d)return;this.#b=n,this.#T++,this.#o=new ae(this.#u,(r,o)=>this.#e.open(r,o),this.#e.codec,
this)}catch(n){e===this.#d&&this.#P(n)}}#P(e){let n=e instanceof $,r=n&&e.status<500&&e.status!==429;if(!this.#l&&(r||!n))return this.fail(e);if(r)return this.#g(
new _(4401,e.message));if(this.#j())return this.fail(e);this.#u=this.#a[0],this.#O(1006,String(e))}opened(e){let{client:n,spectator:r,name:o,code:s}=this.#r,a={
t:"hello",client:n,attempt:this.#T};this.#b&&(a.token=this.#b),o&&(a.name=o),r&&(a.as="spectator"),s&&(a.code=s),this.#p&&(a.resume={epoch:this.#_,seq:this.#y}),
e.send(a)}lost(e,n,r){if(e===this.#o&&(this.#o=void 0),e===this.#t&&(this.#t=void 0),n===4401&&!this.#E&&this.#e.renew(this.#b,this.#l))return this.#E=!0,this.#l&&
!this.#t&&this.#w("reconnecting",{code:n,reason:r,retryIn:0}),void this.#k();if(n===4409&&this.#o&&e!==this.#o)return;if(n===1e3||n>=4400&&n<4500)return this.#g(
new _(n,r,this.over));if(n===1007&&(this.#p=!1,++this.#x>=ln))return this.#g(new _(n,r,this.over));let o=this.#j();e.open||(this.#a.push(this.#a.shift()),this.#u=
this.#a[0]),(o||!e.open)&&this.#L(n,e,r,o),!o&&(e.welcomedAt!==void 0&&performance.now()-e.welcomedAt>tt&&(this.#c=0),this.#O(n,r))}#j(){return!this.#l&&!this.#t&&
!this.#o&&++this.#m>=this.#r.tries}async#L(e,n,r,o){let{gone:s,reason:a}=await this.#e.ask(this.id);if(s)return this.#g(new _(4404,"",this.over));o&&this.#g(new _(
e,n.open?r||a:`No socket opens at ${n.url}${r&&` (${r})`}. ${a}`))}#O(e,n){if(this.#h)return;let r={code:e,reason:n};this.#o||(r={code:e,reason:n,retryIn:this.#R()}),
!this.#t&&this.#l&&this.#w("reconnecting",r)}#R(){let e=this.#c++,n=e&&Math.random()*Math.min(fn,250*2**e);return this.#d++,clearTimeout(this.#f),this.#f=setTimeout(
()=>{this.#k()},n),n}#S=e=>{e.type==="visibilitychange"&&document.visibilityState==="hidden"||(this.#f!==void 0&&this.#k(),this.#t?.check(),this.#o?.check())};#N(e){
globalThis[e]?.("online",this.#S),globalThis[e]?.("pageshow",this.#S),globalThis.document?.[e]("visibilitychange",this.#S)}received(e,n){switch(n.t){case"welcom\
e":return this.#F(e,n);case"state":return this.#V(n);case"turn":return this.#q(n);case"ack":return this.#i.answer(n.cseq,n.seq);case"reject":return this.#i.answer(
n.cseq,n.seq,new S(n.code,n.reason??""));case"pong":return this.#z(n);case"move":return this.#G(e,n);case"over":return this.#W(n)}}#F(e,n){e===this.#o&&(this.#a.
includes(e.url)&&(this.#a=[e.url]),this.#t?.close(),this.#o=void 0,this.#t=e);let r=n.player??"";this.#T>1&&r!==this.player&&this.#i.fail(new _(4401,"The new to\
ken is another player's.")),this.game=n.game,this.player=r,this.seat=n.seat,this.#_=n.epoch,this.#I=performance.now()-n.now,this.#E=!1,this.#s.sockets++,n.recovered?
this.#s.recovered++:(this.#p=!1,this.#y=0),this.#U=this.#y,this.#e.welcomed(r,n.token),e.welcomed(n.heartbeat),this.#i.welcomed(n.cseq??0,n.limits??{}),this.#B&&
e.send({t:"leave"}),n.recovered&&this.#w("open")}#V(e){this.#s.states++,this.#s.lost+=e.lost??0,this.#p=!1,this.#M(e,this.#l?J(this.view,e.view):e.view),this.#p=
!0,this.#$()}#q(e){if(!(!this.#l||e.seq<=this.#U)){this.#s.turns++,this.#M(e,"patch"in e?je(this.view,e.patch):this.view);for(let n of e.events??[])this.#n.emit(
"event",{...n,seq:e.seq})}}#M(e,n){let r=this.#l?this.view:void 0,o=!this.#l||n!==r;this.#y=Math.max(this.#y,e.seq),this.view=n,this.#l=!0,this.#x=0,e.check!==void 0&&
this.#D(e.check),o&&this.#n.emit("view",n,r)}#D(e){if(Xe(oe(this.view))===e){this.#s.checks++;return}this.#s.mismatches++,this.#p&&this.resync()}#$(){this.#v.resolve(),
this.#t&&this.#w("open")}#z(e){typeof e.echo=="number"&&(this.lag=performance.now()-e.echo,this.#A=Math.min(this.lag,this.#A*1.1),this.lag===this.#A&&(this.clockOffset=
e.time+this.lag/2-Date.now()),this.#n.emit("lag",this.lag))}#G(e,n){e===this.#t&&(n.url&&(this.#u=new URL(n.url,this.#u).href),performance.now()-e.welcomedAt>tt&&
(this.#c=0),this.#n.emit("move",{within:n.within,...n.url&&{url:n.url}}),!this.#o&&!this.#h&&this.#R())}#W(e){let{t:n,...r}=e;this.over=r,this.#n.emit("over",this.
over),this.#t&&this.#$()}#w(e,n){e===this.state&&e!=="reconnecting"||(this.state=e,this.#n.emit("state",e,n))}#g(e){this.#h||(this.#h=e,this.#d++,clearTimeout(this.#f),
this.#N("removeEventListener"),this.#o?.close(),this.#t?.close(),this.#o=this.#t=void 0,this.#i.fail(e),this.#v.reject(e),this.#w("closed",{code:e.code,reason:e.
reason,kind:e.kind}),this.#n.emit("closed",e))}#C(e,n,r,o=[]){let s=[],a=new se(n,()=>s.forEach(h=>h()));o.forEach(h=>a.push(h));let d=()=>a.end();return this.#h||
r?.aborted?d():(r?.addEventListener("abort",d),s.push(this.#n.on(e,h=>a.push(h)),this.on("closed",d),()=>r?.removeEventListener("abort",d))),a}};var fe=class{get codec(){return We}#e;#r;#n;#i;#s;#a;constructor(e={}){let n=e.url??globalThis.location?.origin;if(!n)throw new TypeError('There is no page whos\
e server to ask: pass url, such as new Roomring({ url: "https://play.example.org" }).');this.#e=e,this.#r=new URL(n).href.replace(/\/$/,""),this.#n=e.storage===
void 0?pn():e.storage,e.token||(this.#i=this.#u())}get player(){return this.#a??this.#i?.player}async guest(e={}){let n=e.name??this.#e.name,r=await this.#c("/v\
1/guest",{...e,method:"POST",body:n===void 0?{}:{name:n}});return this.#t(r),r}#u(){try{let e=JSON.parse(this.#n?.getItem(this.#o)??"null");return typeof e?.token==
"string"?e:void 0}catch{return}}#t(e){this.#i=e,this.#a=e?.player;try{e?this.#n?.setItem(this.#o,JSON.stringify(e)):this.#n?.removeItem(this.#o)}catch{}}get#o(){
return"roomring:"+this.#r}async#d(e){let{token:n}=this.#e;return n?typeof n=="function"?n():n:(!this.#i&&e&&(this.#s??=this.guest().finally(()=>this.#s=void 0),
await this.#s),this.#i?.token)}#f(e,n){return this.#e.token?typeof this.#e.token=="function":(this.#i?.token===e&&this.#t(void 0),e!==void 0&&!n)}async#c(e,n={},r=!0){
let o=n.as&&await this.#d(!0),s={};o&&(s.Authorization="Bearer "+o);let a={headers:s};n.method&&(a.method=n.method),n.signal&&(a.signal=n.signal),n.body!==void 0&&
(s["Content-Type"]="application/json",a.body=JSON.stringify(n.body));let d=await(this.#e.fetch??fetch)(this.#r+e,a);if(d.ok)return d.json();if(d.status===401&&r&&
o&&this.#f(o,!1))return this.#c(e,n,!1);throw new $(d.status,await yn(d))}async games(e){return(await this.#c("/v1/games",e)).games}rooms(e={},n){return this.#c(
"/v1/rooms"+Re(e),n)}room(e,n){return this.#c(`/v1/rooms/${encodeURIComponent(e)}`,n)}async findRoom(e,n){let{rooms:r}=await this.#c("/v1/rooms"+Re({code:e}),n);
if(r[0])return r[0];throw new $(404,{type:"about:blank",title:"Not Found",status:404,detail:"There is no room with this code."})}create(e,n){return this.#c("/v1\
/rooms",{...n,method:"POST",body:e,as:"player"})}matchmake(e,n){return this.#c("/v1/matchmake",{...n,method:"POST",body:e,as:"player"})}result(e,n){return this.#c(
`/v1/results/${encodeURIComponent(e)}`,n)}profile(e,n){return this.#c(`/v1/players/${encodeURIComponent(e)}`,n)}async leaderboard(e,n={},r){return(await this.#c(
`/v1/leaderboards/${encodeURIComponent(e)}${Re(n)}`,r)).players}join(e,n={}){return this.#m(e,!1,n)}spectate(e,n={}){return this.#m(e,!0,n)}async#m(e,n,r){r.signal?.
throwIfAborted();let o=this.#e.WebSocket??globalThis.WebSocket;if(!o)throw new TypeError("This runtime has no WebSocket: pass one, such as that of the npm packa\
ge ws: new Roomring({ url, WebSocket }).");let s=typeof e=="string"?{id:e}:e,a={id:s.id,urls:mn(`${this.#r.replace(/^http/,"ws")}/v1/rooms/${encodeURIComponent(
s.id)}/ws`,s.ws_url),tries:this.#e.tries??10,client:this.#e.client??gn(),spectator:n,name:this.#e.name,code:r.code??s.code},d=new de({codec:this.codec,open:(m,p)=>new o(
m,p),token:m=>this.#d(!m),renew:(m,p)=>this.#f(m,p),welcomed:(m,p)=>this.#x(m,p),ask:m=>this.#c(`/v1/rooms/${encodeURIComponent(m)}`).then(()=>({gone:!1,reason:"\
HTTP gets through: look whether each proxy on the way passes WebSocket upgrades on."}),p=>({gone:p.status===404||p.status===400,reason:p.message}))},a),h=()=>d.
fail(r.signal.reason);r.signal?.addEventListener("abort",h);try{await d.ready}finally{r.signal?.removeEventListener("abort",h)}return d}#x(e,n){n&&!this.#e.token&&
this.#t({token:n,player:e,name:this.#e.name??""}),e&&(this.#a=e)}};function mn(t,e=t){let n=new URL(e,t),r=new URL(t);return r.search=n.search,n.host===r.host||
n.protocol==="ws:"&&r.protocol==="wss:"||n.href===r.href?[r.href]:[n.href,r.href]}function pn(){try{return globalThis.document?globalThis.localStorage:null}catch{
return null}}function gn(){return Array.from(crypto.getRandomValues(new Uint8Array(16)),t=>t.toString(16).padStart(2,"0")).join("")}function Re(t){let e=Object.
entries(t).filter(([,n])=>n!==void 0).map(([n,r])=>[n,String(r)]);return e.length?"?"+new URLSearchParams(e):""}async function yn(t){let e=await t.json().catch(
()=>{});return e?.title?e:{type:"about:blank",title:t.statusText||`HTTP ${t.status}`,status:t.status}}var wn=["Object","RegExp","Date","Error","Map","Set","WeakMap","WeakSet","ArrayBuffer","SharedArrayBuffer","DataView","Promise","URL","HTMLElement","Int8Array",
"Uint8ClampedArray","Int16Array","Uint16Array","Int32Array","Uint32Array","Float32Array","Float64Array","BigInt64Array","BigUint64Array","Tagged"];function Ne(t){
if(t===null)return"null";if(t===void 0)return"undefined";if(t===!0||t===!1)return"boolean";let e=typeof t;if(e==="string"||e==="number"||e==="bigint"||e==="symb\
ol")return e;if(e==="function")return"Function";if(Array.isArray(t))return"Array";if(t instanceof Uint8Array)return"Uint8Array";if(t.constructor===Object)return"\
Object";let n=xn(t);return n||"Object"}function xn(t){let e=Object.prototype.toString.call(t).slice(8,-1);if(wn.includes(e))return e}var i=class{constructor(e,n,r){this.major=e,this.majorEncoded=e<<5,this.name=n,this.terminal=r}toString(){return`Type[${this.major}].${this.name}`}compare(e){return this.
major<e.major?-1:this.major>e.major?1:0}static equals(e,n){return e===n||e.major===n.major&&e.name===n.name}};i.uint=new i(0,"uint",!0);i.negint=new i(1,"negint",
!0);i.bytes=new i(2,"bytes",!0);i.string=new i(3,"string",!0);i.array=new i(4,"array",!1);i.map=new i(5,"map",!1);i.tag=new i(6,"tag",!1);i.float=new i(7,"float",
!0);i.false=new i(7,"false",!0);i.true=new i(7,"true",!0);i.null=new i(7,"null",!0);i.undefined=new i(7,"undefined",!0);i.break=new i(7,"break",!0);var u=class{constructor(e,n,r){
this.type=e,this.value=n,this.encodedLength=r,this.encodedBytes=void 0,this.byteValue=void 0}toString(){return`Token[${this.type}].${this.value}`}};var K=globalThis.process&&!globalThis.process.browser&&globalThis.Buffer&&typeof globalThis.Buffer.isBuffer=="function",bn=new TextEncoder;function le(t){return K&&
globalThis.Buffer.isBuffer(t)}function Q(t){return t instanceof Uint8Array?le(t)?new Uint8Array(t.buffer,t.byteOffset,t.byteLength):t:Uint8Array.from(t)}var vn=24,
kn=200,he=K?t=>t.length>=vn?globalThis.Buffer.from(t):nt(t):t=>t.length>=kn?bn.encode(t):nt(t),U=t=>Uint8Array.from(t),rt=K?(t,e,n)=>le(t)?new Uint8Array(t.subarray(
e,n)):t.slice(e,n):(t,e,n)=>t.slice(e,n),ot=K?(t,e)=>(t=t.map(n=>n instanceof Uint8Array?n:globalThis.Buffer.from(n)),Q(globalThis.Buffer.concat(t,e))):(t,e)=>{
let n=new Uint8Array(e),r=0;for(let o of t)r+o.length>n.length&&(o=o.subarray(0,n.length-r)),n.set(o,r),r+=o.length;return n},Me=K?t=>globalThis.Buffer.allocUnsafe(
t):t=>new Uint8Array(t);function V(t,e){if(le(t)&&le(e))return t.compare(e);for(let n=0;n<t.length;n++)if(t[n]!==e[n])return t[n]<e[n]?-1:1;return 0}function nt(t){let e=[],n=0;for(let r=0;r<
t.length;r++){let o=t.charCodeAt(r);o<128?e[n++]=o:o<2048?(e[n++]=o>>6|192,e[n++]=o&63|128):(o&64512)===55296&&r+1<t.length&&(t.charCodeAt(r+1)&64512)===56320?(o=
65536+((o&1023)<<10)+(t.charCodeAt(++r)&1023),e[n++]=o>>18|240,e[n++]=o>>12&63|128,e[n++]=o>>6&63|128,e[n++]=o&63|128):(o>=55296&&o<=57343&&(o=65533),e[n++]=o>>
12|224,e[n++]=o>>6&63|128,e[n++]=o&63|128)}return e}var Tn=256,X=class{constructor(e=Tn){this.chunkSize=e,this.cursor=0,this.maxCursor=-1,this.chunks=[],this._initReuseChunk=null}reset(){this.cursor=0,this.maxCursor=
-1,this.chunks.length&&(this.chunks=[]),this._initReuseChunk!==null&&(this.chunks.push(this._initReuseChunk),this.maxCursor=this._initReuseChunk.length-1)}pushByte(e){
let n=this.chunks[this.chunks.length-1];this.cursor>this.maxCursor&&(n=Me(this.chunkSize),this.chunks.push(n),this.maxCursor+=n.length,this._initReuseChunk===null&&
(this._initReuseChunk=n));let r=n.length-(this.maxCursor-this.cursor)-1;n[r]=e,this.cursor++}push(e){let n=this.chunks[this.chunks.length-1];if(this.cursor+e.length<=
this.maxCursor+1){let o=n.length-(this.maxCursor-this.cursor)-1;n.set(e,o)}else{if(n){let o=n.length-(this.maxCursor-this.cursor)-1;o<n.length&&(this.chunks[this.
chunks.length-1]=n.subarray(0,o),this.maxCursor=this.cursor-1)}e.length<64&&e.length<this.chunkSize?(n=Me(this.chunkSize),this.chunks.push(n),this.maxCursor+=n.
length,this._initReuseChunk===null&&(this._initReuseChunk=n),n.set(e,0)):(this.chunks.push(e),this.maxCursor+=e.length)}this.cursor+=e.length}toBytes(e=!1){let n;
if(this.chunks.length===1){let r=this.chunks[0];e&&this.cursor>r.length/2?(n=this.cursor===r.length?r:r.subarray(0,this.cursor),this._initReuseChunk=null,this.chunks=
[]):n=rt(r,0,this.cursor)}else n=ot(this.chunks,this.cursor);return e&&this.reset(),n}},me=class{constructor(e){this.dest=e,this.cursor=0,this.chunks=[e]}reset(){
this.cursor=0}pushByte(e){if(this.cursor>=this.dest.length)throw new Error("write out of bounds, destination buffer is too small");this.dest[this.cursor++]=e}push(e){
if(this.cursor+e.length>this.dest.length)throw new Error("write out of bounds, destination buffer is too small");this.dest.set(e,this.cursor),this.cursor+=e.length}toBytes(e=!1){
let n=this.dest.subarray(0,this.cursor);return e&&this.reset(),n}};var f="CBOR decode error:",pe="CBOR encode error:",Y=[];Y[23]=1;Y[24]=2;Y[25]=3;Y[26]=5;Y[27]=9;function j(t,e,n){if(t.length-e<n)throw new Error(`${f} not enou\
gh data for type`)}var w=[24,256,65536,4294967296,BigInt("18446744073709551616")];function x(t,e,n){j(t,e,1);let r=t[e];if(n.strict===!0&&r<w[0])throw new Error(`${f} integer enco\
ded in more bytes than necessary (strict decode)`);return r}function b(t,e,n){j(t,e,2);let r=t[e]<<8|t[e+1];if(n.strict===!0&&r<w[1])throw new Error(`${f} integ\
er encoded in more bytes than necessary (strict decode)`);return r}function v(t,e,n){j(t,e,4);let r=t[e]*16777216+(t[e+1]<<16)+(t[e+2]<<8)+t[e+3];if(n.strict===
!0&&r<w[2])throw new Error(`${f} integer encoded in more bytes than necessary (strict decode)`);return r}function k(t,e,n){j(t,e,8);let r=t[e]*16777216+(t[e+1]<<
16)+(t[e+2]<<8)+t[e+3],o=t[e+4]*16777216+(t[e+5]<<16)+(t[e+6]<<8)+t[e+7],s=(BigInt(r)<<BigInt(32))+BigInt(o);if(n.strict===!0&&s<w[3])throw new Error(`${f} inte\
ger encoded in more bytes than necessary (strict decode)`);if(s<=Number.MAX_SAFE_INTEGER)return Number(s);if(n.allowBigInt===!0)return s;throw new Error(`${f} i\
ntegers outside of the safe integer range are not supported`)}function it(t,e,n,r){return new u(i.uint,x(t,e+1,r),2)}function st(t,e,n,r){return new u(i.uint,b(
t,e+1,r),3)}function at(t,e,n,r){return new u(i.uint,v(t,e+1,r),5)}function ct(t,e,n,r){return new u(i.uint,k(t,e+1,r),9)}function I(t,e){return g(t,0,e.value)}
function g(t,e,n){if(n<w[0]){let r=Number(n);t.pushByte(e|r)}else if(n<w[1]){let r=Number(n);t.push([e|24,r])}else if(n<w[2]){let r=Number(n);t.push([e|25,r>>>8,
r&255])}else if(n<w[3]){let r=Number(n);t.push([e|26,r>>>24&255,r>>>16&255,r>>>8&255,r&255])}else{let r=BigInt(n);if(r<w[4]){let o=[e|27,0,0,0,0,0,0,0],s=Number(
r&BigInt(4294967295)),a=Number(r>>BigInt(32)&BigInt(4294967295));o[8]=s&255,s=s>>8,o[7]=s&255,s=s>>8,o[6]=s&255,s=s>>8,o[5]=s&255,o[4]=a&255,a=a>>8,o[3]=a&255,a=
a>>8,o[2]=a&255,a=a>>8,o[1]=a&255,t.push(o)}else throw new Error(`${f} encountered BigInt larger than allowable range`)}}I.encodedSize=function(e){return g.encodedSize(
e.value)};g.encodedSize=function(e){return e<w[0]?1:e<w[1]?2:e<w[2]?3:e<w[3]?5:9};I.compareTokens=function(e,n){return e.value<n.value?-1:e.value>n.value?1:0};function ut(t,e,n,r){return new u(i.negint,-1-x(t,e+1,r),2)}function dt(t,e,n,r){return new u(i.negint,-1-b(t,e+1,r),3)}function ft(t,e,n,r){return new u(i.negint,
-1-v(t,e+1,r),5)}var $e=BigInt(-1),lt=BigInt(1);function ht(t,e,n,r){let o=k(t,e+1,r);if(typeof o!="bigint"){let s=-1-o;if(s>=Number.MIN_SAFE_INTEGER)return new u(
i.negint,s,9)}if(r.allowBigInt!==!0)throw new Error(`${f} integers outside of the safe integer range are not supported`);return new u(i.negint,$e-BigInt(o),9)}function ge(t,e){
let n=e.value,r=typeof n=="bigint"?n*$e-lt:n*-1-1;g(t,e.type.majorEncoded,r)}ge.encodedSize=function(e){let n=e.value,r=typeof n=="bigint"?n*$e-lt:n*-1-1;return r<
w[0]?1:r<w[1]?2:r<w[2]?3:r<w[3]?5:9};ge.compareTokens=function(e,n){return e.value<n.value?1:e.value>n.value?-1:0};function Z(t,e,n,r){j(t,e,n+r);let o=t.slice(e+n,e+n+r);return new u(i.bytes,o,n+r)}function mt(t,e,n,r){return Z(t,e,1,n)}function pt(t,e,n,r){return Z(t,e,2,x(
t,e+1,r))}function gt(t,e,n,r){return Z(t,e,3,b(t,e+1,r))}function yt(t,e,n,r){return Z(t,e,5,v(t,e+1,r))}function wt(t,e,n,r){let o=k(t,e+1,r);if(typeof o=="bi\
gint")throw new Error(`${f} 64-bit integer bytes lengths not supported`);return Z(t,e,9,o)}function ye(t){return t.encodedBytes===void 0&&(t.encodedBytes=i.equals(
t.type,i.string)?he(t.value):t.value),t.encodedBytes}function q(t,e){let n=ye(e);g(t,e.type.majorEncoded,n.length),t.push(n)}q.encodedSize=function(e){let n=ye(
e);return g.encodedSize(n.length)+n.length};q.compareTokens=function(e,n){return An(ye(e),ye(n))};function An(t,e){return t.length<e.length?-1:t.length>e.length?
1:V(t,e)}var xt=new TextDecoder,_n=32;function Un(t,e,n){if(n-e<_n){let o="";for(let s=e;s<n;s++){let a=t[s];if(a&128)return xt.decode(t.subarray(e,n));o+=String.fromCharCode(
a)}return o}return xt.decode(t.subarray(e,n))}function ee(t,e,n,r,o){let s=n+r;j(t,e,s);let a=new u(i.string,Un(t,e+n,e+s),s);return o.retainStringBytes===!0&&(a.
byteValue=t.slice(e+n,e+s)),a}function bt(t,e,n,r){return ee(t,e,1,n,r)}function vt(t,e,n,r){return ee(t,e,2,x(t,e+1,r),r)}function kt(t,e,n,r){return ee(t,e,3,
b(t,e+1,r),r)}function Tt(t,e,n,r){return ee(t,e,5,v(t,e+1,r),r)}function Et(t,e,n,r){let o=k(t,e+1,r);if(typeof o=="bigint")throw new Error(`${f} 64-bit intege\
r string lengths not supported`);return ee(t,e,9,o,r)}var At=q;function D(t,e,n,r){return new u(i.array,r,n)}function St(t,e,n,r){return D(t,e,1,n)}function _t(t,e,n,r){return D(t,e,2,x(t,e+1,r))}function Ut(t,e,n,r){return D(
t,e,3,b(t,e+1,r))}function It(t,e,n,r){return D(t,e,5,v(t,e+1,r))}function Bt(t,e,n,r){let o=k(t,e+1,r);if(typeof o=="bigint")throw new Error(`${f} 64-bit integ\
er array lengths not supported`);return D(t,e,9,o)}function jt(t,e,n,r){if(r.allowIndefinite===!1)throw new Error(`${f} indefinite length items not allowed`);return D(
t,e,1,1/0)}function we(t,e){g(t,i.array.majorEncoded,e.value)}we.compareTokens=I.compareTokens;we.encodedSize=function(e){return g.encodedSize(e.value)};function z(t,e,n,r){return new u(i.map,r,n)}function Ot(t,e,n,r){return z(t,e,1,n)}function Rt(t,e,n,r){return z(t,e,2,x(t,e+1,r))}function Nt(t,e,n,r){return z(
t,e,3,b(t,e+1,r))}function Mt(t,e,n,r){return z(t,e,5,v(t,e+1,r))}function $t(t,e,n,r){let o=k(t,e+1,r);if(typeof o=="bigint")throw new Error(`${f} 64-bit integ\
er map lengths not supported`);return z(t,e,9,o)}function Ct(t,e,n,r){if(r.allowIndefinite===!1)throw new Error(`${f} indefinite length items not allowed`);return z(
t,e,1,1/0)}function xe(t,e){g(t,i.map.majorEncoded,e.value)}xe.compareTokens=I.compareTokens;xe.encodedSize=function(e){return g.encodedSize(e.value)};function Pt(t,e,n,r){return new u(i.tag,n,1)}function Lt(t,e,n,r){return new u(i.tag,x(t,e+1,r),2)}function Ft(t,e,n,r){return new u(i.tag,b(t,e+1,r),3)}function Vt(t,e,n,r){
return new u(i.tag,v(t,e+1,r),5)}function qt(t,e,n,r){return new u(i.tag,k(t,e+1,r),9)}function be(t,e){g(t,i.tag.majorEncoded,e.value)}be.compareTokens=I.compareTokens;
be.encodedSize=function(e){return g.encodedSize(e.value)};var ve=20,ke=21,Te=22,Ee=23;function zt(t,e,n,r){if(r.allowUndefined===!1)throw new Error(`${f} undefined values are not supported`);return r.coerceUndefinedToNull===
!0?new u(i.null,null,1):new u(i.undefined,void 0,1)}function Gt(t,e,n,r){if(r.allowIndefinite===!1)throw new Error(`${f} indefinite length items not allowed`);return new u(
i.break,void 0,1)}function Ce(t,e,n){if(n){if(n.allowNaN===!1&&Number.isNaN(t))throw new Error(`${f} NaN values are not supported`);if(n.allowInfinity===!1&&(t===
1/0||t===-1/0))throw new Error(`${f} Infinity values are not supported`)}return new u(i.float,t,e)}function Wt(t,e,n,r){return Ce(Ae(t,e+1),3,r)}function Ht(t,e,n,r){
return Ce(Se(t,e+1),5,r)}function Jt(t,e,n,r){return Ce(Xt(t,e+1),9,r)}function te(t,e,n){let r=e.value;if(r===!1)t.pushByte(i.float.majorEncoded|ve);else if(r===
!0)t.pushByte(i.float.majorEncoded|ke);else if(r===null)t.pushByte(i.float.majorEncoded|Te);else if(r===void 0)t.pushByte(i.float.majorEncoded|Ee);else{let o,s=!1;
(!n||n.float64!==!0)&&(Pe(r),o=Ae(y,1),r===o||Number.isNaN(r)?(y[0]=249,t.push(y.slice(0,3)),s=!0):(Le(r),o=Se(y,1),r===o&&(y[0]=250,t.push(y.slice(0,5)),s=!0))),
s||(Qt(r),o=Xt(y,1),y[0]=251,t.push(y.slice(0,9)))}}te.encodedSize=function(e,n){let r=e.value;if(r===!1||r===!0||r===null||r===void 0)return 1;if(!n||n.float64!==
!0){Pe(r);let o=Ae(y,1);if(r===o||Number.isNaN(r))return 3;if(Le(r),o=Se(y,1),r===o)return 5}return 9};var Kt=new ArrayBuffer(9),E=new DataView(Kt,1),y=new Uint8Array(
Kt,0);function Pe(t){if(t===1/0)E.setUint16(0,31744,!1);else if(t===-1/0)E.setUint16(0,64512,!1);else if(Number.isNaN(t))E.setUint16(0,32256,!1);else{E.setFloat32(
0,t);let e=E.getUint32(0),n=(e&2139095040)>>23,r=e&8388607;if(n===255)E.setUint16(0,31744,!1);else if(n===0)E.setUint16(0,(e&2147483648)>>16|r>>13,!1);else{let o=n-
127;o<-24?E.setUint16(0,0):o<-14?E.setUint16(0,(e&2147483648)>>16|1<<24+o,!1):E.setUint16(0,(e&2147483648)>>16|o+15<<10|r>>13,!1)}}}function Ae(t,e){if(t.length-
e<2)throw new Error(`${f} not enough data for float16`);let n=(t[e]<<8)+t[e+1];if(n===31744)return 1/0;if(n===64512)return-1/0;if(n===32256)return NaN;let r=n>>
10&31,o=n&1023,s;return r===0?s=o*2**-24:r!==31?s=(o+1024)*2**(r-25):s=o===0?1/0:NaN,n&32768?-s:s}function Le(t){E.setFloat32(0,t,!1)}function Se(t,e){if(t.length-
e<4)throw new Error(`${f} not enough data for float32`);let n=(t.byteOffset||0)+e;return new DataView(t.buffer,n,4).getFloat32(0,!1)}function Qt(t){E.setFloat64(
0,t,!1)}function Xt(t,e){if(t.length-e<8)throw new Error(`${f} not enough data for float64`);let n=(t.byteOffset||0)+e;return new DataView(t.buffer,n,8).getFloat64(
0,!1)}function Rn(t,e){let n=t.value;if(n===!1)return Uint8Array.of(i.float.majorEncoded|ve);if(n===!0)return Uint8Array.of(i.float.majorEncoded|ke);if(n===null)
return Uint8Array.of(i.float.majorEncoded|Te);if(n===void 0)return Uint8Array.of(i.float.majorEncoded|Ee);if(!e){if(Pe(n),n===Ae(y,1)||Number.isNaN(n))return y[0]=
249,y.slice(0,3);if(Le(n),n===Se(y,1))return y[0]=250,y.slice(0,5)}return Qt(n),y[0]=251,y.slice(0,9)}function Dt(t,e){let n=t,r=e?.float64===!0,o=r?n._keyBytesFloat64:
n._keyBytes;if(o!==void 0)return o;let s=Rn(t,r);return r?n._keyBytesFloat64=s:n._keyBytes=s,s}te.compareTokens=function(e,n,r){let o=Dt(e,r),s=Dt(n,r);return o.
length!==s.length?o.length<s.length?-1:1:V(o,s)};function l(t,e,n){throw new Error(`${f} encountered invalid minor (${n}) for major ${t[e]>>>5}`)}function _e(t){return()=>{throw new Error(`${f} ${t}`)}}var c=[];
for(let t=0;t<=23;t++)c[t]=l;c[24]=it;c[25]=st;c[26]=at;c[27]=ct;c[28]=l;c[29]=l;c[30]=l;c[31]=l;for(let t=32;t<=55;t++)c[t]=l;c[56]=ut;c[57]=dt;c[58]=ft;c[59]=
ht;c[60]=l;c[61]=l;c[62]=l;c[63]=l;for(let t=64;t<=87;t++)c[t]=mt;c[88]=pt;c[89]=gt;c[90]=yt;c[91]=wt;c[92]=l;c[93]=l;c[94]=l;c[95]=_e("indefinite length bytes/\
strings are not supported");for(let t=96;t<=119;t++)c[t]=bt;c[120]=vt;c[121]=kt;c[122]=Tt;c[123]=Et;c[124]=l;c[125]=l;c[126]=l;c[127]=_e("indefinite length byte\
s/strings are not supported");for(let t=128;t<=151;t++)c[t]=St;c[152]=_t;c[153]=Ut;c[154]=It;c[155]=Bt;c[156]=l;c[157]=l;c[158]=l;c[159]=jt;for(let t=160;t<=183;t++)
c[t]=Ot;c[184]=Rt;c[185]=Nt;c[186]=Mt;c[187]=$t;c[188]=l;c[189]=l;c[190]=l;c[191]=Ct;for(let t=192;t<=215;t++)c[t]=Pt;c[216]=Lt;c[217]=Ft;c[218]=Vt;c[219]=qt;c[220]=
l;c[221]=l;c[222]=l;c[223]=l;for(let t=224;t<=243;t++)c[t]=_e("simple values are not supported");c[244]=l;c[245]=l;c[246]=l;c[247]=zt;c[248]=_e("simple values a\
re not supported");c[249]=Wt;c[250]=Ht;c[251]=Jt;c[252]=l;c[253]=l;c[254]=l;c[255]=Gt;var A=[];for(let t=0;t<24;t++)A[t]=new u(i.uint,t,1);for(let t=-1;t>=-24;t--)
A[31-t]=new u(i.negint,t,1);A[64]=new u(i.bytes,new Uint8Array(0),1);A[96]=new u(i.string,"",1);A[128]=new u(i.array,0,1);A[160]=new u(i.map,0,1);A[244]=new u(i.
false,!1,1);A[245]=new u(i.true,!0,1);A[246]=new u(i.null,null,1);function Fe(t){switch(t.type){case i.false:return U([244]);case i.true:return U([245]);case i.
null:return U([246]);case i.bytes:return t.value.length?void 0:U([64]);case i.string:return t.value===""?U([96]):void 0;case i.array:return t.value===0?U([128]):
void 0;case i.map:return t.value===0?U([160]):void 0;case i.uint:return t.value<24?U([Number(t.value)]):void 0;case i.negint:if(t.value>=-24)return U([31-Number(
t.value)])}}var Mn={float64:!1,mapSorter:qe,quickEncodeToken:Fe},nn=Object.freeze({mapSorter:Pn,quickEncodeToken:Fe});function $n(){let t=[];return t[i.uint.major]=I,t[i.negint.
major]=ge,t[i.bytes.major]=q,t[i.string.major]=At,t[i.array.major]=we,t[i.map.major]=xe,t[i.tag.major]=be,t[i.float.major]=te,t}var L=$n(),Ue=new X,W=class t{constructor(e,n){
this.obj=e,this.parent=n}includes(e){let n=this;do if(n.obj===e)return!0;while(n=n.parent);return!1}static createCheck(e,n){if(e&&e.includes(n))throw new Error(
`${pe} object contains circular references`);return new t(n,e)}},O={null:new u(i.null,null),undefined:new u(i.undefined,void 0),true:new u(i.true,!0),false:new u(
i.false,!1),emptyArray:new u(i.array,0),emptyMap:new u(i.map,0)},B={number(t,e,n,r){return!Number.isInteger(t)||!Number.isSafeInteger(t)?new u(i.float,t):t>=0?new u(
i.uint,t):new u(i.negint,t)},bigint(t,e,n,r){return t>=BigInt(0)?new u(i.uint,t):new u(i.negint,t)},Uint8Array(t,e,n,r){return new u(i.bytes,t)},string(t,e,n,r){
return new u(i.string,t)},boolean(t,e,n,r){return t?O.true:O.false},null(t,e,n,r){return O.null},undefined(t,e,n,r){return O.undefined},ArrayBuffer(t,e,n,r){return new u(
i.bytes,new Uint8Array(t))},DataView(t,e,n,r){return new u(i.bytes,new Uint8Array(t.buffer,t.byteOffset,t.byteLength))},Array(t,e,n,r){if(!t.length)return n.addBreakTokens===
!0?[O.emptyArray,new u(i.break)]:O.emptyArray;r=W.createCheck(r,t);let o=[],s=0;for(let a of t)o[s++]=P(a,n,r);return n.addBreakTokens?[new u(i.array,t.length),
o,new u(i.break)]:[new u(i.array,t.length),o]},Object(t,e,n,r){let o=e!=="Object",s=o?t.keys():Object.keys(t),a=o?t.size:s.length,d;if(a){d=new Array(a),r=W.createCheck(
r,t);let h=!o&&n.ignoreUndefinedProperties,m=0;for(let p of s){let T=o?t.get(p):t[p];h&&T===void 0||(d[m++]=[P(p,n,r),P(T,n,r)])}m<a&&(d.length=m)}return d?.length?
(Cn(d,n),n.addBreakTokens?[new u(i.map,d.length),d,new u(i.break)]:[new u(i.map,d.length),d]):n.addBreakTokens===!0?[O.emptyMap,new u(i.break)]:O.emptyMap},Tagged(t,e,n,r){
return[new u(i.tag,t.tag),P(t.value,n,r)]}};B.Map=B.Object;B.Buffer=B.Uint8Array;for(let t of"Uint8Clamped Uint16 Uint32 Int8 Int16 Int32 BigUint64 BigInt64 Flo\
at32 Float64".split(" "))B[`${t}Array`]=B.DataView;function P(t,e={},n){let r=Ne(t),o=e&&e.typeEncoders&&e.typeEncoders[r]||B[r];if(typeof o=="function"){let a=o(
t,r,e,n);if(a!=null)return a}let s=B[r];if(!s)throw new Error(`${pe} unsupported type: ${r}`);return s(t,r,e,n)}function Cn(t,e){let n=e.mapSorter;n&&t.sort((r,o)=>n(
r,o,e))}function qe(t,e,n){let r=Array.isArray(t[0])?t[0][0]:t[0],o=Array.isArray(e[0])?e[0][0]:e[0];if(r.type.major!==o.type.major)return r.type.compare(o.type);
let s=r.type.major,a=L[s].compareTokens(r,o,n);return a===0&&console.warn("WARNING: complex key types used, CBOR key sorting guarantees are gone"),a}function Pn(t,e){
if(t[0]instanceof u&&e[0]instanceof u){let n=t[0],r=e[0];return n._keyBytes||(n._keyBytes=Yt(n.value)),r._keyBytes||(r._keyBytes=Yt(r.value)),V(n._keyBytes,r._keyBytes)}
throw new Error("rfc8949MapSorter: complex key types are not supported yet")}function Yt(t){return rn(t,L,nn)}function G(t,e,n,r){if(Array.isArray(e))for(let o of e)
G(t,o,n,r);else n[e.type.major](t,e,r)}var Zt=i.uint.majorEncoded,en=i.negint.majorEncoded,Ln=i.bytes.majorEncoded,Fn=i.string.majorEncoded,tn=i.array.majorEncoded,
Ve=i.map.majorEncoded,Vn=i.float.majorEncoded|ve,qn=i.float.majorEncoded|ke,Dn=i.float.majorEncoded|Te,zn=i.float.majorEncoded|Ee,Gn=BigInt(-1),Wn=BigInt(1);function R(t,e,n){
n<24?t.pushByte(e|Number(n)):g(t,e,n)}function Hn(t){return t.addBreakTokens!==!0}function Jn(t,e,n,r,o){let s=n==="Map",a=s?e.keys():Object.keys(e),d=s?e.size:
a.length;if(!d){t.pushByte(Ve);return}o=W.createCheck(o,e);let h=!s&&r.ignoreUndefinedProperties,m=new Array(d),p=0;for(let T of a){let F=s?e.get(T):e[T];h&&F===
void 0||(m[p++]=[P(T,r,o),F])}if(p===0){t.pushByte(Ve);return}p<d&&(m.length=p),m.sort((T,F)=>qe(T,F,r)),R(t,Ve,p);for(let[T,F]of m)G(t,T,L,r),De(t,F,r,o)}function De(t,e,n,r){
let o=Ne(e),s=n.typeEncoders&&n.typeEncoders[o];if(s){let a=s(e,o,n,r);if(a!=null){G(t,a,L,n);return}}switch(o){case"null":t.pushByte(Dn);return;case"undefined":
t.pushByte(zn);return;case"boolean":t.pushByte(e?qn:Vn);return;case"number":!Number.isInteger(e)||!Number.isSafeInteger(e)?te(t,new u(i.float,e),n):e>=0?R(t,Zt,
e):R(t,en,e*-1-1);return;case"bigint":e>=BigInt(0)?R(t,Zt,e):R(t,en,e*Gn-Wn);return;case"string":{let a=he(e);R(t,Fn,a.length),t.push(a);return}case"Uint8Array":
R(t,Ln,e.length),t.push(e);return;case"Array":if(!e.length){t.pushByte(tn);return}r=W.createCheck(r,e),R(t,tn,e.length);for(let a of e)De(t,a,n,r);return;case"O\
bject":case"Map":if(n.mapSorter===qe)Jn(t,e,o,n,r);else{let a=B.Object(e,o,n,r);G(t,a,L,n)}return;default:{let a=B[o];if(!a)throw new Error(`${pe} unsupported t\
ype: ${o}`);let d=a(e,o,n,r);G(t,d,L,n)}}}function rn(t,e,n,r){let o=r instanceof Uint8Array,s=o?new me(r):Ue,a=P(t,n);if(!Array.isArray(a)&&n.quickEncodeToken){
let d=n.quickEncodeToken(a);if(d)return o?(s.push(d),s.toBytes()):d;let h=e[a.type.major];if(h.encodedSize){let m=h.encodedSize(a,n);if(o||(s=new X(m)),h(s,a,n),
s.chunks.length!==1)throw new Error(`Unexpected error: pre-calculated length for ${a} was wrong`);return o?s.toBytes():Q(s.chunks[0])}}return s.reset(),G(s,a,e,
n),s.toBytes(!0)}function ze(t,e){return e=Object.assign({},Mn,e),Hn(e)?(Ue.reset(),De(Ue,t,e,void 0),Ue.toBytes(!0)):rn(t,L,e)}var Kn={strict:!1,allowIndefinite:!0,allowUndefined:!0,allowBigInt:!0},Ie=class{constructor(e,n={}){this._pos=0,this.data=e,this.options=n}pos(){return this._pos}done(){
return this._pos>=this.data.length}next(){let e=this.data[this._pos],n=A[e];if(n===void 0){let r=c[e];if(!r)throw new Error(`${f} no decoder for major type ${e>>>
5} (byte 0x${e.toString(16).padStart(2,"0")})`);let o=e&31;n=r(this.data,this._pos,o,this.options)}return this._pos+=n.encodedLength,n}},N=Symbol.for("DONE"),H=Symbol.
for("BREAK");function Qn(t,e,n){let r=[];for(let o=0;o<t.value;o++){let s=M(e,n);if(s===H){if(t.value===1/0)break;throw new Error(`${f} got unexpected break to \
lengthed array`)}if(s===N)throw new Error(`${f} found array but not enough entries (got ${o}, expected ${t.value})`);r[o]=s}return r}function Xn(t,e,n){let r=n.
useMaps===!0,o=n.rejectDuplicateMapKeys===!0,s=r?void 0:{},a=r?new Map:void 0;for(let d=0;d<t.value;d++){let h=M(e,n);if(h===H){if(t.value===1/0)break;throw new Error(
`${f} got unexpected break to lengthed map`)}if(h===N)throw new Error(`${f} found map but not enough entries (got ${d} [no key], expected ${t.value})`);if(!r&&typeof h!=
"string")throw new Error(`${f} non-string keys not supported (got ${typeof h})`);if(o&&(r&&a.has(h)||!r&&Object.hasOwn(s,h)))throw new Error(`${f} found repeat \
map key "${h}"`);let m=M(e,n);if(m===N)throw new Error(`${f} found map but not enough entries (got ${d} [no value], expected ${t.value})`);r?a.set(h,m):h==="__p\
roto__"?Object.defineProperty(s,h,{value:m,configurable:!0,enumerable:!0,writable:!0}):s[h]=m}return r?a:s}function*Yn(t,e,n){for(let r=0;r<t.value;r++){let o=M(
e,n);if(o===H){if(t.value===1/0)break;throw new Error(`${f} got unexpected break to lengthed map`)}if(o===N)throw new Error(`${f} found map but not enough entri\
es (got ${r} [no key], expected ${t.value})`);let s=M(e,n);if(s===N)throw new Error(`${f} found map but not enough entries (got ${r} [no value], expected ${t.value}\
)`);yield[o,s]}}function Zn(t,e){let n=function(){if(n._called)throw new Error(`${f} tag decode() may only be called once`);n._called=!0;let r=M(t,e);if(r===N)throw new Error(
`${f} tag content missing`);if(r===H)throw new Error(`${f} got unexpected break in tag content`);return r};return n.entries=function(){if(n._called)throw new Error(
`${f} tag decode() may only be called once`);n._called=!0;let r=t.next();if(!i.equals(r.type,i.map))throw new Error(`${f} entries() requires map content, got ${r.
type.name}`);let o=[];for(let s of Yn(r,t,e))o.push(s);return o},n._called=!1,n}function M(t,e){if(t.done())return N;let n=t.next();if(i.equals(n.type,i.break))
return H;if(n.type.terminal)return n.value;if(i.equals(n.type,i.array))return Qn(n,t,e);if(i.equals(n.type,i.map))return Xn(n,t,e);if(i.equals(n.type,i.tag)){if(e.
tags&&typeof e.tags[n.value]=="function"){let r=Zn(t,e),o=e.tags[n.value](r);if(!r._called)throw new Error(`${f} tag decoder must call decode() or entries()`);return o}
throw new Error(`${f} tag not supported (${n.value})`)}throw new Error("unsupported")}function Ge(t,e){if(!(t instanceof Uint8Array))throw new Error(`${f} data \
to decode must be a Uint8Array`);e=Object.assign({},Kn,e);let n=Q(t),r=e.tokenizer||new Ie(n,e),o=M(r,e);if(o===N)throw new Error(`${f} did not find any content\
 to decode`);if(o===H)throw new Error(`${f} got unexpected break`);return[o,t.subarray(r.pos())]}var Be=class t{constructor(e,n){if(typeof e!="number"||!Number.isInteger(e)||e<0)throw new TypeError("Tagged: tag must be a non-negative integer");this.tag=e,this.
value=n}static decoder(e){return n=>new t(e,n())}static preserve(...e){let n={};for(let r of e)n[r]=t.decoder(r);return n}};Object.defineProperty(Be.prototype,Symbol.
toStringTag,{value:"Tagged"});var on={subprotocol:"roomring.v1.cbor",encode:t=>ze(t),decode(t){let e=[];for(let n=new Uint8Array(t);n.length>0;){let[r,o]=Ge(n,{allowBigInt:!1});e.push(r),n=o}
return e}};var sn=class extends fe{get codec(){return on}};export{_ as ClosedError,$ as HTTPError,S as RejectedError,sn as Roomring,je as patch};
