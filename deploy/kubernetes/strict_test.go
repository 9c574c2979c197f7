package kubernetes

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestBaseHoldsNoSecret: nobody's installation starts with secrets that stand in a repository.
func TestBaseHoldsNoSecret(t *testing.T) {
	if found := of[*corev1.Secret](mustRender(t, "base")); len(found) > 0 {
		t.Errorf("the base makes Secret %s", found[0].Name)
	}
}

func TestExampleNeedsSecrets(t *testing.T) {
	_, err := render(tree(t), "example")
	if err == nil || !strings.Contains(err.Error(), "secrets/cluster-secret") {
		t.Errorf("without its secrets the example renders with error %v; want one that names the file", err)
	}
}

// TestStrict breaks the manifests in the ways that hands do; each must fail.
func TestStrict(t *testing.T) {
	for _, tt := range []struct{ file, old, new, want string }{
		{"base/statefulset.yaml", "readinessProbe:", "readynessProbe:", "readynessProbe"},
		{"base/statefulset.yaml", "readinessProbe:", "readinessprobe:", "readinessprobe"},
		{"base/statefulset.yaml", "podManagementPolicy:", "podManagmentPolicy:", "podManagmentPolicy"},
		{"base/statefulset.yaml", "fsGroupChangePolicy:", "fsgroupChangePolicy:", "fsgroupChangePolicy"},
		{"base/statefulset.yaml", "minReadySeconds: 15", "minReadySeconds: soon", "minReadySeconds"},
		{"base/services.yaml", "publishNotReadyAddresses:", "publishNotReadyAdresses:", "publishNotReadyAdresses"},
		{"base/disruption.yaml", "maxUnavailable:", "maxUnavailible:", "maxUnavailible"},
		{"base/disruption.yaml", "kind: PodDisruptionBudget", "kind: PodDisruptionBuget", "no type"},
		{"base/network.yaml", "policyTypes:", "policytypes:", "policytypes"},
		{"components/autoscale/autoscaler.yaml", "scaleDown:", "scaledown:", "scaledown"},
		{"components/monitoring/servicemonitor.yaml", "interval:", "intervall:", "intervall"},
		{"example/kustomization.yaml", "images:", "image:", "image"},
	} {
		memory := withSecrets(t)
		text, err := memory.ReadFile("/" + tt.file)
		if err != nil || !bytes.Contains(text, []byte(tt.old)) {
			t.Fatalf("%s does not hold %q (%v)", tt.file, tt.old, err)
		}
		if err := memory.WriteFile("/"+tt.file, bytes.Replace(text, []byte(tt.old), []byte(tt.new), 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := render(memory, "example"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %q: error %v, want one about %q", tt.file, tt.new, err, tt.want)
		}
	}
}
