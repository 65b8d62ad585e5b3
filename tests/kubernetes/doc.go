// Package kubernetes proves that examples/kubernetes can be applied: built with
// the library that kubectl kustomize runs, decoded strictly with the types of
// Kubernetes and of the Prometheus operator, and with times that add up.
//
// It is a module of its own, so that nobody else gets these types.
package kubernetes
