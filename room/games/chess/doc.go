// Package chess is standard chess by the FIDE Laws, for two players or for one against a simple
// built-in opponent, with as many spectators as come.
//
// # Options
//
// See [Options]. By default two players get random colours and play without clocks:
//
//	{"white": "first", "clock": {"initial_ms": 300000, "increment_ms": 2000}, "takeback": true}
//	{"bot": true}
//	{"grace_ms": 86400000}
//
// # Actions
//
// One of these a time:
//
//	{"move": "Nf3"}            SAN, long SAN or UCI: e4, exd5, Nbd7, O-O, e8=Q, e2e4, e7e8q
//	{"resign": true}
//	{"draw": "offer"}          once in two half-moves; a second offer against it agrees
//	{"draw": "accept"}         or "decline"; a move declines too
//	{"draw": "claim"}          threefold repetition or fifty moves, while such a position stands
//	{"takeback": "offer"}      where the options allow it; it stands until "accept" or "decline" answers it
//
// # Refusals
//
// A refused action changes nothing. Its code is one of
//
//	bad_action         not exactly one of the above, or an unknown word in it
//	bad_move           not how a move is written
//	illegal_move       no legal move is meant
//	ambiguous_move     more than one is meant; the reason lists them
//	promotion_missing  the piece that a pawn becomes is not said
//	not_your_turn      the other side is to move
//	no_offer           there is nothing to accept or decline
//	already_offered    the player's own offer stands, or was made lately
//	answer_first       the player must answer the other side's offer first
//	no_claim           neither rule can be claimed now
//	no_takeback        the options do not allow it, or there is no move to take back
//	waiting            the other player is not here yet
//	over               the game is over
//	not_a_player       the seat has no side
//
// Options are refused with the code bad_options and a reason that names the field, seats with started or reserved.
//
// # View, events and result
//
// See [View] for what everybody sees. The event "declined" says that an offer was turned down, see
// [Declined]. The result's reason is one of the constants from [Checkmate] to [Aborted], and its data is a [Record].
//
// # Clocks and absence
//
// White's clock starts when both players have seats. The clock of the side to move runs. A move stops it and
// adds the increment. A flag falls by a timer of the room, so room time counts, which stands still
// while no node runs the room. The other side wins if its material can give mate at all.
//
// A player who leaves the seat loses. In a game without a clock, a side to move that is away for grace_ms loses too. In a game
// with one, the clock alone decides what absence costs, so a game of many days goes on with nobody connected. Until both sides
// have acted in their turn nobody wins: whatever ends the game aborts it, except mate and draws on the board.
//
// A takeback gives both sides the time that they had when the position arose. Half-moves made after the request
// are taken back too.
//
// Rooms of the first runtime keep the rules that they were made under: see fair.
//
// # The rules library
//
// The library github.com/corentings/chess/v2 generates and makes moves. This package decodes FEN and SAN, compares
// positions and finds draws itself: the library's decoders share memory between goroutines, its
// hash of a position counts moves, and it takes positions for different that differ only in an en passant square
// that nobody can use.
package chess
