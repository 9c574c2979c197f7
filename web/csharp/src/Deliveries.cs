using System;
using System.Collections.Generic;
using System.Threading;

namespace Roomring
{
    /// <summary>
    /// Deliveries raises a room's events one at a time and in order: on the synchronization context that joined, such as Unity's
    /// main thread, or else on a thread of the pool. When so many wait, the oldest that may be missed goes.
    /// </summary>
    internal sealed class Deliveries
    {
        private const int Most = 1024;

        private readonly SynchronizationContext context = SynchronizationContext.Current;
        private readonly LinkedList<KeyValuePair<bool, Action>> queue = new LinkedList<KeyValuePair<bool, Action>>(); // may be missed; what to do
        private bool running;

        public void Add(bool missable, Action deliver)
        {
            lock (queue)
            {
                if (queue.Count >= Most) DropOne();
                queue.AddLast(new KeyValuePair<bool, Action>(missable, deliver));
                if (running) return;
                running = true;
            }
            Start();
        }

        private void DropOne()
        {
            for (var node = queue.First; node != null; node = node.Next)
            {
                if (!node.Value.Key) continue;
                queue.Remove(node);
                return;
            }
        }

        private void Start()
        {
            if (context != null) context.Post(_ => Deliver(), null);
            else ThreadPool.QueueUserWorkItem(_ => Deliver());
        }

        private void Deliver()
        {
            while (true)
            {
                Action deliver;
                lock (queue)
                {
                    if (queue.Count == 0)
                    {
                        running = false;
                        return;
                    }
                    deliver = queue.First.Value.Value;
                    queue.RemoveFirst();
                }
                var thrown = true;
                try
                {
                    deliver();
                    thrown = false;
                }
                finally
                {
                    if (thrown) Start(); // a handler that throws stops no other; its exception is the context's
                }
            }
        }
    }
}
