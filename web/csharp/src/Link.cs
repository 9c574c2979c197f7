using System;
using System.Collections.Generic;
using System.IO;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>Who hears of a link's life, under the room's lock. After Lost, or once the owner closes the link, nothing follows.</summary>
    internal interface ILinkOwner
    {
        void Opened(Link link);
        void Received(Link link, JObject message);
        void Lost(Link link, int code, string reason);
    }

    /// <summary>
    /// Link is one socket. It says something each half heartbeat, and gives up a server that is silent for two and a half. What
    /// is said waits in a queue until the socket takes it, which its owner bounds: 32 actions are unanswered at most, and pings end
    /// when the server falls silent.
    /// </summary>
    internal sealed class Link
    {
        private const string Subprotocol = "roomring.v1.json";
        private static readonly TimeSpan connectWithin = TimeSpan.FromSeconds(10); // until the welcome
        private static readonly TimeSpan closeWithin = TimeSpan.FromSeconds(2); // that the server has to answer a close

        public readonly string Url;
        public readonly int Attempt;
        public bool Open { get; private set; }
        public double? WelcomedAt { get; private set; }

        private readonly object gate;
        private readonly ILinkOwner owner;
        private readonly int maxMessage;
        private readonly CancellationTokenSource cancel = new CancellationTokenSource();
        private readonly Queue<string> said = new Queue<string>(); // null: close
        private readonly SemaphoreSlim unsent = new SemaphoreSlim(0);
        private readonly Timer beat;
        private double heard = Clock.Seconds, heartbeat = double.PositiveInfinity;
        private bool done;

        /// <summary>Connects. The gate is the room's lock, which its caller holds, as of all other methods.</summary>
        public Link(object gate, string url, int attempt, ILinkOwner owner, int maxMessage)
        {
            this.gate = gate;
            Url = url;
            Attempt = attempt;
            this.owner = owner;
            this.maxMessage = maxMessage;
            beat = new Timer(_ => Beat(), null, connectWithin, Timeout.InfiniteTimeSpan);
            Task.Run(Run);
        }

        /// <summary>Starts the heart, or sets its pace anew.</summary>
        public void Welcomed(double milliseconds)
        {
            WelcomedAt = WelcomedAt ?? Clock.Seconds;
            heartbeat = milliseconds / 1000;
            Tick();
        }

        public void Send(JObject message) { Write(message.ToString(Formatting.None)); }

        public bool Write(string text)
        {
            if (done || !Open) return false;
            said.Enqueue(text);
            unsent.Release();
            return true;
        }

        /// <summary>Ends the link without a word to the owner.</summary>
        public void Close()
        {
            if (done) return;
            Stop();
            if (Open)
            {
                said.Enqueue(null);
                unsent.Release();
            }
            cancel.CancelAfter(Open ? closeWithin : TimeSpan.Zero);
        }

        private void Beat()
        {
            lock (gate)
            {
                if (done) return;
                if (WelcomedAt == null) Drop("the server does not answer");
                else Tick();
            }
        }

        private void Tick()
        {
            if (Clock.Seconds - heard > 2.5 * heartbeat)
            {
                Drop("the server fell silent");
                return;
            }
            beat.Change(TimeSpan.FromSeconds(heartbeat / 2), Timeout.InfiniteTimeSpan);
            Send(new JObject(new JProperty("t", "ping"), new JProperty("echo", Clock.Seconds)));
        }

        /// <summary>Gives the socket up: it is lost at once, whatever the closing handshake takes.</summary>
        private void Drop(string reason, int code = 1006)
        {
            Lose(code, reason);
            cancel.CancelAfter(0); // elsewhere, for what is cancelled may go on in this thread
        }

        private void Lose(int code, string reason)
        {
            if (done) return;
            Stop();
            owner.Lost(this, code, reason);
        }

        private void Stop()
        {
            done = true;
            beat.Dispose();
        }

        private async Task Run()
        {
            using (var socket = new ClientWebSocket())
            {
                try
                {
                    socket.Options.AddSubProtocol(Subprotocol);
                    socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan; // the protocol has heartbeats of its own
                    await socket.ConnectAsync(new Uri(Url), cancel.Token).ConfigureAwait(false);
                    lock (gate)
                    {
                        if (done) return;
                        Open = true;
                        owner.Opened(this);
                    }
                    var writer = WriteAll(socket);
                    await ReadAll(socket).ConfigureAwait(false);
                    cancel.Cancel();
                    await writer.ConfigureAwait(false);
                }
                catch (Exception err) // runtimes differ in what they throw when a connection breaks
                {
                    lock (gate) Lose(1006, (err.InnerException ?? err).Message);
                    cancel.Cancel(); // the writer
                }
            }
        }

        private async Task WriteAll(ClientWebSocket socket)
        {
            try
            {
                while (true)
                {
                    await unsent.WaitAsync(cancel.Token).ConfigureAwait(false);
                    string text;
                    lock (gate) text = said.Dequeue();
                    if (text == null)
                    {
                        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", cancel.Token).ConfigureAwait(false);
                        return;
                    }
                    var bytes = new ArraySegment<byte>(Encoding.UTF8.GetBytes(text));
                    await socket.SendAsync(bytes, WebSocketMessageType.Text, true, cancel.Token).ConfigureAwait(false);
                }
            }
            catch (Exception) { } // the reader says so
        }

        private async Task ReadAll(ClientWebSocket socket)
        {
            var part = new ArraySegment<byte>(new byte[16 << 10]);
            var message = new MemoryStream();
            while (true)
            {
                var got = await socket.ReceiveAsync(part, cancel.Token).ConfigureAwait(false);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    lock (gate) Lose((int)(got.CloseStatus ?? 0) == 0 ? 1006 : (int)got.CloseStatus, got.CloseStatusDescription);
                    if (socket.State == WebSocketState.CloseReceived)
                        await socket.CloseOutputAsync(got.CloseStatus ?? WebSocketCloseStatus.NormalClosure, "", cancel.Token).ConfigureAwait(false);
                    return;
                }
                message.Write(part.Array, 0, got.Count);
                if (got.MessageType == WebSocketMessageType.Binary || message.Length > maxMessage)
                {
                    lock (gate) Drop("The server said what cannot be read: it is binary, or larger than " + maxMessage + " bytes.", ClosedException.Unreadable);
                    return;
                }
                if (!got.EndOfMessage) continue;
                Received(Encoding.UTF8.GetString(message.GetBuffer(), 0, (int)message.Length));
                message.SetLength(0);
            }
        }

        private void Received(string text)
        {
            lock (gate)
            {
                if (done) return;
                heard = Clock.Seconds;
                try
                {
                    var messages = new List<JObject>();
                    foreach (var line in text.Split('\n'))
                        if (line.Trim().Length > 0) messages.Add((JObject)Values.Read(line));
                    foreach (var m in messages)
                        if (!done) owner.Received(this, m);
                }
                catch (Exception err) // a field is missing or of another type, or this is no JSON: another socket and a whole view mend it
                {
                    Drop("The server said what cannot be read: " + err.Message, ClosedException.Unreadable);
                }
            }
        }
    }
}
