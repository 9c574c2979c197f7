// Package room is what a game is written against.
//
// A game is a plain struct with two methods: Act applies a player's action, and View returns what a viewer may see (see
// [Game]). Everything else is an optional interface: [Opener], [Joiner], [Leaver], [Presencer], [Ticker],
// [TimerHandler], [Signaler], [Classifier], [Advisor], [Snapshotter], [Upgrader], [Rematcher].
//
// A [Spec] describes the game, and [Define] makes [Rules] of both, which a server runs. During each call a [Turn] gives
// the game time, randomness, timers and events. [Refuse] refuses an action; a [Result] ends the game.
//
// Package roomtest proves that a game is deterministic, that it survives a restart from its snapshot, and that no
// viewer sees what is hidden.
//
// [Runtime], [NewTurn] and [Instance] are for package core, which runs games. A game needs none of them.
package room
