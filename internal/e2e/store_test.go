package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/persist/pgtest"
)

// TestTheStoreHasAFileOfItsOwn keeps the store's password off the command line.
func TestTheStoreHasAFileOfItsOwn(t *testing.T) {
	t.Parallel()
	const password, warning = "correct-horse", "password stands on the command line"
	url := strings.Replace(pgtest.URL(t), "postgres@", "postgres:"+password+"@", 1)
	path := filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(path, []byte(url+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--store-file", path).start()
	info := s.create("chess", nil)
	s.admin("POST", "/admin/v1/rooms/"+info.ID+"/close", map[string]string{"reason": "enough"}, nil)
	s.result(info.ID)
	if log := s.log.String(); strings.Contains(log, warning) {
		t.Errorf("it warns of a file:\n%s", log)
	}

	exposed := newServer(t, "--store", url).start()
	exposed.says(warning, "--store-file")
	exposed.result(info.ID) // it is the same store
	for _, log := range []string{s.log.String(), exposed.log.String()} {
		if strings.Contains(log, password) {
			t.Errorf("the log has the password:\n%s", log)
		}
	}
}

// TestStoreFilesThatAreNone are told apart.
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
		s := newServer(t, args...)
		s.spawn()
		if code := s.wait(); code != exitUsage || !strings.Contains(s.log.String(), want) || strings.Contains(s.log.String(), "hidden") {
			t.Errorf("%v: %d, not saying %q:\n%s", args, code, want, s.log)
		}
	}
}
