// Package rest is the part of Kubernetes' client that Helm's engine names. No cluster is asked for anything.
package rest

type Config struct{}
