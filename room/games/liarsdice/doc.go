// Package liarsdice is liar's dice for two to six players, some of whom may be simple built-in opponents.
//
// Everybody rolls in secret and bids in turn on how many dice of one face lie on the whole table, until
// somebody doubts it. A wrong bid or a wrong doubt costs a die; the last with dice wins.
//
// # Options
//
// See [Options]. Without any:
//
//	{"players": 6, "dice": 5, "wild_ones": true, "spot_on": true,
//	 "turn_ms": 30000, "reveal_ms": 8000, "start_ms": 20000, "bots": 0}
//
// # Actions
//
// One of these a time:
//
//	{"bid": {"count": 4, "face": 5}}  more dice than the last bid, or as many of a higher face
//	{"liar": true}                    the last bid is too high
//	{"spot_on": true}                 the last bid is exact, where the options allow it
//	{"ready": true}                   to start, and during a reveal to go on; false takes it back
//
// # Rules
//
// With wild_ones, ones count as every face and cannot be bid themselves. Who calls liar loses a die if the
// bid holds, else the bidder does. Who calls spot on wins a die back if the bid is exact, never to more
// than everybody began with, else loses one. That player opens the next round, or the next at the table if
// it was the last die. A lot decides who opens the first.
//
// A call ends the round and shows all dice for reveal_ms, or until every connected player who has
// dice left is ready. When only built-in opponents have dice left, the people who look on must be ready.
//
// # Start
//
// The game starts at once when the table is full, or when everybody is ready and two or more sit at it,
// built-in opponents included. The first player who is ready starts a countdown of start_ms, so that nobody
// can keep the others waiting. The room is locked from the start on.
//
// # Time and absence
//
// When a turn's time is up, the game makes the lowest legal bid for the player, or calls liar where there is
// none. Neither tells of anybody's dice. After two such turns in a row the player's turns last five seconds
// at most, until the player acts.
//
// Being away costs only the turns that run out: the player keeps the seat. With nobody connected the game goes on for ten
// minutes and one turn of each player. A player who leaves the seat is out with all dice and takes the last place among
// those still in. If a round was being bid on, all dice are rolled again, and the old ones are never shown. The last player
// left wins. A game that all people have left ends, and built-in opponents are ranked by their dice.
//
// A player who never bids or calls in person has no rank, whatever the game bid for the player. A game that fewer than two
// played is aborted. Rooms of the first runtime keep the rules that they were made under: see fair.
//
// # Refusals
//
// A refused action changes nothing. Its code is one of
//
//	bad_action     not exactly one of the above
//	bad_bid        no such face, or no dice
//	too_low        the bid does not raise the last one
//	too_many       more dice than lie on the table
//	no_bid         there is nothing to call yet
//	no_spot_on     the options do not allow it
//	not_your_turn  somebody else is to act
//	not_now        the action belongs to another part of the game
//	waiting        the game has not started
//	out            the player has no dice left
//	not_a_player   the seat is not at the table
//
// Options are refused with the code bad_options and a reason that names the field, seats with started or reserved.
//
// # View, events and result
//
// See [View]. A player's dice are in that player's view alone until a call shows them all; spectators
// see none before. The events repeat facts of the view, for sound and animation:
//
//	round   {"round": 4, "seat": 2}                   dice are rolled, the seat opens
//	bid     {"seat": 2, "count": 4, "face": 5}        with "auto": true when the turn had run out
//	call    {"seat": 0, "call": "liar"}               or "spot_on"
//	missed  {"seat": 1}                               a turn has run out
//	out     {"seat": 1, "rank": 3}                    with "left": true when the player left
//
// The result's reason is [LastDice], [Abandoned] or [Aborted]. An outcome's score is the number of dice that are left.
//
// # Built-in opponents
//
// They decide by the view of their seat and by chance alone. A game with one is not rated.
package liarsdice
