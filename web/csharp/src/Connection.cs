using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>What to connect to, and as what. Urls is where the room's socket may be, the likeliest first.</summary>
    internal sealed class Target
    {
        public string Id, Client, Name, Code;
        public List<string> Urls;
        public bool Spectator;
    }

    /// <summary>What a connection connects. All is called under its lock.</summary>
    internal interface IConnected
    {
        /// <summary>There is a view, so that the connection goes on for as long as it takes.</summary>
        bool Seen { get; }

        /// <summary>The point to resume from, or null.</summary>
        JObject Resume { get; }

        void Received(JObject message);
        void Reconnecting(int code, string reason, TimeSpan? retryIn);

        /// <summary>The view may not be resumed from.</summary>
        void Unsound();

        void Ended(Exception why);
    }

    /// <summary>
    /// Connection keeps one client connected to one room (docs/PROTOCOL.md, section 7), until something ends it for good. The
    /// room's lock guards it.
    /// </summary>
    internal sealed class Connection : ILinkOwner
    {
        private const double MaxDelay = 10, FirstDelay = 0.25; // seconds
        private const double Young = 5; // seconds: a socket that was lost sooner after its welcome than this counts as a failure
        private const int MaxUnread = 3; // sockets in a row that ended in what cannot be read

        public Link Link { get; private set; } // welcomed
        public int Attempt { get; private set; }

        private readonly object gate;
        private readonly RoomringClient host;
        private readonly Target target;
        private readonly IConnected owner;
        private readonly List<string> urls; // the one whose turn it is first; only that one once it has led to the room
        private readonly Random random = new Random(Guid.NewGuid().GetHashCode());
        private string url; // where the next socket goes
        private Link next; // opening
        private int tries; // of Connect, so that one overtaken stops
        private int losses; // in a row
        private int failed; // sockets before the first view
        private int unread; // sockets since the last view that could be read
        private string token; // of the newest socket
        private bool renewed; // since the last welcome
        private bool closed;

        public Connection(object gate, RoomringClient host, Target target, IConnected owner)
        {
            this.gate = gate;
            this.host = host;
            this.target = target;
            this.owner = owner;
            urls = new List<string>(target.Urls);
            url = urls[0];
        }

        public bool Write(string text) { return Link != null && Link.Write(text); }

        public void Send(JObject message) { if (Link != null) Link.Send(message); }

        /// <summary>Hears that a view was read.</summary>
        public void Readable() { unread = 0; }

        /// <summary>Closes all sockets. Nothing follows.</summary>
        public void End()
        {
            closed = true;
            tries++;
            if (next != null) next.Close();
            if (Link != null) Link.Close();
            next = Link = null;
        }

        // Connecting.

        public void Schedule(TimeSpan delay)
        {
            var mine = ++tries;
            Task.Run(() => Connect(mine, delay));
        }

        private async Task Connect(int mine, TimeSpan delay)
        {
            await Task.Delay(delay).ConfigureAwait(false);
            string given = null;
            Exception failure = null;
            try { given = await host.TokenFor(!target.Spectator).ConfigureAwait(false); }
            catch (Exception err) { failure = err; } // a program's own function may throw anything
            lock (gate)
            {
                if (mine != tries) return;
                if (next != null) next.Close();
                next = null;
                if (failure != null)
                {
                    Hindered(failure);
                    return;
                }
                token = given;
                next = new Link(gate, url, ++Attempt, this, host.Options.MaxMessage);
            }
        }

        /// <summary>Decides whether a socket may be had later: there was no token.</summary>
        private void Hindered(Exception err)
        {
            var http = err as HttpException;
            var refused = http != null && http.Status < 500 && http.Status != 429;
            if (!owner.Seen && (refused || http == null)) owner.Ended(err);
            else if (refused) owner.Ended(new ClosedException(4401, err.Message));
            else if (Hopeless()) owner.Ended(err);
            else
            {
                url = urls[0];
                Retry(1006, err.Message);
            }
        }

        void ILinkOwner.Opened(Link link)
        {
            var hello = new JObject { ["t"] = "hello", ["client"] = target.Client, ["attempt"] = link.Attempt };
            if (token != null) hello["token"] = token;
            if (target.Name != null) hello["name"] = target.Name;
            if (target.Spectator) hello["as"] = "spectator";
            if (target.Code != null) hello["code"] = target.Code;
            if (owner.Resume != null) hello["resume"] = owner.Resume;
            link.Send(hello);
        }

        void ILinkOwner.Received(Link link, JObject m)
        {
            switch ((string)m["t"])
            {
                case "welcome": Welcome(link, m); break;
                case "move": Move(link, m); break;
                default: owner.Received(m); break;
            }
        }

        private void Welcome(Link link, JObject m)
        {
            if (link == next)
            {
                if (urls.Contains(link.Url)) urls.RemoveAll(other => other != link.Url);
                if (Link != null) Link.Close();
                next = null;
                Link = link;
            }
            renewed = false;
            host.Welcomed((string)m["player"] ?? "", (string)m["token"]);
            link.Welcomed((double)m["heartbeat"]);
            owner.Received(m);
        }

        private void Move(Link link, JObject m)
        {
            if (link != Link) return;
            if (m["url"] != null) url = new Uri(new Uri(url), (string)m["url"]).AbsoluteUri;
            if (Lived(link)) losses = 0;
            if (next == null && !closed) Schedule(Delay());
        }

        // Losing.

        void ILinkOwner.Lost(Link link, int code, string reason)
        {
            if (link == next) next = null;
            if (link == Link) Link = null;
            if (Renew(code, reason)) return;
            if (code == 4409 && next != null) return; // by that one, whose welcome is on its way
            if (code == 1000 || (code >= 4400 && code < 4500))
            {
                owner.Ended(new ClosedException(code, reason));
                return;
            }
            if (code == ClosedException.Unreadable)
            {
                owner.Unsound(); // the whole view may be free of it
                if (++unread >= MaxUnread)
                {
                    owner.Ended(new ClosedException(code, reason));
                    return;
                }
            }
            Again(link, code, reason);
        }

        /// <summary>Connects with another token, once, if that of the last socket was refused and there is one.</summary>
        private bool Renew(int code, string reason)
        {
            if (code != 4401 || renewed || !host.Renew(token, owner.Seen)) return false;
            renewed = true;
            if (owner.Seen && Link == null) owner.Reconnecting(code, reason, TimeSpan.Zero);
            Schedule(TimeSpan.Zero);
            return true;
        }

        private void Again(Link link, int code, string reason)
        {
            var hopeless = Hopeless();
            if (!link.Open)
            {
                urls.Add(urls[0]);
                urls.RemoveAt(0);
                url = urls[0]; // where a move led may be gone again
            }
            if (hopeless || !link.Open) Task.Run(() => AskWhy(code, link, reason, hopeless));
            if (hopeless) return;
            if (Lived(link)) losses = 0;
            Retry(code, reason);
        }

        private static bool Lived(Link link) { return Clock.Seconds - (link.WelcomedAt ?? Clock.Seconds) > Young; }

        /// <summary>Counts a failure before the first view, and reports whether there were as many as a join may have.</summary>
        private bool Hopeless()
        {
            return !owner.Seen && Link == null && next == null && ++failed >= host.Options.Tries;
        }

        /// <summary>Finds out whether a socket was refused because there is no such room. It ends a hopeless join.</summary>
        private async Task AskWhy(int code, Link link, string reason, bool hopeless)
        {
            var gone = false;
            var told = "HTTP gets through: look whether each proxy on the way passes WebSocket upgrades on.";
            try { await host.Room(target.Id).ConfigureAwait(false); }
            catch (Exception err)
            {
                var http = err as HttpException;
                gone = http != null && (http.Status == 404 || http.Status == 400); // 400: no room can have that id
                told = err.Message;
            }
            lock (gate)
            {
                if (gone) owner.Ended(new ClosedException(4404));
                else if (hopeless && link.Open) owner.Ended(new ClosedException(code, string.IsNullOrEmpty(reason) ? told : reason));
                else if (hopeless) owner.Ended(new ClosedException(code, "No socket opens at " + link.Url + " (" + reason + "). " + told));
            }
        }

        /// <summary>Connects, at once after a first loss and then with full jitter, unless a socket is on its way.</summary>
        private void Retry(int code, string reason)
        {
            if (closed) return;
            TimeSpan? delay = null;
            if (next == null)
            {
                delay = Delay();
                Schedule(delay.Value);
            }
            if (Link == null && owner.Seen) owner.Reconnecting(code, reason, delay);
        }

        private TimeSpan Delay()
        {
            var n = losses++;
            if (n == 0) return TimeSpan.Zero;
            return TimeSpan.FromSeconds(random.NextDouble() * Math.Min(MaxDelay, FirstDelay * Math.Pow(2, n)));
        }
    }
}
