// Package room is what a game is written against. A game is a plain struct with two methods, Act and View (see Game); everything
// else is an optional interface: Opener, Joiner, Leaver, Presencer, Ticker, TimerHandler, Signaler, Classifier, Advisor, Snapshotter, Upgrader,
// Rematcher. A Spec describes it, Define makes Rules of both, and a server runs those. In each call a Turn gives the
// game time, randomness, timers and a voice; Refuse answers a wrong action; a Result ends the game.
//
// Package roomtest proves that a game is deterministic, comes back from its snapshot, and shows nobody what is hidden.
package room
