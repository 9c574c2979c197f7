using System;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>Limits of a RoomringClient, each for one room at a time.</summary>
    public sealed class Options
    {
        /// <summary>How many sockets Join and Spectate try before they throw; 10 take about half a minute.</summary>
        public int Tries = 10;

        /// <summary>Actions that wait to be sent, beyond the 32 under way. One more throws RejectedException "too_many".</summary>
        public int MaxWaiting = 1024;

        /// <summary>Bytes of one message from the server. A larger one is taken for one that cannot be read.</summary>
        public int MaxMessage = 64 << 20;

        /// <summary>How long one HTTP request may take.</summary>
        public TimeSpan HttpTimeout = TimeSpan.FromSeconds(10);
    }

    public enum ConnectionState { Connecting, Open, Reconnecting, Closed }

    /// <summary>What became of a connection: its state, and why it is not open. RetryIn counts while it is reconnecting.</summary>
    public sealed class Status
    {
        public ConnectionState State { get; internal set; }
        public int Code { get; internal set; }
        public string Reason { get; internal set; }
        public TimeSpan? RetryIn { get; internal set; }
    }

    /// <summary>Something that happened in a room, as opposed to something that is.</summary>
    public sealed class GameEvent
    {
        public string Name { get; internal set; }
        public JToken Data { get; internal set; }
        public long Seq { get; internal set; }
    }

    /// <summary>The end of a room's life. Alone: the room was gone, and the view may not be the last; the replay has it.</summary>
    public sealed class Over
    {
        [JsonProperty("seq")] public long Seq { get; set; }
        [JsonProperty("end")] public string End { get; set; }
        [JsonProperty("result")] public JObject Result { get; set; }
        [JsonProperty("reason")] public string Reason { get; set; }
        [JsonProperty("alone")] public bool Alone { get; set; }
    }

    /// <summary>Who plays without a token of its own. Keep the token to be the same player later.</summary>
    public sealed class Guest
    {
        [JsonProperty("token")] public string Token { get; set; }
        [JsonProperty("player")] public string Player { get; set; }
        [JsonProperty("name")] public string Name { get; set; }
    }

    /// <summary>A room as HTTP tells of it; Json has all of it.</summary>
    public sealed class RoomInfo
    {
        public JObject Json { get; private set; }
        public string Id { get { return (string)Json["id"]; } }
        public string Game { get { return (string)Json["game"]; } }

        /// <summary>The join code of a private room; only in the answer to creating it.</summary>
        public string Code { get { return (string)Json["code"]; } }
        public string Url { get { return (string)Json["ws_url"]; } }

        public RoomInfo(JObject json) { Json = json; }

        /// <summary>A room of which only the id is known.</summary>
        public RoomInfo(string id) { Json = new JObject(new JProperty("id", id)); }
    }

    /// <summary>What a room's connection went through.</summary>
    public sealed class Stats
    {
        public int Sockets, Recovered, States, Turns, Checks, Mismatches, Resent;

        /// <summary>Events that the server dropped because this client read too slowly.</summary>
        public long Lost;
    }
}
