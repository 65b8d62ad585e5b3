package kubernetes

import (
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const root = "../.."

// manifests are what the example consists of.
type manifests struct {
	deployment *appsv1.Deployment
	service    *corev1.Service
	dashboard  *corev1.ConfigMap
	budget     *policyv1.PodDisruptionBudget
	monitor    *monitoringv1.PodMonitor
	rule       *monitoringv1.PrometheusRule
}

// build does what kubectl kustomize does, and decodes: a field that no version
// of the API has is an error.
func build(t *testing.T) *manifests {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, policyv1.AddToScheme, monitoringv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()

	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), root+"/examples/kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	m := &manifests{}
	for _, r := range built.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			t.Errorf("%s %s: %v", r.GetKind(), r.GetName(), err)
			continue
		}
		switch o := object.(type) {
		case *appsv1.Deployment:
			m.deployment = o
		case *corev1.Service:
			m.service = o
		case *corev1.ConfigMap:
			m.dashboard = o
		case *policyv1.PodDisruptionBudget:
			m.budget = o
		case *monitoringv1.PodMonitor:
			m.monitor = o
		case *monitoringv1.PrometheusRule:
			m.rule = o
		default:
			t.Errorf("%s %s is not expected", r.GetKind(), r.GetName())
		}
	}
	if m.deployment == nil || m.service == nil || m.dashboard == nil || m.budget == nil || m.monitor == nil || m.rule == nil {
		t.Fatalf("not all manifests are there: %+v", m)
	}
	return m
}
