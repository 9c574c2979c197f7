// Package replication keeps a room's log the same at its owner and at those who follow: its standby, and who learns to
// become one. A Leader is the owner's side: how far each follower is, and what is committed. A Copy is a follower's side:
// which entries it takes. Both see a log only as a History, without its contents.
//
// The package is pure, like package ownership, which decides who the members are. Package replica runs it over links and
// journals, and package clustertest in virtual time.
package replication
