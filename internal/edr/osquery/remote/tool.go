package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// chunk is how many digests one query carries: an agent has to take the text within one answer to its poll.
const chunk = 5000

// ToolOptions are what the tool needs beside its name. Nodes must be given.
type ToolOptions struct {
	Nodes    Nodes
	Kinds    []indicator.Kind // digests to ask by, in order of preference; nil is sha256, sha1, md5
	Interval time.Duration    // of polls; 0 is DefaultInterval
	Now      func() time.Time
	// Lighter words a question anew for an agent that refuses its text or died in it; nil is osquery.Lighter.
	Lighter func(q ledger.Query, attempt int) (lighter ledger.Query, ok bool, err error)
}

// Tool is all agents that enrolled, as one tool. Its questions are posted: agents come for them.
type Tool struct {
	name string
	opt  ToolOptions

	mu    sync.Mutex
	agent map[string]string // of each endpoint that is not an osqueryd
}

var (
	_ edr.Posted   = (*Tool)(nil)
	_ edr.Splitter = (*Tool)(nil)
	_ edr.Hider    = (*Tool)(nil)
	_ edr.Checker  = (*Tool)(nil)
)

// NewTool makes the tool. It asks for its nodes when it is asked for endpoints.
func NewTool(name string, opt ToolOptions) *Tool {
	if len(opt.Kinds) == 0 {
		opt.Kinds = indicator.DigestKinds()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Lighter == nil {
		opt.Lighter = osquery.Lighter
	}
	whole(&opt.Interval, DefaultInterval)
	return &Tool{name: name, opt: opt}
}

// Describe says what the tool is.
func (t *Tool) Describe() edr.Description {
	return edr.Description{Name: t.name, Type: Type, Mode: ledger.Live, Kinds: t.opt.Kinds, Chunk: chunk, Blind: true}
}

// Endpoints lists the nodes, those too that are asleep.
func (t *Tool) Endpoints(ctx context.Context) ([]edr.Endpoint, error) {
	nodes, err := t.opt.Nodes.Nodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the machines that enrolled: %w", err)
	}
	out := make([]edr.Endpoint, 0, len(nodes))
	agents := map[string]string{}
	for _, n := range nodes {
		ep := endpoint(n)
		ep.Asleep = asleep(n, t.opt.Now(), t.opt.Interval)
		out = append(out, ep)
		if n.Agent != ledger.AgentOsquery {
			agents[n.ID] = n.Agent
		}
	}
	t.mu.Lock()
	t.agent = agents
	t.mu.Unlock()
	return out, nil
}

func endpoint(n ledger.Node) edr.Endpoint {
	ep := edr.Endpoint{
		ID: n.ID, Hostname: n.Hostname, Platform: n.Platform, LastSeen: n.LastSeen, Labels: slices.Clone(n.Labels),
		Cannot: cmp.Or(n.Cannot, Cannot(n)),
	}
	if n.Twin != "" {
		ep.Notes = append(ep.Notes, n.Twin)
	}
	if !n.Approved {
		ep.Blind = "not approved"
	}
	return ep
}

// Cannot says why a node can't be asked at all, "" when it can: hunter has no words for its platform, or osquery's version
// neither reports what it refused nor has all columns.
func Cannot(n ledger.Node) string {
	if !slices.Contains([]string{"linux", "darwin", "windows"}, n.Platform) {
		return fmt.Sprintf("hunter has no queries for the platform %q", n.Platform)
	}
	return osquery.TooOld(n.Agent, n.Version)
}

// Compile words the questions for one endpoint. They are the same for all of one platform and sort of agent, as an agent
// knows by the text what it refuses.
func (t *Tool) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	t.mu.Lock()
	agent := t.agent[ep.ID]
	t.mu.Unlock()
	if agent == ledger.AgentHunter {
		return osquery.Compile(osquery.Embedded(""), ep, w)
	}
	return osquery.Compile(osquery.Osqueryd(), ep, w)
}

// Blind words a question anew without a digest.
func (t *Tool) Blind(q ledger.Query) (ledger.Query, error) { return osquery.Blind(q) }

// Lighter words a question anew.
func (t *Tool) Lighter(q ledger.Query, attempt int) (ledger.Query, bool, error) {
	return t.opt.Lighter(q, attempt)
}

// Split words the parts of a query that was over its budget.
func (t *Tool) Split(q ledger.Query, subs []ledger.Sub, room int) ([]ledger.Query, error) {
	return osquery.Split(q, subs, room)
}

// Ask is no way to ask a fleet: its agents come and ask.
func (t *Tool) Ask(context.Context, edr.Endpoint, ledger.Query) (ledger.Answer, error) {
	return ledger.Answer{}, errors.New("a fleet is asked by a campaign on a server; run `hunter serve`")
}

// Check tells how many machines enrolled, and how many of them were heard of within three intervals.
func (t *Tool) Check(ctx context.Context) []diag.Check {
	nodes, err := t.opt.Nodes.Nodes(ctx)
	if err != nil {
		return []diag.Check{diag.Unknown("reachable", err.Error(), "look at the results database")}
	}
	if len(nodes) == 0 {
		return []diag.Check{diag.Unknown("reachable", "no machine has enrolled", "`hunter enroll-kit` writes what an agent needs to enrol with `hunter serve`")}
	}
	awake, can := 0, 0
	for _, n := range nodes {
		if t.opt.Now().Sub(n.LastSeen) <= ledger.SilentPolls*t.opt.Interval {
			awake++
		}
		if cmp.Or(n.Cannot, Cannot(n)) == "" {
			can++
		}
	}
	detail := fmt.Sprintf("%d machines enrolled, %d polled in the last %s, %d can be asked", len(nodes), awake, ledger.SilentPolls*t.opt.Interval, can)
	if awake == 0 || can == 0 {
		return []diag.Check{diag.Fail("reachable", detail, "is `hunter serve` running, and do the agents reach it? --disable_distributed=false must be in their flags")}
	}
	return []diag.Check{diag.OK("reachable", detail)}
}

// Close frees nothing: the tool holds nothing.
func (t *Tool) Close() error { return nil }
