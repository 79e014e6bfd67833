package edr

import (
	"fmt"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// wordbook words what one tool asks of its endpoints. Endpoints that are alike share the words: a fleet of 10,000 has a few
// sorts of agents.
type wordbook struct {
	tool    Tool
	search  Search
	targets []Target
	hosts   map[string]bool // the first labels of the hosts where an alert saw a file
	asked   map[string][]ledger.Query
	scopes  map[string]string
}

func newWordbook(t Tool, search Search, targets []Target) *wordbook {
	w := &wordbook{tool: t, search: search, targets: targets, hosts: map[string]bool{}, asked: map[string][]ledger.Query{}, scopes: map[string]string{}}
	for _, p := range search.First {
		w.hosts[firstLabel(p.Host)] = true
	}
	return w
}

// firstLabel is by what host names are compared at least; see sameHost.
func firstLabel(host string) string {
	label, _, _ := strings.Cut(strings.ToLower(host), ".")
	return label
}

// special reports whether an alert may have seen a file there, so that its words are its own.
func (w *wordbook) special(ep Endpoint) bool {
	return w.hosts[firstLabel(ep.Hostname)] && len(w.search.FirstOn(ep)) > 0
}

// scope says in words what is looked at on an endpoint.
func (w *wordbook) scope(ep Endpoint) string {
	if w.special(ep) {
		return scopeOn(w.search, ep, w.targets)
	}
	text, known := w.scopes[ep.Platform]
	if !known {
		text = scopeFor(w.search, ep.Platform, w.targets)
		w.scopes[ep.Platform] = text
	}
	return text
}

// queries words what an endpoint is asked. The list and what is in it may be shared: it is not to be changed.
func (w *wordbook) queries(ep Endpoint, works []Work) ([]ledger.Query, error) {
	uniform, ok := w.tool.(Uniform)
	if !ok || w.special(ep) {
		return wording(w.tool, ep, works)
	}
	sort := uniform.Likeness(ep)
	if ep.Blind != "" {
		sort += "\x00blind" // whatever the tool thinks: words that tell are never those of one that is not to learn
	}
	out, known := w.asked[sort]
	if known {
		return out, nil
	}
	out, err := wording(w.tool, ep, works)
	if err == nil {
		w.asked[sort] = out
	}
	return out, err
}

func wording(t Tool, ep Endpoint, works []Work) ([]ledger.Query, error) {
	var out []ledger.Query
	for _, w := range works {
		qs, err := t.Compile(ep, w)
		if err != nil {
			return nil, fmt.Errorf("word the queries of %s: %w", t.Describe().Name, err)
		}
		out = append(out, qs...)
	}
	if _, recorded := t.(Searcher); recorded {
		for i := range out {
			out[i].Behind = ep.Behind
		}
	}
	return out, nil
}
