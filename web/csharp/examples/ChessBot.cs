using System;
using System.Threading.Tasks;
using Roomring;
using ChessAction = Roomring.Games.Chess.Action; // by roomring types --lang csharp
using ChessView = Roomring.Games.Chess.View;

/// <summary>Plays three moves of chess against the server's own player, and resigns.</summary>
public static class ChessBot
{
    public static async Task<string> Play(string url)
    {
        var ring = new RoomringClient(url, name: "Ann");
        var info = await ring.Create("chess", new { bot = 1, white = "first" });
        var room = await ring.Join<ChessView, ChessAction>(info);
        foreach (var move in new[] { "e4", "Nf3", "Bc4" })
        {
            try
            {
                await room.Act(new ChessAction { Move = move });
            }
            catch (RejectedException err)
            {
                Console.Error.WriteLine(err.Reason); // for people; err.Code is for programs
                break;
            }
            await room.Until(view => view.Status == "over" || view.Turn == "white");
        }
        await room.Act(new ChessAction { Resign = true });
        var over = await room.Untyped.WhenOver;
        room.Close();
        return (string)over.Result["summary"];
    }
}
