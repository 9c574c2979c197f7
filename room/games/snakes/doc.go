// Package snakes is a game of snakes in real time and in rounds, for two to thirty players, or for one against
// built-in snakes. A player who joins late gets a snake at once. Spectators see what players see.
//
// # Rules
//
// There are fifteen ticks a second. A snake moves one cell at every even tick, and a boosting snake at every tick.
// All that move do so at once. A snake dies when its head meets a wall, a body (its own too) or another head.
// When two heads enter one cell, or pass through each other, both die. A head may enter a tail's cell in the tick
// in which the tail leaves it. Without walls the edges lead to the opposite side.
//
// Food makes a snake longer by its value, 1 or 3, one cell a move, and is worth as many points. A player gets five
// points for each snake that dies on the body of the player's snake, and one for each that dies before it in the round.
// A dead snake leaves some food. Boosting costs a cell every 8 ticks and needs 6 cells.
//
// A round ends when one snake is left, when no player's snake is left, or when its time is up. The points of all
// rounds make the ranks. Players who left the game rank behind those who stayed; players who lost the seat by being
// away do not. A player who never steered has no rank, and a game that fewer than two played is aborted. The snake of
// a player who is not connected goes straight on, and that player gets no snake when a round begins, until the
// connection is back. While nobody is connected the game stands still.
//
// # Options
//
// See [Options]:
//
//	{"width": 64, "height": 40, "walls": false, "rounds": 3, "round_s": 120}
//	{"bots": 5}
//
// # Actions
//
//	{"turn": "up"}      or "down", "left", "right"; up to 3 wait, one is taken at each cell; a repeated one does nothing
//	{"boost": true}     or false
//
// # Refusals
//
// A refused action changes nothing. Its code is one of
//
//	bad_action      not exactly one of the above
//	waiting         no round is on
//	no_snake        the player's snake is dead, or not there yet
//	opposite        a snake cannot turn back on itself
//	too_many_turns  three turns wait
//	too_short       fewer than 6 cells cannot boost
//
// Options are refused with the code bad_options and a reason that names the field, seats with reserved, or with
// too_many when two hundred players have taken part.
//
// # View
//
// See [View]. A cell is y·width + x; x grows to the right and y downwards, both from 0. Directions are 0 up,
// 1 right, 2 down, 3 left. A player has one number for the whole game, which also numbers and colours the player's snake.
//
// A snake is {"n": 7, "p": {"3": [1234, 1, 36, 1], "4": [1240, 2, 48, 1]}}: n is how many cells it has, p the
// path it lies on, in legs by sequence number (to be ordered as numbers). A leg is [cell, direction, tick, speed]:
// at that tick the head was in that cell, and went from there straight on, by speed half cells a tick, until
// the next leg starts. So at view.tick the head is
//
//	floor((view.tick - tick) * speed / 2)
//
// cells from the start of the last leg, and the body is the n cells backwards from there over the legs: on each
// from where the next starts, or the head is, down to its own start, which is also the last cell of the leg
// before. Ticks may be negative, since a snake is born with its tail. Without walls cells wrap.
//
// A snake that goes straight on changes nothing. A turn adds one leg, and a leg that lies behind the snake is
// removed. A tick in which nobody turns costs {"tick":42} for all snakes together. For smooth drawing, the same
// formula with a fraction of a tick gives places between cells: take the legs that start at or before the time
// that is drawn. Legs are kept for two cells more than the snake has, so that a picture may lag that far behind.
//
// view.tick counts while a round is played, from 0 at its start, and stands still otherwise. When view.round
// changes, everything is new.
//
// # Events and result
//
// The event "died" ([Died]) tells of each death, and "round" ([RoundOver]) of the end of a round. The result's reason
// is [AllRounds] or [Abandoned], and its scores are points.
package snakes
