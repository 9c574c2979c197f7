// Package web is the server's face: the HTTP API, the WebSocket edge, who is let in, the admin API and the pages.
//
// It knows rooms and records only by the small interfaces declared here, which cmd/roomring joins to their
// makers. Handlers keep no state of their own beyond the limiters of addresses; all of them may be used by
// many goroutines at a time. docs/openapi.yaml describes every route, and tests hold both to each other.
package web
