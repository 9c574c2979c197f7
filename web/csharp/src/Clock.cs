using System.Diagnostics;

namespace Roomring
{
    /// <summary>A clock that only goes on, whatever somebody sets the time to.</summary>
    internal static class Clock
    {
        private static readonly Stopwatch watch = Stopwatch.StartNew();

        public static double Seconds { get { return watch.Elapsed.TotalSeconds; } }
    }
}
