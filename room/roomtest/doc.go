// Package roomtest proves that a server can run a game: that the game is deterministic, can be restored from any
// snapshot, and shows nobody what is hidden from them.
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
// and join again. Time goes by, so timers and ticks come due and grace periods end. Signals come, and
// another process takes the room over. Then Prove goes over each game again and fails with the field
// or the call at fault unless all of this holds:
//
//   - Runs agree. The same inputs bring the same states, timers, views and messages, byte for byte.
//   - The state is kept whole. No field is declared so that the snapshot forgets it ([room.Rules.Warnings]), and
//     a game restored at any index has the same value in every field. When the fields tagged as derived are cleared after
//     every input, the game goes the same way, and computes the same numbers and texts for them.
//   - Snapshots agree. A room restored from the snapshot at any index is the same and goes on in the same way:
//     for some inputs from every snapshot, to the end of the game from some. The room's replay ends as
//     the game ended.
//   - What is hidden stays hidden. With another value in a place that Options.Hidden names, every view of a
//     viewer who may not learn it, and every message while connections come and go, is the same to the
//     byte.
//   - Events tell nothing hidden either. Prove steps turns again with a hidden fact altered before them, with parts of the
//     action altered, and with other seeds. If two outcomes differ only in what is hidden from a viewer before and after
//     the turn, that viewer must hear the same. A turn may tell a fact that ends with it, as in a showdown.
//   - Viewers who are said to see the same, by Spec.SharedView or ViewClass, do.
//   - Bad actions are errors. Rubbish, spoilt actions and other players' actions never panic. A refused
//     action, join or signal leaves states, timers and views as they were.
//   - Views can be sent: they hold no null and no integer beyond ±(2⁵³-1). Making one changes nothing. Events and results hold no
//     such integer either, because clients would read another number. A game that names its events sends no other.
//   - The options that a Rematcher gives can open a room.
//   - Rooms of one player alone are sound, with the given options and with each other option of the game, because one of
//     them may bring built-in opponents. Such a room starts or lets others join. Its results name only those who
//     played, and bots as bots.
//
// The games vary the options that Options.RoomOptions leaves open, as far as the game says what its options are. [Report] tells
// what they have reached, and warns of what they hardly have. [Fuzz] proves games that a fuzzer makes up, and [Bench] measures one, by the same Options.
//
// Prove cannot see state outside of the game value that never shows later, what a refusal or a result tells
// of hidden facts, or kinds of events that no random game makes. A proof is only as good as its random
// games: Act should reach every part of the rules, and Prove logs what they reached.
//
// Replay runs the log of a room that was played, and fails with the first input that the rules play differently.
//
// A proof of a small game takes well under a second.
package roomtest
