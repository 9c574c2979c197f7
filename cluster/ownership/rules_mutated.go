//go:build mutation

package ownership

// Without is the rule that is taken out, so that clustertest can show that it catches it; 0: none.
var Without Rule

// Rules are all rules.
func Rules() (all []Rule) {
	for r := NoteFirst; r < lastRule; r++ {
		all = append(all, r)
	}
	return all
}

func without(r Rule) bool { return r == Without }
