package kubernetes

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// nodes is the StatefulSet, whose pods are the cluster's nodes.
func nodes(t *testing.T, all objects) *appsv1.StatefulSet {
	t.Helper()
	set := one[*appsv1.StatefulSet](t, all)
	if n := len(set.Spec.Template.Spec.Containers); n != 1 {
		t.Fatalf("a pod has %d containers", n)
	}
	return set
}

func server(t *testing.T, all objects) *corev1.Container {
	t.Helper()
	return &nodes(t, all).Spec.Template.Spec.Containers[0]
}

// variables are the container's, with "" for what is known only where it runs.
func variables(t *testing.T, all objects) map[string]string {
	t.Helper()
	c := server(t, all)
	vars := map[string]string{}
	for _, from := range c.EnvFrom {
		maps.Copy(vars, named[*corev1.ConfigMap](t, all, from.ConfigMapRef.Name).Data)
	}
	for _, v := range c.Env {
		if _, twice := vars[v.Name]; twice {
			t.Errorf("%s is set twice", v.Name)
		}
		vars[v.Name] = v.Value
	}
	return vars
}

// variable is one of the container's as it stands in the manifest.
func variable(t *testing.T, all objects, name string) corev1.EnvVar {
	t.Helper()
	c := server(t, all)
	i := slices.IndexFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == name })
	if i < 0 {
		t.Fatalf("the container has no variable %s", name)
	}
	return c.Env[i]
}

// port is the number of the container's port of that name or number, or 0.
func port(c *corev1.Container, at intstr.IntOrString, protocol corev1.Protocol) int32 {
	for _, p := range c.Ports {
		if cmp.Or(p.Protocol, corev1.ProtocolTCP) == cmp.Or(protocol, corev1.ProtocolTCP) && (p.Name == at.StrVal || at.Type == intstr.Int && p.ContainerPort == at.IntVal) {
			return p.ContainerPort
		}
	}
	return 0
}

// TestJournalOutlivesPods holds the volume: there, the server's, and kept.
func TestJournalOutlivesPods(t *testing.T) {
	all := mustRender(t, "base")
	set := nodes(t, all)
	keep := appsv1.RetainPersistentVolumeClaimRetentionPolicyType
	if p := set.Spec.PersistentVolumeClaimRetentionPolicy; p == nil || p.WhenDeleted != keep || p.WhenScaled != keep {
		t.Errorf("volumes are not kept: %+v", p)
	}
	data := variable(t, all, "ROOMRING_DATA_DIR").Value
	mounts := server(t, all).VolumeMounts
	i := slices.IndexFunc(mounts, func(m corev1.VolumeMount) bool { return m.MountPath == data })
	if i < 0 || mounts[i].ReadOnly || len(set.Spec.VolumeClaimTemplates) != 1 || set.Spec.VolumeClaimTemplates[0].Name != mounts[i].Name {
		t.Errorf("%s is not the volume of the claim", data)
	}
	s := set.Spec.Template.Spec.SecurityContext
	if s.FSGroup == nil || *s.FSGroup != *s.RunAsGroup || *s.FSGroupChangePolicy != corev1.FSGroupChangeOnRootMismatch {
		t.Error("the volume is not the server's group's")
	}
}

func TestRollsOneByOne(t *testing.T) {
	set := nodes(t, mustRender(t, "base"))
	if set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement || set.Spec.MinReadySeconds < 10 {
		t.Errorf("%s, ready after %d s", set.Spec.PodManagementPolicy, set.Spec.MinReadySeconds)
	}
	if u := set.Spec.UpdateStrategy.RollingUpdate; u != nil && u.MaxUnavailable != nil {
		t.Error("maxUnavailable must be left unset")
	}
	if b := one[*policyv1.PodDisruptionBudget](t, mustRender(t, "base")).Spec; b.MaxUnavailable == nil || b.MaxUnavailable.IntValue() != 1 || b.MinAvailable != nil {
		t.Error("drains of machines may take more than one node at a time")
	}
}

func TestLeastPrivilege(t *testing.T) {
	all := mustRender(t, "example")
	pod, c := nodes(t, all).Spec.Template.Spec, server(t, all)
	for what, ok := range map[string]bool{
		"runs as somebody":              *pod.SecurityContext.RunAsNonRoot && *pod.SecurityContext.RunAsUser == 10001,
		"has a seccomp profile":         pod.SecurityContext.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
		"cannot gain privileges":        !*c.SecurityContext.AllowPrivilegeEscalation,
		"writes to its volume alone":    *c.SecurityContext.ReadOnlyRootFilesystem,
		"has no capability":             slices.Equal(c.SecurityContext.Capabilities.Drop, []corev1.Capability{"ALL"}) && c.SecurityContext.Capabilities.Add == nil,
		"asks nothing of Kubernetes":    !*pod.AutomountServiceAccountToken && !*one[*corev1.ServiceAccount](t, all).AutomountServiceAccountToken,
		"has its own service account":   pod.ServiceAccountName == one[*corev1.ServiceAccount](t, all).Name,
		"gets no variables of Services": !*pod.EnableServiceLinks,
	} {
		if !ok {
			t.Errorf("not true: the server %s", what)
		}
	}
}

func TestResources(t *testing.T) {
	all := mustRender(t, "base")
	r := server(t, all).Resources
	if r.Requests.Cpu().IsZero() || r.Requests.Memory().IsZero() {
		t.Error("CPU and memory must be requested")
	}
	if _, limited := r.Limits[corev1.ResourceCPU]; limited {
		t.Error("a limit of CPU makes a node look dead")
	}
	soft, err := resource.ParseQuantity(strings.TrimSuffix(variables(t, all)["GOMEMLIMIT"], "B"))
	if limit := r.Limits.Memory(); err != nil || soft.Cmp(*limit) >= 0 || 2*soft.Value() < limit.Value() {
		t.Errorf("GOMEMLIMIT %v for a limit of %v (%v)", soft.String(), limit, err)
	}
}

// TestImageIsPinned: a pod that starts again must get the program it had.
func TestImageIsPinned(t *testing.T) {
	for _, folder := range []string{"base", "example"} {
		image := server(t, mustRender(t, folder)).Image
		_, tag, ok := strings.Cut(path.Base(image), ":")
		if !ok || tag == "" || tag == "latest" {
			t.Errorf("%s: image %q has no tag of its own", folder, image)
		}
	}
}

func TestAutoscaler(t *testing.T) {
	all := mustRender(t, "example")
	set, h := nodes(t, all), one[*autoscalingv2.HorizontalPodAutoscaler](t, all).Spec
	if to := h.ScaleTargetRef; to.Kind != "StatefulSet" || to.APIVersion != "apps/v1" || to.Name != set.Name {
		t.Errorf("the autoscaler moves %v", to)
	}
	if set.Spec.Replicas != nil {
		t.Error("a number of replicas beside an autoscaler is set back at every apply")
	}
	if *h.MinReplicas < 3 {
		t.Errorf("%d nodes are too few to lose one", *h.MinReplicas)
	}
	down := h.Behavior.ScaleDown
	if len(down.Policies) != 1 || down.Policies[0].Type != autoscalingv2.PodsScalingPolicy || down.Policies[0].Value != 1 || down.Policies[0].PeriodSeconds < 300 {
		t.Errorf("it goes down by %+v; want one node in five minutes", down.Policies)
	}
}
