// Package roomtest proves a game fit to be run by room: deterministic, restorable from any snapshot,
// and showing nobody what is hidden from them.
//
// A game's own test gives it the rules and a function that proposes actions:
//
//	func TestRules(t *testing.T) {
//		roomtest.Prove(t, poker.Rules, roomtest.Options{
//			Act: func(r *rand.Rand, p room.Player, view json.RawMessage) any {
//				return poker.Action{Do: []string{"call", "raise", "fold"}[r.IntN(3)]}
//			},
//			Hidden: func(state map[string]any) []roomtest.Hidden {
//				var out []roomtest.Hidden
//				for p := range state["Hands"].(map[string]any) {
//					out = append(out, roomtest.Hidden{Path: "Hands." + p, For: []room.PlayerID{room.PlayerID(p)}})
//				}
//				return append(out, roomtest.Hidden{Path: "Deck"})
//			},
//		})
//	}
//
// Prove plays random games. Players p1, p2, … join, act, lose their connections and come back, leave
// and join again; time goes by, so timers and ticks come due and grace periods end; signals come, and the
// room is taken over by another process. Then it goes over each game again and fails with the field
// or the call at fault unless all of this holds:
//
//   - Runs agree. The same inputs bring the same states, timers, views and messages, byte for byte.
//   - The state is kept whole. No field is declared so that the snapshot forgets it ([room.Rules.Warnings]), and
//     a game restored at any index has in every field what the game had. With the fields tagged as derived cleared after
//     every input the game goes the same way, and numbers and texts among them come to the same values.
//   - Snapshots agree. A room restored from the snapshot at any index is the room, and goes on as it did:
//     for some inputs from every snapshot, to the end of the game from some. The room's replay ends as
//     the game ended.
//   - What is hidden stays hidden. With another value in a place that Options.Hidden names, every view of a
//     viewer who may not learn it, and every message while connections come and go, is the same to the
//     byte.
//   - Events tell nothing of it either. Turns are stepped again with a hidden fact altered before them, with parts of the
//     action altered, and with other luck. Where two outcomes differ in nothing but what is hidden from a viewer, before and after
//     the turn, that viewer must hear the same. A fact that the turn ends, as by a showdown, may be told.
//   - Who is said to see the same does, by Spec.SharedView or ViewClass.
//   - Bad actions are errors. Rubbish, spoilt actions and other players' actions never panic, and
//     what is refused, a join or a signal too, leaves states, timers and views as they were.
//   - Views can be sent: no null, no integer beyond ±(2⁵³-1). Making one changes nothing. Nor do events and results hold such an
//     integer, which clients would read as another number.
//   - The options that a Rematcher gives can open a room.
//   - Rooms of one player alone are sound, with the options given and with each other option that the game says it has, for one of
//     them may bring built-in opponents: such a room does not wait for players that nobody can be, and results name only who
//     played, and bots as bots.
//
// What it cannot see: state outside of the game value that shows in nothing that comes later, what a refusal or a result tells
// of hidden facts, and events of a kind that no random game comes to. A proof by random games is as good as the
// games: Act should reach every part of the rules, and Prove logs how many games came to an end.
//
// A proof of a small game takes well under a second.
package roomtest
