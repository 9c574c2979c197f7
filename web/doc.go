// Package web is the server's face. Each concern has a package:
//
// It knows rooms and records only by the small interfaces declared here, which internal/node joins to their
// makers. Handlers keep no state of their own beyond the limiters of addresses; all of them may be used by
// many goroutines at a time. docs/openapi.yaml describes every route, and tests hold both to each other.
package web
