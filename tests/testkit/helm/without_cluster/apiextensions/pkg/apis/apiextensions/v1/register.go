// Package v1 is the part of Kubernetes' API extensions that Helm's chartutil names.
package v1

import "k8s.io/client-go/kubernetes/scheme"

func AddToScheme(scheme.Known) error { return nil }
