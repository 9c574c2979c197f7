package kubernetes

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"time"
)

// configPage is the page of all settings, which a test of the server holds to its flags.
const configPage = "../../docs/CONFIG.md"

var settingLine = regexp.MustCompile("(?m)^\\| `--[a-z-]+` \\| `(ROOMRING_[A-Z_]+)` \\| (?:[^|\\\\]|\\\\.)+ \\| (?:`([^`]*)`|–) \\|")

// settings are the server's variables and their defaults.
func settings(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(configPage)
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	for _, m := range settingLine.FindAllStringSubmatch(string(text), -1) {
		defaults[m[1]] = m[2]
	}
	if len(defaults) < 20 {
		t.Fatalf("%s was read as %d settings", configPage, len(defaults))
	}
	return defaults
}

// foreign are variables of the container that are not the server's own.
var foreign = []string{"GOMEMLIMIT"}

func TestVariablesAreSettings(t *testing.T) {
	known := settings(t)
	for name := range variables(t, mustRender(t, "example")) {
		if _, ok := known[name]; !ok && !slices.Contains(foreign, name) {
			t.Errorf("the server has no setting %s", name)
		}
	}
}

// TestStopsInTime adds up what a pod does between its first notice and its end.
func TestStopsInTime(t *testing.T) {
	const leave = 10 * time.Second // saving rooms, telling the others, closing the store
	for _, folder := range []string{"base", "example"} {
		all := mustRender(t, folder)
		pod := nodes(t, all).Spec.Template.Spec
		sleep := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds
		if sleep < 3 || sleep > 10 {
			t.Errorf("%s: preStop sleeps %d s: endpoints take some seconds to go, and nobody wants to wait longer", folder, sleep)
		}
		drain, err := time.ParseDuration(variables(t, all)["ROOMRING_DRAIN_TIMEOUT"])
		if err != nil {
			t.Fatal(err)
		}
		needs := time.Duration(sleep)*time.Second + drain + leave
		if grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; grace < needs {
			t.Errorf("%s: the pod is killed after %v and may need %v", folder, grace, needs)
		}
	}
}
