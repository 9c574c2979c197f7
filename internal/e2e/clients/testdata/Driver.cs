using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using Roomring;

/// <summary>Does with the C# client what a test says, a line of JSON each, and answers each with a line of JSON.</summary>
public static class Driver
{
    private sealed class Entered
    {
        public Room Room;
        public readonly JArray Events = new JArray(), States = new JArray();
    }

    private static readonly ConcurrentDictionary<string, Entered> rooms = new ConcurrentDictionary<string, Entered>(); // by the name that the test gave
    private static readonly StreamWriter output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };

    public static void Main()
    {
        var input = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8);
        var tasks = new List<Task>();
        for (var line = input.ReadLine(); line != null; line = input.ReadLine())
        {
            tasks.Add(Do((JObject)Values.Read(line)));
        }
        foreach (var entered in rooms.Values) entered.Room.Close();
        Task.WaitAll(tasks.ToArray());
    }

    private static async Task Do(JObject m)
    {
        JObject answer;
        try { answer = await Answer(m); }
        catch (RejectedException err) { answer = new JObject { ["rejected"] = err.Code, ["reason"] = err.Reason }; }
        catch (ClosedException err) { answer = new JObject { ["closed"] = err.Kind, ["reason"] = err.Reason, ["over"] = Told(err.Over) }; }
        catch (HttpException err) { answer = new JObject { ["status"] = err.Status, ["reason"] = err.Message }; }
        catch (HttpRequestException err) { answer = new JObject { ["unreachable"] = err.Message }; }
        answer["n"] = m["n"];
        lock (output) output.WriteLine(answer.ToString(Formatting.None));
    }

    private static async Task<JObject> Answer(JObject m)
    {
        var name = (string)m["room"];
        switch ((string)m["do"])
        {
            case "join": return await Join(m, name);
            case "act": return new JObject { ["seq"] = await rooms[name].Room.Act(Halved(m["data"])) };
            case "leave": await rooms[name].Room.Leave(); break;
            case "close": rooms[name].Room.Close(); break;
            case "resync": rooms[name].Room.Resync(); break;
            case "tell": return Tell(rooms[name]);
            case "sample": return new JObject { ["summary"] = await ChessBot.Play((string)m["url"]) };
            case "values":
                var views = m["cases"].Select(c => Values.Patch(c["target"], c["patch"])).ToArray();
                return new JObject { ["views"] = new JArray(views), ["checks"] = new JArray(views.Select(Values.Checksum)) };
            default: throw new InvalidOperationException("do: " + m["do"]);
        }
        return new JObject();
    }

    private static async Task<JObject> Join(JObject m, string name)
    {
        var options = new Options { Tries = (int?)m["tries"] ?? 10 };
        var ring = new RoomringClient((string)m["url"], (string)m["name"], (string)m["token"], options);
        var info = new RoomInfo((string)m["id"]);
        var entered = new Entered();
        Action<Room> listen = r =>
        {
            r.Happened += e => { lock (entered) entered.Events.Add(new JArray(e.Name, e.Data, e.Seq)); };
            r.StateChanged += s => { lock (entered) entered.States.Add(s.State.ToString().ToLowerInvariant()); };
        };
        var room = (bool?)m["spectator"] == true
            ? await ring.Spectate(info, (string)m["code"], (string)m["client"], listen)
            : await ring.Join(info, (string)m["code"], (string)m["client"], listen);
        entered.Room = room;
        rooms[name] = entered;
        return new JObject { ["player"] = room.Player, ["seat"] = room.Seat, ["view"] = room.View };
    }

    private static JObject Tell(Entered entered)
    {
        var room = entered.Room;
        lock (entered)
            return new JObject
            {
                ["view"] = room.View, ["state"] = room.State.ToString().ToLowerInvariant(), ["states"] = entered.States.DeepClone(),
                ["player"] = room.Player, ["seat"] = room.Seat, ["game"] = room.Game, ["events"] = entered.Events.DeepClone(),
                ["over"] = Told(room.Over), ["closed"] = room.Closed == null ? null : room.Closed.Kind, ["lagged"] = !double.IsNaN(room.Lag),
                ["mismatches"] = room.Stats.Mismatches, ["lost"] = room.Stats.Lost, ["resent"] = room.Stats.Resent, ["sockets"] = room.Stats.Sockets,
            };
    }

    /// <summary>Puts half a surrogate pair where U+E000 stands.</summary>
    private static JToken Halved(JToken v)
    {
        var o = v as JObject;
        if (o != null) return new JObject(o.Properties().Select(p => new JProperty(p.Name.Replace('\ue000', '\ud83c'), Halved(p.Value))));
        if (v is JArray) return new JArray(v.Select(Halved));
        return v.Type == JTokenType.String ? new JValue(((string)v).Replace('\ue000', '\ud83c')) : v;
    }

    private static JToken Told(Over over) { return over == null ? null : JToken.FromObject(over); }
}
