using System;
using System.Threading.Tasks;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>
    /// Room is one player's or spectator's place in one room. It comes back by itself after every loss of its socket. All of it
    /// may be used from any thread; events come one at a time, on the synchronization context that joined if there was one.
    /// </summary>
    public sealed class Room : IConnected
    {
        public string Id { get { return target.Id; } }
        public bool Spectator { get { return target.Spectator; } }
        public string Game { get; private set; }

        /// <summary>Empty for a spectator without a token.</summary>
        public string Player { get; private set; }

        /// <summary>−1 for a spectator.</summary>
        public int Seat { get; private set; }

        /// <summary>What may be seen: a new value after each change. Never change it.</summary>
        public JToken View { get; private set; }
        public ConnectionState State { get; private set; }

        /// <summary>The last round trip in milliseconds; NaN before the first.</summary>
        public double Lag { get; private set; }
        public Over Over { get; private set; }

        /// <summary>Why it is closed for good, once it is.</summary>
        public ClosedException Closed { get; private set; }
        public Stats Stats { get { lock (gate) { stats.Resent = acts.Resent; return stats; } } }

        /// <summary>The milliseconds of room time, running: what times in a view count on.</summary>
        public double RoomTime { get { lock (gate) return (Clock.Seconds - began) * 1000; } }

        /// <summary>The view has changed. A slow handler gets only the newest.</summary>
        public event Action<JToken> ViewChanged;

        /// <summary>Something happened. Of more than 1024 that wait for a handler the oldest are missed.</summary>
        public event Action<GameEvent> Happened;
        public event Action<Status> StateChanged;

        private readonly object gate = new object();
        private readonly Target target;
        private readonly Acts acts;
        private readonly Connection connection;
        private readonly Deliveries deliveries = new Deliveries();
        private readonly Stats stats = new Stats();
        private readonly TaskCompletionSource<Room> ready = new TaskCompletionSource<Room>(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<ClosedException> ended = new TaskCompletionSource<ClosedException>(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<Over> over = new TaskCompletionSource<Over>(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool seen; // there is a view
        private bool sound; // and it may be resumed from
        private long epoch; // the last one told
        private long seq; // of the last state or turn
        private long floor; // turns up to here came by an older socket
        private double began; // when room time was 0
        private bool leaving, viewWaits;

        internal Room(RoomringClient host, Target target)
        {
            this.target = target;
            Game = Player = "";
            Seat = -1;
            Lag = double.NaN;
            acts = new Acts(gate, text => connection.Write(text), host.Options.MaxWaiting);
            connection = new Connection(gate, host, target, this);
        }

        /// <summary>Connects; the task ends with the first view, or what prevents it.</summary>
        internal Task<Room> Enter()
        {
            lock (gate) if (Closed == null) connection.Schedule(TimeSpan.Zero);
            return ready.Task;
        }

        /// <summary>Why the room is closed for good, when it is.</summary>
        public Task<ClosedException> WhenClosed { get { return ended.Task; } }

        /// <summary>How the game ends, when it does. It throws ClosedException when the room is closed before.</summary>
        public Task<Over> WhenOver { get { return over.Task; } }

        /// <summary>
        /// The view at this moment or the first later one that is as wanted. It throws ClosedException when the room is closed before.
        /// </summary>
        public Task<JToken> Until(Func<JToken, bool> wanted)
        {
            var found = new TaskCompletionSource<JToken>(TaskCreationOptions.RunContinuationsAsynchronously);
            Action look = null;
            Action<JToken> viewed = _ => look();
            Action<Status> changed = _ => look();
            look = () =>
            {
                var view = View;
                if (view != null && wanted(view)) found.TrySetResult(view);
                else if (Closed != null) found.TrySetException(Closed);
                else return;
                ViewChanged -= viewed;
                StateChanged -= changed;
            };
            ViewChanged += viewed;
            StateChanged += changed;
            look();
            return found.Task;
        }

        /// <summary>
        /// Does something in the game, exactly once whatever happens to the network, and returns the seq of its effect. It throws
        /// RejectedException when the game refuses, and ClosedException when the room is closed before an answer. Up to 32 actions
        /// are under way; more wait.
        /// </summary>
        public Task<long> Act(object action)
        {
            try
            {
                var data = Values.Said(action);
                lock (gate)
                {
                    if (Closed != null) throw Closed;
                    if (Spectator) throw new RejectedException("spectator", "Who watches cannot act.");
                    return acts.Add(data);
                }
            }
            catch (RoomringException err)
            {
                return Task.FromException<long>(err);
            }
        }

        /// <summary>Asks for the whole view. There is seldom need: a view that is wrong by its checksum is asked for anew.</summary>
        public void Resync()
        {
            lock (gate)
            {
                sound = false;
                connection.Send(new JObject { ["t"] = "resync" });
            }
        }

        /// <summary>Gives up the seat. The task ends when that is done.</summary>
        public Task Leave()
        {
            if (Spectator) Close();
            lock (gate)
            {
                leaving = true;
                connection.Send(new JObject { ["t"] = "leave" });
            }
            return ended.Task;
        }

        /// <summary>Ends the connection and keeps the seat for as long as the game does.</summary>
        public void Close()
        {
            lock (gate) ((IConnected)this).Ended(new ClosedException(1000, "This client has closed the connection."));
        }

        // What the connection calls, under the lock.

        bool IConnected.Seen { get { return seen; } }

        JObject IConnected.Resume { get { return sound ? new JObject { ["epoch"] = epoch, ["seq"] = seq } : null; } }

        void IConnected.Unsound() { sound = false; }

        void IConnected.Reconnecting(int code, string reason, TimeSpan? retryIn)
        {
            Become(new Status { State = ConnectionState.Reconnecting, Code = code, Reason = reason, RetryIn = retryIn });
        }

        void IConnected.Ended(Exception why)
        {
            if (Closed != null) return;
            Closed = why as ClosedException ?? new ClosedException(1006, why.Message);
            Closed.Over = Over;
            connection.End();
            acts.End(Closed);
            ready.TrySetException(why);
            over.TrySetException(Closed);
            Become(new Status { State = ConnectionState.Closed, Code = Closed.Code, Reason = Closed.Reason });
            ended.TrySetResult(Closed);
        }

        void IConnected.Received(JObject m)
        {
            switch ((string)m["t"])
            {
                case null: throw new FormatException("a message has no type");
                case "welcome": TakeWelcome(m); break;
                case "state": TakeState(m); break;
                case "turn": TakeTurn(m); break;
                // An ack can be ahead of turns that a slow reader is spared, so it says nothing about what the view shows.
                case "ack": acts.Answer((long)m["cseq"], (long)m["seq"]); break;
                case "reject": acts.Answer((long)m["cseq"], (long)m["seq"], new RejectedException((string)m["code"], (string)m["reason"] ?? "")); break;
                case "pong": TakePong(m); break;
                case "over": TakeOver(m); break;
            }
        }

        private void TakeWelcome(JObject m)
        {
            var player = (string)m["player"] ?? "";
            if (connection.Attempt > 1 && player != Player) acts.Fail(new ClosedException(4401, "The new token is another player's."));
            Game = (string)m["game"];
            Player = player;
            Seat = (int)m["seat"];
            epoch = (long)m["epoch"];
            began = Clock.Seconds - (double)m["now"] / 1000;
            var recovered = (bool?)m["recovered"] ?? false;
            stats.Sockets++;
            if (recovered) stats.Recovered++;
            else
            {
                sound = false;
                seq = 0;
            }
            floor = seq;
            acts.Welcomed((long?)m["cseq"] ?? 0, (JObject)m["limits"] ?? new JObject());
            if (leaving) connection.Send(new JObject { ["t"] = "leave" });
            if (recovered) Become(new Status { State = ConnectionState.Open }); // else the whole view comes first
        }

        private void TakeState(JObject m)
        {
            var view = m["view"];
            if (view == null) throw new FormatException("a state has no view");
            stats.States++;
            stats.Lost += (long?)m["lost"] ?? 0;
            sound = false; // so that one that differs is not asked for again at once: a newer one will be
            Show(m, view);
            sound = true;
            Start();
        }

        private void TakeTurn(JObject m)
        {
            var at = (long)m["seq"];
            if (!seen || at <= floor) return;
            stats.Turns++;
            Show(m, m["patch"] == null ? View : Values.Patch(View, m["patch"]));
            foreach (var e in m["events"] ?? new JArray())
            {
                var happened = new GameEvent { Name = (string)e["name"], Data = e["data"], Seq = at };
                deliveries.Add(true, () => Raise(Happened, happened));
            }
        }

        private void Show(JObject m, JToken view)
        {
            var changed = !seen || !JToken.DeepEquals(view, View);
            epoch = (long?)m["epoch"] ?? epoch;
            seq = Math.Max(seq, (long)m["seq"]);
            View = view;
            seen = true;
            connection.Readable();
            if (m["check"] != null) Prove((uint)m["check"]);
            if (!changed || viewWaits) return;
            viewWaits = true;
            deliveries.Add(false, ShowNewest);
        }

        private void ShowNewest()
        {
            JToken newest;
            lock (gate)
            {
                viewWaits = false;
                newest = View;
            }
            Raise(ViewChanged, newest);
        }

        private void Prove(uint check)
        {
            if (Values.Checksum(View) == check)
            {
                stats.Checks++;
                return;
            }
            stats.Mismatches++;
            if (sound) Resync(); // else the whole view is on its way
        }

        private void TakePong(JObject m)
        {
            var echo = m["echo"];
            if (echo != null && (echo.Type == JTokenType.Float || echo.Type == JTokenType.Integer)) Lag = (Clock.Seconds - (double)echo) * 1000;
        }

        private void TakeOver(JObject m)
        {
            if (m["seq"] == null) throw new FormatException("an end has no seq");
            Over = m.ToObject<Over>();
            over.TrySetResult(Over);
            if (seen) Start();
        }

        /// <summary>Hands the room out, if nobody has it yet.</summary>
        private void Start()
        {
            ready.TrySetResult(this);
            if (connection.Link != null) Become(new Status { State = ConnectionState.Open });
        }

        private void Become(Status status)
        {
            if (status.State == State && State != ConnectionState.Reconnecting) return;
            State = status.State;
            deliveries.Add(State != ConnectionState.Closed, () => Raise(StateChanged, status));
        }

        private static void Raise<T>(Action<T> handlers, T what)
        {
            if (handlers != null) handlers(what);
        }
    }
}
