package torture

import (
	"fmt"
	"strings"
)

// has says what the run has for faults.
func (r *run) has() have {
	h := have{why: map[need]string{
		needsNodes:      "the cluster is somebody else's",
		needsStore:      "the store was not started here: give --store postgres",
		needsNamespaces: "the nodes share one network: give --namespaces, as root on Linux",
		needsStandbys:   "one node's folder has the only copy of each room: give --nodes 2 or more",
	}}
	h.nodes = !r.o.joins()
	h.store = h.nodes && r.o.Store == "postgres"
	h.namespaces = h.nodes && r.o.Namespaces
	if h.standbys = h.nodes && r.o.Nodes > 1; !h.nodes {
		h.why[needsStandbys] = h.why[needsNodes]
	}
	err := canMount()
	if h.disks = h.nodes && err == nil; err != nil {
		h.why[needsDisks] = err.Error()
	} else {
		h.why[needsDisks] = h.why[needsNodes]
	}
	return h
}

// disks gives the nodes that are to be filled small disks of their own. The function that it returns takes them away.
func (r *run) disks(plan *Plan) (undo func(), err error) {
	var all []func()
	undo = func() {
		for _, f := range all {
			f()
		}
	}
	mounted := map[string]bool{}
	for _, f := range plan.Faults {
		s := r.cluster.find(f.A)
		if f.Kind != "fill" || mounted[f.A] {
			continue
		}
		if s == nil {
			return undo, fmt.Errorf("%s: only a node that is there from the start can have a small disk", f)
		}
		mounted[f.A] = true
		away, err := mount(s.dir)
		if all = append(all, away); err != nil {
			return undo, err
		}
	}
	return undo, nil
}

// joinCluster is a cluster of somebody else's nodes.
func joinCluster(o *Options) *cluster {
	c := &cluster{o: o, net: newNetwork(o, nil)}
	for i, url := range o.URLs {
		c.nodes = append(c.nodes, &server{c: c, name: fmt.Sprintf("node %d", i+1), listen: strings.TrimRight(url, "/"), admin: strings.TrimRight(o.AdminURLs[i], "/"), log: "elsewhere"})
	}
	return c
}
