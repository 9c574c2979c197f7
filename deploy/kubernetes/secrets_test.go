package kubernetes

import (
	"path"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestSecrets: whatever names a Secret names one that is made, and a key that it has; no secret is an argument or a plain value.
func TestSecrets(t *testing.T) {
	all := mustRender(t, "example")
	has := func(what, secret, key string) {
		if s := named[*corev1.Secret](t, all, secret); s.Data[key] == nil {
			t.Errorf("%s wants %q of Secret %s", what, key, secret)
		}
	}
	from := variable(t, all, "ROOMRING_STORE").ValueFrom.SecretKeyRef
	has("ROOMRING_STORE", from.Name, from.Key)
	for _, e := range one[*serviceMonitor](t, all).Spec.Endpoints {
		has("the ServiceMonitor", e.Authorization.Credentials.Name, e.Authorization.Credentials.Key)
	}
	for _, name := range []string{"ROOMRING_CLUSTER_SECRET_FILE", "ROOMRING_ADMIN_TOKEN_FILE"} {
		secret, key := mounted(t, all, variable(t, all, name).Value)
		has(name, secret, key)
	}
	if args := server(t, all).Args; !slices.Equal(args, []string{"serve"}) {
		t.Errorf("arguments are for everybody to read: %q", args)
	}
	for name, value := range variables(t, all) {
		if strings.Contains(value, "postgres://") || strings.Contains(name, "SECRET") && !strings.HasSuffix(name, "_FILE") {
			t.Errorf("%s has a secret for a plain value", name)
		}
	}
}

// mounted is the Secret and the key of it that are mounted as the file.
func mounted(t *testing.T, all objects, file string) (secret, key string) {
	t.Helper()
	pod := nodes(t, all).Spec.Template.Spec
	for _, m := range pod.Containers[0].VolumeMounts {
		i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name && v.Secret != nil })
		if i < 0 || m.MountPath != path.Dir(file) || !m.ReadOnly {
			continue
		}
		s := pod.Volumes[i].Secret
		for _, item := range s.Items {
			if item.Path == path.Base(file) && *s.DefaultMode&0o007 == 0 && *s.DefaultMode&0o040 != 0 {
				return s.SecretName, item.Key
			}
		}
	}
	t.Fatalf("no Secret is mounted as %s, for the group alone", file)
	panic("unreachable")
}
