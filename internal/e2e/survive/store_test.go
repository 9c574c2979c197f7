package survive_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
)

// TestTheStoreHasAFileOfItsOwn reads the store's URL from a file. A password on the command line is warned of, and no log shows the
// password.
func TestTheStoreHasAFileOfItsOwn(t *testing.T) {
	t.Parallel()
	const password, warning = "correct-horse", "the store's password on the command line"
	url := strings.Replace(pgtest.URL(t), "postgres@", "postgres:"+password+"@", 1)
	path := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(path, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, "--store-file", path).Start()
	info := s.Create("chess", nil)
	s.CallAdmin("POST", "/admin/v1/rooms/"+info.ID+"/close", map[string]string{"reason": "enough"}, nil)
	s.Result(info.ID)
	if log := s.Log.String(); strings.Contains(log, warning) {
		t.Errorf("it warns of a file:\n%s", log)
	}

	exposed := e2e.NewServer(t, "--store", url).Start()
	exposed.WaitForLog(warning, "--store-file")
	exposed.Result(info.ID) // it is the same store
	for _, log := range []string{s.Log.String(), exposed.Log.String()} {
		if strings.Contains(log, password) {
			t.Errorf("the log has the password:\n%s", log)
		}
	}
}

// TestStoreFilesThatAreNone starts with bad store files. Each has its own error.
func TestStoreFilesThatAreNone(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\npostgres://u:hidden@h/d\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"its first line is empty":   {"--store-file", empty},
		"give one of them":          {"--store-file", empty, "--store", "sqlite:x"},
		"no such file or directory": {"--store-file", empty + "-not"},
	} {
		s := e2e.NewServer(t, args...)
		s.Spawn()
		if code := s.Wait(); code != e2e.ExitUsage || !strings.Contains(s.Log.String(), want) || strings.Contains(s.Log.String(), "hidden") {
			t.Errorf("%v: %d, not saying %q:\n%s", args, code, want, s.Log)
		}
	}
}
