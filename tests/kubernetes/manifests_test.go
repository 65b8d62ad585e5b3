package kubernetes

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

func TestSelectorsFindThePods(t *testing.T) {
	m := build(t)
	pod := labels.Set(m.deployment.Spec.Template.Labels)
	for name, selector := range map[string]*metav1.LabelSelector{
		"deployment": m.deployment.Spec.Selector,
		"service":    {MatchLabels: m.service.Spec.Selector},
		"budget":     m.budget.Spec.Selector,
		"monitor":    &m.monitor.Spec.Selector,
	} {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		if s.Empty() || !s.Matches(pod) {
			t.Errorf("the selector of the %s is %q and the pods' labels are %q", name, s, pod)
		}
	}
}

func TestPortsExist(t *testing.T) {
	m := build(t)
	c := container(t, m)
	port := func(where, name string) {
		t.Helper()
		if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == name }) {
			t.Errorf("%s asks for the port %q, which the container does not have", where, name)
		}
	}
	port("the service", m.service.Spec.Ports[0].TargetPort.String())
	port("the readiness probe", c.ReadinessProbe.HTTPGet.Port.String())
	port("the liveness probe", c.LivenessProbe.HTTPGet.Port.String())
	port("the monitor", *m.monitor.Spec.PodMetricsEndpoints[0].Port)
}

func TestDashboardIsTheProjects(t *testing.T) {
	m := build(t)
	want, err := os.ReadFile(filepath.Join(root, "metrics", "dashboards", "fastdrain.json"))
	if err != nil {
		t.Fatal(err)
	}
	if m.dashboard.Data["fastdrain.json"] != string(want) || !json.Valid(want) {
		t.Error("the dashboard of the ConfigMap is not metrics/dashboards/fastdrain.json")
	}
}

func TestAlertsAreTheProjects(t *testing.T) {
	want, err := Rule(root)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join(root, RuleFile))
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != string(want) {
		t.Errorf("%s is not what metrics/alerts.yml makes of it: run make kubernetes", RuleFile)
	}
	if n := len(build(t).rule.Spec.Groups); n == 0 {
		t.Error("there is no group of rules")
	}
}

// The flags of the container are flags of the example.
func TestProgramTakesTheArguments(t *testing.T) {
	c := container(t, build(t))
	bin := filepath.Join(t.TempDir(), "observed")
	cmd := exec.Command("go", "build", "-o", bin, "./observed")
	cmd.Dir = filepath.Join(root, "examples")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(bin, append(slices.Clone(c.Args), "-h")...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 0) {
		t.Errorf("examples/observed does not take %q: %v\n%s", c.Args, err, out)
	}
}

func container(t *testing.T, m *manifests) corev1.Container {
	t.Helper()
	containers := m.deployment.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		t.Fatalf("the pod has %d containers", len(containers))
	}
	return containers[0]
}
