// Package web is the server's face, joined of a package a concern:
//
//   - ws: the sockets of players
//   - api: what players reach by HTTP, pages and SDK among it
//   - admin: what the operator reaches
//   - auth: who is let in
//
// What two of them need is in limit, trust, httpd and metrics. They know rooms and records only by the small interfaces that they
// declare, which internal/node joins to their makers. Handlers keep no state of their own beyond the limits of addresses, and may be
// used by many goroutines at once. docs/openapi.yaml describes every route, and tests hold both to each other.
package web
