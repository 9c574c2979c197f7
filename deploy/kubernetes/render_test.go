// Package kubernetes proves the manifests beside it: kustomize renders them, they are decoded strictly into the types
// of Kubernetes' API, and what the parts say of each other must agree. It is a module of its own, so that the
// server does not depend on Kubernetes' libraries.
package kubernetes

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// serviceMonitor is as much of the Prometheus operator's type as is used here.
type serviceMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port      string `json:"port"`
			Path      string `json:"path"`
			Interval  string `json:"interval"`
			Scheme    string `json:"scheme"`
			TLSConfig struct {
				ServerName string `json:"serverName"`
				CA         struct {
					Secret corev1.SecretKeySelector `json:"secret"`
				} `json:"ca"`
			} `json:"tlsConfig"`
			Authorization struct {
				Type        string                   `json:"type"`
				Credentials corev1.SecretKeySelector `json:"credentials"`
			} `json:"authorization"`
		} `json:"endpoints"`
	} `json:"spec"`
}

// kinds are all that the manifests may hold.
var kinds = map[string]func() metav1.Object{
	"v1 Namespace":                            func() metav1.Object { return new(corev1.Namespace) },
	"v1 ServiceAccount":                       func() metav1.Object { return new(corev1.ServiceAccount) },
	"v1 Service":                              func() metav1.Object { return new(corev1.Service) },
	"v1 ConfigMap":                            func() metav1.Object { return new(corev1.ConfigMap) },
	"v1 Secret":                               func() metav1.Object { return new(corev1.Secret) },
	"apps/v1 StatefulSet":                     func() metav1.Object { return new(appsv1.StatefulSet) },
	"policy/v1 PodDisruptionBudget":           func() metav1.Object { return new(policyv1.PodDisruptionBudget) },
	"networking.k8s.io/v1 NetworkPolicy":      func() metav1.Object { return new(networkingv1.NetworkPolicy) },
	"autoscaling/v2 HorizontalPodAutoscaler":  func() metav1.Object { return new(autoscalingv2.HorizontalPodAutoscaler) },
	"monitoring.coreos.com/v1 ServiceMonitor": func() metav1.Object { return new(serviceMonitor) },
}

// tree is a copy of the manifests, to be changed at will.
func tree(t *testing.T) filesys.FileSystem {
	t.Helper()
	memory := filesys.MakeFsInMemory()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return memory.WriteFile("/"+name, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return memory
}

// withSecrets is the tree with the files that whoever installs it makes.
func withSecrets(t *testing.T) filesys.FileSystem {
	t.Helper()
	memory := tree(t)
	for name, text := range map[string]string{
		"cluster-secret": strings.Repeat("ab", 32) + "\n",
		"admin-token":    strings.Repeat("cd", 32) + "\n",
		"store-url":      "postgres://roomring@db/roomring",
	} {
		if err := memory.WriteFile("/example/secrets/"+name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return memory
}

// objects are what a folder renders to.
type objects []metav1.Object

func render(memory filesys.FileSystem, folder string) (all objects, err error) {
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, "/"+folder)
	if err != nil {
		return nil, err
	}
	for _, r := range made.Resources() {
		text, err := r.MarshalJSON()
		if err != nil {
			return nil, err
		}
		object, err := decode(r.GetApiVersion()+" "+r.GetKind(), text)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.GetKind(), r.GetName(), err)
		}
		all = append(all, object)
	}
	return all, nil
}

// decode is strict as the API server is with --validate=strict: no unknown field, none twice, capitals count.
func decode(kind string, text []byte) (metav1.Object, error) {
	make, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("no type for %q", kind)
	}
	object := make()
	strict, err := json.UnmarshalStrict(text, object)
	if err == nil && len(strict) > 0 {
		err = strict[0]
	}
	return object, err
}

func mustRender(t *testing.T, folder string) objects {
	t.Helper()
	all, err := render(withSecrets(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// of are the objects of one type.
func of[T metav1.Object](all objects) (found []T) {
	for _, o := range all {
		if o, ok := o.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// one is the only object of a type.
func one[T metav1.Object](t *testing.T, all objects) T {
	t.Helper()
	found := of[T](all)
	if len(found) != 1 {
		t.Fatalf("there are %d objects of type %T", len(found), *new(T))
	}
	return found[0]
}

// named is the object of a type and name.
func named[T metav1.Object](t *testing.T, all objects, name string) T {
	t.Helper()
	for _, o := range of[T](all) {
		if o.GetName() == name {
			return o
		}
	}
	t.Fatalf("there is no %T of name %q", *new(T), name)
	panic("unreachable")
}
