// Package web is the server's face. Each concern has a package:
//
//   - ws: WebSockets, from the upgrade to the close frame;
//   - api: what players reach by HTTP, and the pages;
//   - admin: what the operator reaches;
//   - auth: who is let in.
//
// They know rooms and records only by the small interfaces that each declares, and never import each other. What several of them
// need has packages too: limit (rates for each address), trust (proxies and origins), httpd (connections and their turns at the
// processors), metrics, and those under internal.
//
// Handlers keep no state of their own beyond the limiters of addresses; all of them may be used by many goroutines at a time.
// docs/openapi.yaml describes every route, and tests hold both to each other.
package web
