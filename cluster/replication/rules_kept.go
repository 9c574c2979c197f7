//go:build !mutation

package replication

// without reports whether a mutation has removed a rule.
func without(Rule) bool { return false }
