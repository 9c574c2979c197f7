using System;
using System.Threading.Tasks;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>
    /// A Room by the classes of a game: those that `roomring types --lang csharp` writes, or any that Newtonsoft.Json reads
    /// and writes.
    /// </summary>
    public sealed class Room<TView, TAction>
    {
        private readonly object gate = new object();
        private JToken read; // what view was made of
        private TView view;

        /// <summary>The room itself, which has all else.</summary>
        public Room Untyped { get; private set; }

        /// <summary>The view has changed.</summary>
        public event Action<TView> ViewChanged;

        internal Room(Room room)
        {
            Untyped = room;
            room.ViewChanged += _ =>
            {
                var handlers = ViewChanged;
                if (handlers != null) handlers(View);
            };
        }

        /// <summary>What may be seen: a new object after each change. Never change it.</summary>
        public TView View
        {
            get
            {
                lock (gate)
                {
                    var newest = Untyped.View;
                    if (!ReferenceEquals(newest, read)) view = newest.ToObject<TView>();
                    read = newest;
                    return view;
                }
            }
        }

        /// <summary>Does something in the game, as Room.Act.</summary>
        public Task<long> Act(TAction action) { return Untyped.Act(action); }

        /// <summary>The view at this moment or the first later one that is as wanted, as Room.Until.</summary>
        public async Task<TView> Until(Func<TView, bool> wanted)
        {
            await Untyped.Until(_ => wanted(View)).ConfigureAwait(false);
            return View;
        }

        public Task Leave() { return Untyped.Leave(); }

        public void Close() { Untyped.Close(); }
    }
}
