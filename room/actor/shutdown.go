package actor

import "context"

// Shutdown ends every room's time in this process: it takes no more input, saves a snapshot, waits for what it
// has stepped to be durable, sends what that releases, and ends its sessions with 4100. Rooms kept in
// memory alone are lost. It returns when every goroutine of the directory has ended, or when ctx ends:
// then what is not durable yet is not acknowledged either. The journal and the store are closed after it.
func (d *Directory) Shutdown(ctx context.Context) error {
	d.mu.Lock()
	d.draining, d.closing = true, true
	d.mu.Unlock()
	for r := range d.all() {
		r.in.command(stopMessage{})
	}
	d.cancel()
	over := make(chan struct{})
	go func() {
		d.wg.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Drain refuses new rooms from now on; those that are here go on.
func (d *Directory) Drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
}
