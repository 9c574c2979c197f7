package e2e

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/web/client"
)

// TestStoreBehindPgBouncer serves what is stored to many at once, through a pooler that leads each transaction to any of a
// few connections.
func TestStoreBehindPgBouncer(t *testing.T) {
	t.Parallel()
	s := newServer(t, append(generous, "--store", pgtest.Pooled(t, pgtest.URL(t)))...).start()
	s.says("connection pooler")
	var ids []string
	for range 4 {
		info := s.create("chess", nil)
		s.join(info, client.Options{}) // of a room that nobody ever joined no replay is kept
		s.admin("POST", "/admin/v1/rooms/"+info.ID+"/close", map[string]string{"reason": "enough"}, nil)
		s.result(info.ID)
		ids = append(ids, info.ID)
	}
	each(400, 40, func(i int) {
		path := []string{"/v1/results/", "/v1/replays/"}[i%2] + ids[i/2%len(ids)]
		if code, err := s.tryAt(s.URL, "GET", path, "", nil, nil); code != http.StatusOK || err != nil {
			t.Errorf("%s: %d %v", path, code, err)
		}
	})
}
