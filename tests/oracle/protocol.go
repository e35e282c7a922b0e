package main

import (
	"encoding/json"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/kubernetes/scheme"
)

// request is one cluster and the pods to judge on it, each by itself.
type request struct {
	ID    json.RawMessage `json:"id"`
	Nodes []*v1.Node      `json:"nodes"`
	// Pods run or are bound: each names its node.
	Pods []*v1.Pod `json:"pods"`
	// Nominated pods wait; each has a node kept for it, status.nominatedNodeName.
	Nominated []*v1.Pod `json:"nominated"`
	// Objects are all others that plugins look up, such as claims, volumes, classes and namespaces, with apiVersion and
	// kind.
	Objects []json.RawMessage `json:"objects"`
	// Candidates are the pods to judge.
	Candidates []*v1.Pod `json:"candidates"`
	// Plugins take part in filtering and scoring; empty: all of the default profile.
	Plugins []string `json:"plugins"`
	// Arguments stand in for the default arguments of their plugins, as a KubeSchedulerConfiguration has them, with
	// apiVersion and kind.
	Arguments map[string]json.RawMessage `json:"arguments"`
}

// seating tells requests apart that need frameworks of their own.
func (r *request) seating() string {
	// Maps are written in the order of their keys.
	arguments, _ := json.Marshal(r.Arguments)
	return strings.Join(r.Plugins, " ") + string(arguments)
}

// answer is what the plugins say about each candidate, in their order.
type answer struct {
	ID json.RawMessage `json:"id"`
	// Error says why the cluster could not be judged at all.
	Error   string    `json:"error,omitempty"`
	Answers []verdict `json:"answers"`
}

// verdict is what the plugins say about one candidate.
type verdict struct {
	// Error says which plugin failed rather than rejected; the rest is then incomplete.
	Error string `json:"error,omitempty"`
	// PreFilter is why no node was looked at.
	PreFilter *rejection `json:"prefilter,omitempty"`
	// PreFilters holds each plugin that rejects the pod in PreFilter when it runs alone.
	PreFilters map[string]rejection `json:"prefilters,omitempty"`
	// Space names the nodes that PreFilter left to look at.
	Space []string `json:"space"`
	// Narrowed is plugin to the number of nodes that its PreFilter leaves out, each plugin running alone.
	Narrowed map[string]int `json:"narrowed,omitempty"`
	// Filters is plugin to node to rejection, over the nodes in Space, each plugin running alone.
	Filters  map[string]map[string]rejection `json:"filters,omitempty"`
	Feasible []string                        `json:"feasible"`
	// Scores is plugin to feasible node to raw, normalised and weighted score; a plugin that skips the pod is absent.
	Scores map[string]map[string][3]int64 `json:"scores,omitempty"`
	Totals map[string]int64               `json:"totals,omitempty"`
	// Best are the feasible nodes with the highest total.
	Best []string `json:"best"`
	// Message is the FailedScheduling text; empty when some node is feasible.
	Message string `json:"message,omitempty"`
	// Preemption is nil where it is not tried.
	Preemption *room `json:"preemption,omitempty"`
}

type rejection struct {
	Code    string   `json:"code"`
	Reasons []string `json:"reasons"`
}

func parse(line []byte) (*request, []runtime.Object, error) {
	var parsed request
	// The API machinery's own decoder: field names are case-sensitive, as they are to the API server.
	if err := utiljson.Unmarshal(line, &parsed); err != nil {
		return &parsed, nil, fmt.Errorf("the line is not a request: %w", err)
	}
	objects := make([]runtime.Object, 0, len(parsed.Objects))
	for number, raw := range parsed.Objects {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil)
		if err != nil {
			return &parsed, nil, fmt.Errorf("objects[%d]: %w", number, err)
		}
		objects = append(objects, object)
	}
	return &parsed, objects, nil
}
