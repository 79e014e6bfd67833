package campaign_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// enrolled is what a tool may ask beside its nodes.
type enrolled = remote.Nodes

// many is a fleet of so many nodes that nobody keeps.
type many struct {
	enrolled
	n int
}

func (m many) Nodes(context.Context) ([]ledger.Node, error) {
	out := make([]ledger.Node, m.n)
	for i := range out {
		out[i] = ledger.Node{
			ID: fmt.Sprintf("node-%06d", i), Host: ledger.Host{Hostname: fmt.Sprintf("ws-%06d.example", i), Platform: []string{"linux", "windows", "darwin"}[i%3]},
			Agent: ledger.AgentOsquery, Version: "5.23.0", LastSeen: noon(),
		}
	}
	return out, nil
}

// BenchmarkFleetPlan plans a hunt of 1,000 hashes of unknown size on 10,000 nodes and stores the plan.
func BenchmarkFleetPlan(b *testing.B) {
	store, err := results.Open(b.Context(), filepath.Join(b.TempDir(), "h.db"), results.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close() // thrown away
	tool := remote.NewTool("fleet", remote.ToolOptions{Nodes: many{n: 10_000}, Now: noon})
	c := &campaign.Campaign{Store: store, Tools: []edr.Tool{tool}, Now: noon, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Progress: func(campaign.Event) {}}
	s := campaign.NewSteward(c, store, campaign.StewardOptions{Server: "s", Interval: time.Minute, Lease: time.Hour, Log: slog.New(slog.DiscardHandler)})
	var hashes []indicator.Indicator
	for i := range 1000 {
		hashes = append(hashes, indicator.Indicator{Kind: indicator.SHA256, Value: fmt.Sprintf("%064x", i+1)})
	}
	for b.Loop() {
		spec := specFor(nil, unknown)
		spec.Search = edr.DefaultSearch()
		spec.SeedHashes(hashes)
		spec.Pivot.Limits.MaxIndicators = 5000
		id, err := c.Request(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		s.Begin(b.Context())
		n, err := store.Targets(b.Context(), id)
		if err != nil || len(n) != 10_000 {
			b.Fatal(len(n), err)
		}
	}
}
