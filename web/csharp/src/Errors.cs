using System;
using Newtonsoft.Json.Linq;

namespace Roomring
{
    /// <summary>What all errors of this client are.</summary>
    public class RoomringException : Exception
    {
        public RoomringException(string message) : base(message) { }
    }

    /// <summary>The game's refusal of an action, which changed nothing. Code is for programs, Reason for people.</summary>
    public sealed class RejectedException : RoomringException
    {
        public string Code { get; private set; }
        public string Reason { get; private set; }

        public RejectedException(string code, string reason) : base(string.IsNullOrEmpty(reason) ? code : reason)
        {
            Code = code;
            Reason = reason;
        }
    }

    /// <summary>An HTTP request that the server refused. Problem is its answer (RFC 9457).</summary>
    public sealed class HttpException : RoomringException
    {
        public int Status { get; private set; }
        public JObject Problem { get; private set; }

        public HttpException(int status, JObject problem)
            : base((string)problem["detail"] ?? (string)problem["title"] ?? "HTTP " + status)
        {
            Status = status;
            Problem = problem;
        }
    }

    /// <summary>A room's connection has ended for good.</summary>
    public sealed class ClosedException : RoomringException
    {
        internal const int Unreadable = 1007; // the close code of what cannot be read, here or there

        /// <summary>Of docs/PROTOCOL.md, section 10, or of RFC 6455.</summary>
        public int Code { get; private set; }

        /// <summary>
        /// What to do: "left": nothing, Leave or Close was called; "token": come with another one; "forbidden": kicked, full,
        /// locked or the wrong code; "not-found"; "reload": this program is too old for the server; "replaced": the same player
        /// came from elsewhere; "over": the game is; "unreachable": a first join has failed as often as Options.Tries says;
        /// "refused": a mistake of the program's that Reason describes.
        /// </summary>
        public string Kind { get; private set; }

        /// <summary>For people.</summary>
        public string Reason { get { return Message; } }

        /// <summary>How the room ended, if it told.</summary>
        public Over Over { get; internal set; }

        public ClosedException(int code, string reason = null) : base(string.IsNullOrEmpty(reason) ? Words(code) : reason)
        {
            Code = code;
            Kind = KindOf(code);
        }

        private static string KindOf(int code)
        {
            switch (code)
            {
                case 1000: return "left";
                case Unreadable: return "refused";
                case 4401: return "token";
                case 4403: return "forbidden";
                case 4404: return "not-found";
                case 4406: return "reload";
                case 4409: return "replaced";
                case 4410: return "over";
                default: return code < 4400 ? "unreachable" : "refused";
            }
        }

        private static string Words(int code)
        {
            switch (code)
            {
                case 1000: return "You have left the room.";
                case Unreadable: return "What was said could not be read.";
                case 4401: return "Who you are could not be told, or no longer: come with a new token.";
                case 4403: return "This room does not let you in.";
                case 4404: return "There is no such room.";
                case 4406: return "This program is older than the server: update it.";
                case 4409: return "You are playing in another program now.";
                case 4410: return "The game is over.";
                default: return "The server closed the connection.";
            }
        }
    }
}
