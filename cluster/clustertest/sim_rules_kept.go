//go:build !mutation

package clustertest

func without(Rule) bool { return false }
