//go:build !mutation

package ownership

// without reports whether a mutation has removed a rule.
func without(Rule) bool { return false }
