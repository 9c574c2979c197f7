// Package schema says what a game's views, actions, options and events are as JSON: as a tree of types for programs that write
// source code, and as JSON Schema 2020-12. It reads the game's Go types by the rules of encoding/json, and of package view
// for views.
//
// Views and events are what the server writes. Actions and options are what it reads; for them the schema allows what encoding/json
// writes of a value of their type, so a program that keeps to it is understood. The server takes a little more: a field that is
// missing is the zero value, and null leaves a field as it is.
//
// It is pure, and all functions may be called from any goroutine.
package schema
