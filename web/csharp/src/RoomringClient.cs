using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>
    /// A Roomring server, seen by one player. Every call that asks the server throws HttpException when the server refuses, and
    /// HttpRequestException or TaskCanceledException when it cannot be reached.
    /// </summary>
    public sealed class RoomringClient
    {
        private static readonly HttpClient http = new HttpClient { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

        private readonly object gate = new object();
        private readonly string origin;
        private readonly string name;
        private readonly Func<Task<string>> source; // of tokens; null: a guest
        private readonly bool fixedToken;
        private Guest guest;
        private Task<Guest> becoming;

        public Options Options { get; private set; }

        /// <summary>The player's id, once it is known.</summary>
        public string Player { get; private set; }

        /// <summary>Plays as the player that a token names, or without one as a guest, from the first call that needs a player.</summary>
        /// <param name="url">The server's address, which may have a path.</param>
        /// <param name="name">What to call a guest.</param>
        public RoomringClient(string url, string name = null, string token = null, Options options = null)
            : this(url, name, token == null ? (Func<Task<string>>)null : () => Task.FromResult(token), options)
        {
            fixedToken = token != null;
        }

        /// <param name="token">Is called before each socket, and once more when the server refuses its token.</param>
        public RoomringClient(string url, string name, Func<Task<string>> token, Options options = null)
        {
            Uri to;
            if (!Uri.TryCreate(url, UriKind.Absolute, out to) || !to.Scheme.StartsWith("http"))
                throw new ArgumentException("Give the server's address, such as \"https://play.example.org\".", "url");
            origin = to.GetLeftPart(UriPartial.Path).TrimEnd('/');
            this.name = name;
            source = token;
            Options = options ?? new Options();
        }

        /// <summary>Becomes a new guest, who plays from then on.</summary>
        public async Task<Guest> Guest(string called = null)
        {
            called = called ?? name;
            var body = new JObject();
            if (called != null) body["name"] = called;
            var made = (await Ask("/v1/guest", body, null).ConfigureAwait(false)).ToObject<Guest>();
            lock (gate)
            {
                guest = made;
                Player = made.Player;
            }
            return made;
        }

        /// <summary>Makes a room. Options are the game's: any object that Newtonsoft.Json writes.</summary>
        public Task<RoomInfo> Create(string game, object options = null, bool isPrivate = false)
        {
            var body = Body(game, options);
            if (isPrivate) body["private"] = true;
            return Make("/v1/rooms", body);
        }

        /// <summary>A room in which a seat is held for 15 s: join it. Asking again with the same ticket gets the same room.</summary>
        public Task<RoomInfo> Matchmake(string game, object options = null, string ticket = null)
        {
            var body = Body(game, options);
            body["ticket"] = ticket ?? NewId();
            return Make("/v1/matchmake", body);
        }

        public async Task<RoomInfo> Room(string id)
        {
            return new RoomInfo((JObject)await Ask("/v1/rooms/" + Uri.EscapeDataString(id), null, null).ConfigureAwait(false));
        }

        /// <summary>How a room ended: its status is "pending" until that is stored.</summary>
        public async Task<JObject> Result(string room)
        {
            return (JObject)await Ask("/v1/results/" + Uri.EscapeDataString(room), null, await TokenFor(false).ConfigureAwait(false)).ConfigureAwait(false);
        }

        /// <summary>
        /// Takes a seat, or comes back to it; the task ends with the first view. It throws ClosedException when the room does not
        /// let this player in or cannot be reached in Options.Tries. Client is the id of this run of the program, 1 to 128
        /// bytes; by default each join draws its own. Listen is called at once: handlers that it adds miss nothing.
        /// </summary>
        public Task<Room> Join(RoomInfo room, string code = null, string client = null, Action<Room> listen = null)
        {
            return Enter(room, false, code, client, listen);
        }

        public Task<Room> Join(string room, string code = null, string client = null) { return Join(new RoomInfo(room), code, client); }

        /// <summary>Joins by the classes of a game.</summary>
        public async Task<Room<TView, TAction>> Join<TView, TAction>(
            RoomInfo room, string code = null, string client = null, Action<Room<TView, TAction>> listen = null)
        {
            Room<TView, TAction> typed = null;
            await Join(room, code, client, entered =>
            {
                typed = new Room<TView, TAction>(entered);
                if (listen != null) listen(typed);
            }).ConfigureAwait(false);
            return typed;
        }

        /// <summary>Watches, as Join.</summary>
        public Task<Room> Spectate(RoomInfo room, string code = null, string client = null, Action<Room> listen = null)
        {
            return Enter(room, true, code, client, listen);
        }

        private Task<Room> Enter(RoomInfo info, bool spectator, string code, string client, Action<Room> listen)
        {
            var target = new Target
            {
                Id = info.Id, Urls = Addresses("ws" + origin.Substring(4) + "/v1/rooms/" + Uri.EscapeDataString(info.Id) + "/ws", info.Url),
                Client = client ?? NewId(), Spectator = spectator, Name = name, Code = code ?? info.Code,
            };
            var room = new Room(this, target);
            if (listen != null) listen(room);
            return room.Enter();
        }

        /// <summary>
        /// Where a room's socket may be, the likeliest first. Own is beneath the address by which HTTP reaches the server; given is
        /// the server's, who may not know that a proxy cut off a part of the path, speaks TLS for it or names it otherwise. Only
        /// what is said of another host may be right where it differs. Nothing leaves TLS.
        /// </summary>
        private static List<string> Addresses(string own, string given)
        {
            var to = new Uri(given ?? own);
            var mine = new UriBuilder(own) { Query = to.Query.TrimStart('?') }.Uri; // leads balancers to the room's node
            if (to.Authority == mine.Authority || (to.Scheme == "ws" && mine.Scheme == "wss")) return new List<string> { mine.AbsoluteUri };
            return new List<string> { to.AbsoluteUri, mine.AbsoluteUri };
        }

        // Who plays.

        internal async Task<string> TokenFor(bool required)
        {
            if (source != null) return await source().ConfigureAwait(false);
            Task<Guest> wait;
            lock (gate)
            {
                if (guest != null || !required) return guest == null ? null : guest.Token;
                if (becoming == null || becoming.IsCompleted) becoming = Guest(); // shared by all who ask meanwhile
                wait = becoming;
            }
            return (await wait.ConfigureAwait(false)).Token;
        }

        /// <summary>Forgets a token that was refused; reports whether there is another one, for the same player or for anybody.</summary>
        internal bool Renew(string refused, bool same)
        {
            if (source != null) return !fixedToken;
            lock (gate)
            {
                if (guest != null && guest.Token == refused) guest = null;
            }
            return refused != null && !same; // another guest is another player
        }

        internal void Welcomed(string player, string token)
        {
            lock (gate)
            {
                if (token != null && source == null) guest = new Guest { Token = token, Player = player, Name = name ?? "" };
                if (player != "") Player = player;
            }
        }

        // HTTP.

        private static JObject Body(string game, object options)
        {
            var body = new JObject { ["game"] = game };
            if (options != null) body["options"] = options as JToken ?? JToken.FromObject(options);
            return body;
        }

        private async Task<RoomInfo> Make(string path, JObject body)
        {
            for (var again = false; ; again = true)
            {
                var token = await TokenFor(true).ConfigureAwait(false);
                try { return new RoomInfo((JObject)await Ask(path, body, token).ConfigureAwait(false)); }
                catch (HttpException err) when (!again && err.Status == 401 && Renew(token, false)) { }
            }
        }

        private async Task<JToken> Ask(string path, JObject body, string token)
        {
            using (var request = new HttpRequestMessage(body == null ? HttpMethod.Get : HttpMethod.Post, origin + path))
            using (var late = new System.Threading.CancellationTokenSource(Options.HttpTimeout))
            {
                if (body != null) request.Content = new StringContent(body.ToString(Formatting.None), Encoding.UTF8, "application/json");
                if (token != null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
                using (var answer = await http.SendAsync(request, late.Token).ConfigureAwait(false))
                {
                    var text = await answer.Content.ReadAsStringAsync().ConfigureAwait(false);
                    if (!answer.IsSuccessStatusCode) throw new HttpException((int)answer.StatusCode, Problem(text));
                    try { return Values.Read(text); }
                    catch (JsonException) { throw new HttpRequestException(origin + path + " answers with what is not JSON: is it the address of a Roomring server?"); }
                }
            }
        }

        private static JObject Problem(string text)
        {
            try { return Values.Read(text) as JObject ?? new JObject(); }
            catch (JsonException) { return new JObject(); }
        }

        private static string NewId()
        {
            var bytes = new byte[16];
            using (var random = RandomNumberGenerator.Create()) random.GetBytes(bytes);
            return string.Concat(bytes.Select(b => b.ToString("x2")));
        }
    }
}
