// Package e2e holds what the tests of whole servers share: servers and clusters of real processes, their games, clients and players. The
// tests are in one folder per subject: play, survive, cluster, browser (with the balancers) and hostile.
package e2e
