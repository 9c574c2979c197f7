//go:build mutation

package clustertest

// Without is the rule that is removed; 0 means none.
var Without Rule

func without(r Rule) bool { return r == Without }
