package nodes

// Fit decides now whether this node is on the ring.
func (n *Nodes) Fit() { n.fit() }
