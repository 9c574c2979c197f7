package survive_test

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/web/client"
)

// TestStoreBehindPgBouncer serves stored data to many clients at once through a pooler, which sends each transaction over any of a few
// connections.
func TestStoreBehindPgBouncer(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--store", pgtest.Pooled(t, pgtest.URL(t)))...).Start()
	s.WaitForLog("connection pooler")
	var ids []string
	for range 4 {
		info := s.Create("chess", nil)
		s.Join(info, client.Options{}) // a room that nobody joined has no replay
		s.CallAdmin("POST", "/admin/v1/rooms/"+info.ID+"/close", map[string]string{"reason": "enough"}, nil)
		s.Result(info.ID)
		ids = append(ids, info.ID)
	}
	e2e.ForEach(400, 40, func(i int) {
		path := []string{"/v1/results/", "/v1/replays/"}[i%2] + ids[i/2%len(ids)]
		if code, err := s.TryCallAt(s.URL, "GET", path, "", nil, nil); code != http.StatusOK || err != nil {
			t.Errorf("%s: %d %v", path, code, err)
		}
	})
}
