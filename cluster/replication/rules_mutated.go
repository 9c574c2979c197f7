//go:build mutation

package replication

// Without is the rule that is removed, so that clustertest can show that it notices; 0 means none.
var Without Rule

// Rules returns all rules.
func Rules() (all []Rule) {
	for r := BothCount; r < lastRule; r++ {
		all = append(all, r)
	}
	return all
}

func without(r Rule) bool { return r == Without }
