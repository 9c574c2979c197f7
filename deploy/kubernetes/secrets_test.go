package kubernetes

import (
	"bytes"
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

// TestAdminTLS adds the component to the example: the certificate that the server is told of is mounted, Prometheus speaks TLS and
// expects the name of the Service, and probes stay at the players' port, which has none.
func TestAdminTLS(t *testing.T) {
	memory := withSecrets(t)
	const file, last = "/example/kustomization.yaml", "  - ../components/monitoring"
	text, err := memory.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte(last)) {
		t.Fatalf("%s does not hold %q (%v)", file, last, err)
	}
	line := text[bytes.Index(text, []byte(last)):]
	line = line[:bytes.IndexByte(line, '\n')+1]
	if err := memory.WriteFile(file, bytes.Replace(text, line, append(slices.Clip(line), "  - ../components/admin-tls\n"...), 1)); err != nil {
		t.Fatal(err)
	}
	all, err := render(memory, "example")
	if err != nil {
		t.Fatal(err)
	}
	known := settings(t)
	for name, want := range map[string]string{"ROOMRING_ADMIN_CERT_FILE": corev1.TLSCertKey, "ROOMRING_ADMIN_KEY_FILE": corev1.TLSPrivateKeyKey} {
		if _, ok := known[name]; !ok {
			t.Errorf("the server has no setting %s", name)
		}
		if secret, key := mounted(t, all, variable(t, all, name).Value); secret != "roomring-admin-tls" || key != want {
			t.Errorf("%s is %q of Secret %s", name, key, secret)
		}
	}
	e := one[*serviceMonitor](t, all).Spec.Endpoints[0]
	if named[*corev1.Service](t, all, e.TLSConfig.ServerName); e.Scheme != "https" || e.TLSConfig.CA.Secret.Name != "roomring-admin-tls" || e.Authorization.Credentials.Key == "" {
		t.Errorf("Prometheus asks by %s, with %+v", e.Scheme, e.TLSConfig)
	}
	if _, token := mounted(t, all, variable(t, all, "ROOMRING_ADMIN_TOKEN_FILE").Value); token != "admin-token" {
		t.Error("the other secrets are no longer mounted")
	}
	for _, probe := range []*corev1.Probe{server(t, all).StartupProbe, server(t, all).ReadinessProbe, server(t, all).LivenessProbe} {
		if probe.HTTPGet.Port.String() != "http" || probe.HTTPGet.Scheme == corev1.URISchemeHTTPS {
			t.Errorf("a probe asks port %s by %s", probe.HTTPGet.Port.String(), probe.HTTPGet.Scheme)
		}
	}
}
