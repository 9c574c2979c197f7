package journal_test

// children are what this binary does when a test starts it as a process of its own.
var children = map[string]func(dir string){}
