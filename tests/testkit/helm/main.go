// Renders a chart as `helm template` does: Helm's own loader, check of the values, and engine, which here refuses
// values that are not there. Standard input: {"chart": directory, "release": name, "namespace": name, "values": {…}}.
// Standard output: the rendered text of each template, by its path.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

type request struct {
	Chart     string         `json:"chart"`
	Release   string         `json:"release"`
	Namespace string         `json:"namespace"`
	Values    map[string]any `json:"values"`
}

func main() {
	log.SetOutput(io.Discard) // the loader names each symbolic link
	if err := render(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func render(input io.Reader, output io.Writer) error {
	var asked request
	if err := json.NewDecoder(input).Decode(&asked); err != nil {
		return err
	}
	chart, err := loader.Load(asked.Chart)
	if err != nil {
		return err
	}
	release := chartutil.ReleaseOptions{Name: asked.Release, Namespace: asked.Namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(chart, asked.Values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return err
	}
	rendered, err := engine.Engine{Strict: true}.Render(chart, values)
	if err != nil {
		return err
	}
	return json.NewEncoder(output).Encode(rendered)
}
