package torture

// storeServer is a PostgreSQL that the run has started, and may therefore torment.
type storeServer interface {
	url() string
	host() int // in networks of the nodes' own; 0: there are none
	start() error
	stop() error  // fast shutdown
	crash() error // immediate shutdown
	kill() error  // SIGKILL
	pause() error // SIGSTOP
	resume() error
	remove()
}
