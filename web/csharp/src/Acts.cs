using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>
    /// Acts numbers actions, and sends each until it has its answer (docs/PROTOCOL.md, section 6). The room's lock guards it.
    /// </summary>
    internal sealed class Acts
    {
        private sealed class Act
        {
            public string Data;
            public long CSeq; // 0 while it waits
            public int Sent; // times, in all
            public bool Here; // sent on the present socket
            public readonly TaskCompletionSource<long> Answer = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        private readonly object gate;
        private readonly Func<string, bool> write; // to the socket, or false when there is none
        private readonly int maxWaiting;
        private readonly Queue<Act> waiting = new Queue<Act>();
        private readonly List<Act> unanswered = new List<Act>(); // in the order of CSeq
        private readonly Timer timer;
        private long next = 1; // CSeq
        private long answered; // the highest CSeq that has its answer
        private long message = long.MaxValue; // bytes a message
        private int most = 32; // unanswered
        private bool ended;
        private Budget messages = new Budget(0), bytes = new Budget(0);

        public int Resent { get; private set; }

        public Acts(object gate, Func<string, bool> write, int maxWaiting)
        {
            this.gate = gate;
            this.write = write;
            this.maxWaiting = maxWaiting;
            timer = new Timer(_ => Woken());
        }

        private void Woken()
        {
            lock (gate) if (!ended) Flush();
        }

        public Task<long> Add(string data)
        {
            if (waiting.Count >= maxWaiting) throw new RejectedException("too_many", maxWaiting + " actions wait already: await some before you add more.");
            var act = new Act { Data = data };
            waiting.Enqueue(act);
            Flush();
            return act.Answer.Task;
        }

        /// <summary>Sends again, on a new socket, all that has no answer.</summary>
        public void Welcomed(long cseq, JObject limits)
        {
            message = (long?)limits["message"] ?? long.MaxValue;
            most = (int?)limits["unanswered"] ?? 32;
            // Half of the burst that the server allows: pings need some too.
            messages = new Budget((double?)limits["rate"] ?? 0);
            bytes = new Budget((double?)limits["bytes"] ?? 0);
            if (cseq < answered)
            {
                // The room has lost what it had answered, and all after it: count on from what it knows.
                answered = cseq;
                for (var i = 0; i < unanswered.Count; i++) unanswered[i].CSeq = cseq + 1 + i;
            }
            foreach (var act in unanswered) act.Here = false;
            next = (unanswered.Count > 0 ? unanswered[unanswered.Count - 1].CSeq : cseq) + 1;
            Flush();
        }

        public void Answer(long cseq, long seq, RejectedException refusal = null)
        {
            var act = unanswered.FirstOrDefault(a => a.CSeq == cseq);
            if (act == null) return; // a second answer
            unanswered.Remove(act);
            answered = Math.Max(answered, cseq);
            if (refusal != null) act.Answer.TrySetException(refusal);
            else act.Answer.TrySetResult(seq);
            Flush();
        }

        /// <summary>Ends all that wait for an answer.</summary>
        public void Fail(Exception why)
        {
            Wake(Timeout.InfiniteTimeSpan);
            foreach (var act in unanswered.Concat(waiting)) act.Answer.TrySetException(why);
            unanswered.Clear();
            waiting.Clear();
        }

        public void End(Exception why)
        {
            ended = true;
            Fail(why);
            timer.Dispose();
        }

        private void Wake(TimeSpan after) { timer.Change(after, Timeout.InfiniteTimeSpan); }

        private void Flush()
        {
            Wake(Timeout.InfiniteTimeSpan);
            foreach (var act in unanswered) if (!act.Here && !Send(act)) return;
            while (waiting.Count > 0 && unanswered.Count < most)
            {
                var act = waiting.Peek();
                if (!Send(act)) return;
                waiting.Dequeue();
                if (act.CSeq != 0) unanswered.Add(act); // else it is too large
            }
        }

        /// <summary>Returns false when nothing can be sent at this moment. An action too large is rejected and gets no number.</summary>
        private bool Send(Act act)
        {
            var text = "{\"t\":\"act\",\"cseq\":" + (act.CSeq != 0 ? act.CSeq : next) + ",\"data\":" + act.Data + "}";
            var size = Encoding.UTF8.GetByteCount(text);
            if (act.CSeq == 0 && size > message)
            {
                act.Answer.TrySetException(new RejectedException("too_large", "The action is larger than the " + message + " bytes a message may have."));
                return true;
            }
            // What is beyond limits.rate and limits.bytes goes a little later.
            var wait = Math.Max(messages.Wait(1), bytes.Wait(size));
            if (wait > 0) Wake(TimeSpan.FromSeconds(wait));
            if (wait > 0 || !write(text)) return false;
            messages.Spend(1);
            bytes.Spend(size);
            if (act.CSeq == 0) act.CSeq = next++;
            act.Here = true;
            if (act.Sent++ > 0) Resent++;
            return true;
        }

        /// <summary>What may be spent at a rate a second, and at most one second's worth at once. A rate of 0 is no limit.</summary>
        private sealed class Budget
        {
            private readonly double rate;
            private double left, at;

            public Budget(double rate)
            {
                this.rate = left = rate;
                at = Clock.Seconds;
            }

            /// <summary>The seconds until cost may be spent. One above the rate may be when all is there.</summary>
            public double Wait(double cost)
            {
                if (rate <= 0) return 0;
                var now = Clock.Seconds;
                left = Math.Min(rate, left + (now - at) * rate);
                at = now;
                var lacks = Math.Min(cost, rate) - left;
                return lacks > 1e-9 ? Math.Ceiling(lacks / rate * 1000) / 1000 : 0;
            }

            public void Spend(double cost) { left -= cost; }
        }
    }
}
