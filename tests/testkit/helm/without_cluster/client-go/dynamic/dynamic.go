// Package dynamic is the part of Kubernetes' client that Helm's engine names. No cluster is asked for anything.
package dynamic

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

type Content interface{ UnstructuredContent() map[string]any }

type ResourceInterface interface {
	Get(ctx context.Context, name string, options metav1.GetOptions, subresources ...string) (Content, error)
	List(ctx context.Context, options metav1.ListOptions) (Content, error)
}

type NamespaceableResourceInterface interface {
	ResourceInterface
	Namespace(string) ResourceInterface
}

type Interface interface {
	Resource(schema.GroupVersionResource) NamespaceableResourceInterface
}

func NewForConfig(*rest.Config) (Interface, error) { return nil, errors.New("there is no cluster") }
