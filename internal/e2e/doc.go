// Package e2e is what tests of whole servers share: servers and clusters of real processes, their games, clients and players. The tests are
// in folders by story: play, survive, cluster, browser (and balancers), hostile.
package e2e
