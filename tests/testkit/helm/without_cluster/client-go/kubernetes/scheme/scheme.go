// Package scheme is the part of Kubernetes' client that Helm's chartutil names: the kinds that a cluster knows, of
// which the chart asks for none.
package scheme

import "k8s.io/apimachinery/pkg/runtime/schema"

type Known struct{}

var Scheme Known

func (Known) PrioritizedVersionsAllGroups() []schema.GroupVersion { return nil }
