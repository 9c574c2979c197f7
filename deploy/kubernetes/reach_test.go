package kubernetes

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestPortsAreTheServers(t *testing.T) {
	all := mustRender(t, "example")
	c, known, given := server(t, all), settings(t), variables(t, all)
	for name, variable := range map[string]string{
		"http": "ROOMRING_LISTEN", "admin": "ROOMRING_ADMIN_LISTEN", "peer": "ROOMRING_PEER_LISTEN", "gossip": "ROOMRING_GOSSIP_LISTEN",
	} {
		address := cmp.Or(given[variable], known[variable])
		host, want, _ := net.SplitHostPort(address)
		if got := port(c, intstr.FromString(name), ""); fmt.Sprint(got) != want || host != "" {
			t.Errorf("port %s is %d, and the server listens at %q", name, got, address)
		}
	}
	if tcp, udp := port(c, intstr.FromString("gossip"), ""), port(c, intstr.FromString("gossip-udp"), corev1.ProtocolUDP); tcp != udp {
		t.Errorf("gossip has ports %d and %d", tcp, udp)
	}
}

func TestProbes(t *testing.T) {
	c := server(t, mustRender(t, "example"))
	for _, tt := range []struct {
		name  string
		probe *corev1.Probe
		path  string
	}{
		{"startup", c.StartupProbe, "/livez"}, {"readiness", c.ReadinessProbe, "/readyz"}, {"liveness", c.LivenessProbe, "/livez"},
	} {
		if tt.probe == nil || tt.probe.HTTPGet == nil || tt.probe.HTTPGet.Path != tt.path || port(c, tt.probe.HTTPGet.Port, "") != 7777 {
			t.Errorf("the %s probe does not ask GET %s at the players' port", tt.name, tt.path)
		}
	}
	if least := c.StartupProbe.PeriodSeconds * c.StartupProbe.FailureThreshold; least < 120 {
		t.Errorf("a node has %d s to bring its rooms back", least)
	}
	if least := c.LivenessProbe.PeriodSeconds * c.LivenessProbe.FailureThreshold; least < 30 {
		t.Errorf("a node is killed after %d s of silence", least)
	}
}

func TestSelectorsFindPods(t *testing.T) {
	all := mustRender(t, "example")
	set := nodes(t, all)
	pod := labels.Set(set.Spec.Template.Labels)
	finds := func(what string, selector *metav1.LabelSelector) {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(pod) {
			t.Errorf("%s selects %v, and the pods have %v (%v)", what, s, pod, err)
		}
	}
	finds("the StatefulSet", set.Spec.Selector)
	finds("the disruption budget", one[*policyv1.PodDisruptionBudget](t, all).Spec.Selector)
	finds("the network policy", &one[*networkingv1.NetworkPolicy](t, all).Spec.PodSelector)
	for _, c := range set.Spec.Template.Spec.TopologySpreadConstraints {
		finds("the spread over "+c.TopologyKey, c.LabelSelector)
	}
	for _, a := range set.Spec.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
		finds("the anti-affinity", a.PodAffinityTerm.LabelSelector)
	}
	c := server(t, all)
	for _, s := range of[*corev1.Service](all) {
		if _, single := s.Spec.Selector[appsv1.StatefulSetPodNameLabel]; !single {
			finds("Service "+s.Name, &metav1.LabelSelector{MatchLabels: s.Spec.Selector})
		}
		for _, p := range s.Spec.Ports {
			if port(c, p.TargetPort, p.Protocol) == 0 {
				t.Errorf("Service %s sends to port %s, which the container does not have", s.Name, p.TargetPort.String())
			}
		}
	}
	for _, o := range all {
		if _, cluster := o.(*corev1.Namespace); !cluster && o.GetNamespace() != "roomring" {
			t.Errorf("%T %s is in namespace %q", o, o.GetName(), o.GetNamespace())
		}
	}
}

func TestPlayersService(t *testing.T) {
	s := named[*corev1.Service](t, mustRender(t, "base"), "roomring")
	if s.Spec.PublishNotReadyAddresses || s.Spec.ClusterIP == corev1.ClusterIPNone {
		t.Error("players are sent to nodes that are not ready")
	}
}

