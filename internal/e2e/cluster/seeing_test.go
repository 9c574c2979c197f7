package cluster_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/admin"
)

// TestTheOperatorSeesATakeover asks what a node's death would do, kills it, and finds that it was so: every room that was to go on is
// at the node that was named, and who has taken it on says from whom.
func TestTheOperatorSeesATakeover(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	ctx := e2e.WaitContext(t)
	asked, dies := c.Nodes[0], c.Nodes[2]
	var theirs []e2e.RoomInfo
	for len(theirs) < 3 {
		if info := asked.Create("chess", nil); info.Node == dies.Node {
			theirs = append(theirs, info)
		}
	}
	theirs = append(theirs, dies.CreateHere("chess", nil))
	var loss admin.Loss
	asked.Until(ctx, "every room would go on", func() bool {
		return asked.CallAdmin("GET", "/admin/v1/nodes/"+dies.Node+"/loss", nil, &loss) == http.StatusOK && loss.Rooms == len(theirs) && len(loss.Wait) == 0
	})
	at := map[string]string{}
	for _, e := range loss.Examples {
		at[string(e.Room)] = e.Node
	}
	asked.RunAdminUntil(ctx, []string{"If " + dies.Node + " died now, of its 4 rooms", "would go on at"}, "what-if", dies.Node)
	asked.RunAdminUntil(ctx, []string{"owner", dies.Node, "standby", at[theirs[0].ID]}, "room", theirs[0].ID)
	asked.RunAdminUntil(ctx, []string{dies.Node, at[theirs[0].ID]}, "rooms", "--node", dies.Node)
	dies.Kill()
	for _, info := range theirs {
		asked.Until(ctx, "room "+info.ID+" goes on where that was said", func() bool {
			var now e2e.RoomInfo
			return asked.Call("GET", "/v1/rooms/"+info.ID, nil, &now) == http.StatusOK && now.Node == at[info.ID]
		})
	}
	asked.Until(ctx, "the nodes say what they have taken on", func() bool {
		var answer struct{ Nodes []admin.Node }
		if asked.CallAdmin("GET", "/admin/v1/nodes", nil, &answer) != http.StatusOK {
			return false
		}
		seized, copies := 0, 0
		for _, n := range answer.Nodes {
			for _, taken := range n.Taken {
				if taken.From == dies.Node {
					seized += int(taken.Seized)
				}
			}
			if n.Copies != nil && n.Name != dies.Node {
				copies += n.Copies.Owned
			}
		}
		return seized == len(theirs) && copies >= len(theirs) // each has found another standby
	})
	if n := c.Nodes[0].Metric("roomring_rooms_seized_total") + c.Nodes[1].Metric("roomring_rooms_seized_total"); n != float64(len(theirs)) {
		t.Errorf("%v rooms were seized by the metrics", n)
	}
	if code, _, errs := asked.RunAdmin("what-if", "nobody"); code != e2e.ExitFailed || !strings.Contains(errs, "no such node") {
		t.Errorf("of a node that is not there: exit %d, %s", code, errs)
	}
}
