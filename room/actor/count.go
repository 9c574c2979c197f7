package actor

// Count is how many rooms are here, those that linger after their end included.
func (d *Directory) Count() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.rooms)
}