// TestPeersFindEachOther: the name to join is the headless Service that the pods' names hang on.
func TestPeersFindEachOther(t *testing.T) {
	all := mustRender(t, "base")
	name, ok := strings.CutPrefix(variable(t, all, "ROOMRING_JOIN").Value, "dns+")
	host, gossip, err := net.SplitHostPort(name)
	if !ok || err != nil {
		t.Fatalf("ROOMRING_JOIN is %q", variable(t, all, "ROOMRING_JOIN").Value)
	}
	s := named[*corev1.Service](t, all, host)
	if s.Spec.ClusterIP != corev1.ClusterIPNone || !s.Spec.PublishNotReadyAddresses {
		t.Error("the peers' Service must be headless and show nodes that are not ready")
	}
	if nodes(t, all).Spec.ServiceName != host {
		t.Errorf("the StatefulSet belongs to Service %s, not %s", nodes(t, all).Spec.ServiceName, host)
	}
	if fmt.Sprint(port(server(t, all), intstr.FromString("gossip"), "")) != gossip {
		t.Errorf("nodes gossip at another port than %s", gossip)
	}
	for name, field := range map[string]string{
		"ROOMRING_NODE": "metadata.name", "ROOMRING_ADVERTISE": "status.podIP",
		"ROOMRING_ZONE": "metadata.labels['topology.kubernetes.io/zone']",
	} {
		if from := variable(t, all, name).ValueFrom; from == nil || from.FieldRef == nil || from.FieldRef.FieldPath != field {
			t.Errorf("%s is not taken from %s", name, field)
		}
	}
}

func TestPodServices(t *testing.T) {
	all := mustRender(t, "example")
	found := 0
	for _, s := range of[*corev1.Service](all) {
		if pod, single := s.Spec.Selector[appsv1.StatefulSetPodNameLabel]; single {
			if found++; pod != s.Name || len(s.Spec.Selector) != 1 || s.Spec.PublishNotReadyAddresses {
				t.Errorf("Service %s selects %v", s.Name, s.Spec.Selector)
			}
		}
	}
	set := nodes(t, mustRender(t, "base"))
	for i := range int(*set.Spec.Replicas) {
		named[*corev1.Service](t, all, fmt.Sprintf("%s-%d", set.Name, i))
	}
	if found < int(*set.Spec.Replicas) {
		t.Errorf("%d Services for %d nodes", found, *set.Spec.Replicas)
	}
}

func TestNetworkPolicy(t *testing.T) {
	all := mustRender(t, "base")
	c, p := server(t, all), one[*networkingv1.NetworkPolicy](t, all)
	if !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) || !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
		t.Fatal("the policy must hold in both directions")
	}
	from := map[int32][]networkingv1.NetworkPolicyPeer{}
	for _, rule := range p.Spec.Ingress {
		for _, at := range rule.Ports {
			n := port(c, *at.Port, protocol(at))
			if _, twice := from[n]; twice && n != 7946 || n == 0 {
				t.Errorf("port %s of the policy is none of the container's, or stands there twice", at.Port)
			}
			from[n] = rule.From
		}
	}
	if len(from) != 4 || from[7777] != nil {
		t.Errorf("players come to 7777 from everywhere, and there are 4 ports: %v", from)
	}
	if admin := from[7778]; len(admin) != 1 || admin[0].NamespaceSelector == nil || len(admin[0].NamespaceSelector.MatchLabels) == 0 {
		t.Errorf("the admin port is open to %v", admin)
	}
	for _, n := range []int32{7779, 7946} {
		if peers := from[n]; len(peers) != 1 || peers[0].NamespaceSelector != nil || !onlyPods(peers[0], p) {
			t.Errorf("port %d is open to %v", n, peers)
		}
	}
	for _, want := range []string{"7779 TCP", "7946 TCP", "7946 UDP", "53 TCP", "53 UDP", "5432 TCP"} {
		if !slices.ContainsFunc(p.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
			return slices.ContainsFunc(rule.Ports, func(at networkingv1.NetworkPolicyPort) bool {
				return fmt.Sprintf("%s %s", at.Port, protocol(at)) == want
			})
		}) {
			t.Errorf("nodes may not reach port %s", want)
		}
	}
}

func onlyPods(peer networkingv1.NetworkPolicyPeer, p *networkingv1.NetworkPolicy) bool {
	return peer.PodSelector != nil && maps.Equal(peer.PodSelector.MatchLabels, p.Spec.PodSelector.MatchLabels)
}

func protocol(at networkingv1.NetworkPolicyPort) corev1.Protocol {
	if at.Protocol == nil {
		return corev1.ProtocolTCP
	}
	return *at.Protocol
}

func TestServiceMonitorFindsAdmin(t *testing.T) {
	all := mustRender(t, "example")
	m := one[*serviceMonitor](t, all)
	var found []string
	for _, s := range of[*corev1.Service](all) {
		if labels.SelectorFromSet(m.Spec.Selector.MatchLabels).Matches(labels.Set(s.Labels)) {
			found = append(found, s.Name)
		}
	}
	if !slices.Equal(found, []string{"roomring-admin"}) || m.Spec.Endpoints[0].Port != "admin" {
		t.Errorf("it scrapes %v at port %s; a node found twice is counted twice", found, m.Spec.Endpoints[0].Port)
	}
}
