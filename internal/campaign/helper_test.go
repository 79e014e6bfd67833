package campaign_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// spy is this machine's tool with a hook before each question.
type spy struct {
	edr.Tool
	before func(ctx context.Context, q ledger.Query) error

	mu    sync.Mutex
	asked map[string]int
}

func newSpy(t *testing.T) *spy {
	t.Helper()
	s := &spy{Tool: local.New("this-machine", local.Options{}), asked: map[string]int{}}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *spy) Ask(ctx context.Context, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	s.mu.Lock()
	s.asked[q.ID]++
	s.mu.Unlock()
	if s.before != nil {
		if err := s.before(ctx, q); err != nil {
			return ledger.Answer{}, err
		}
	}
	return s.Tool.Ask(ctx, ep, q)
}

func (s *spy) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, x := range s.asked {
		n += x
	}
	return n
}

func openStore(t *testing.T, path string) *results.Store {
	t.Helper()
	s, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newCampaign(store campaign.Store, tool edr.Tool) *campaign.Campaign {
	return &campaign.Campaign{
		Store: store, Tools: []edr.Tool{tool}, Progress: func(campaign.Event) {}, Now: time.Now,
		NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	}
}

// planted makes n folders, the last with a file, and gives the folders and the file's sha256.
func planted(t *testing.T, n int) (roots []string, digest string) {
	t.Helper()
	base := t.TempDir()
	for i := range n {
		root := filepath.Join(base, fmt.Sprintf("root%d", i))
		if err := os.MkdirAll(root, 0o755); err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	text := []byte("planted by a test")
	if err := os.WriteFile(filepath.Join(roots[n-1], "evil.bin"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return roots, hex.EncodeToString(sum[:])
}

func specFor(roots []string, digest string) campaign.Spec {
	search := edr.DefaultSearch()
	search.Where, search.Paths = []ledger.Stage{ledger.Files}, map[string][]string{"": roots}
	spec := campaign.Spec{Hunt: "sweep", Pivot: pivot.DefaultOptions(), Search: search, DoneWhen: campaign.DoneWhen{Verified: 1}}
	spec.SeedHashes([]indicator.Indicator{{Kind: indicator.SHA256, Value: digest}})
	return spec
}

// sha256Only is a tool that takes no other digest.
type sha256Only struct{ edr.Tool }

func (s sha256Only) Describe() edr.Description {
	d := s.Tool.Describe()
	d.Kinds = []indicator.Kind{indicator.SHA256}
	return d
}

func md5Spec(roots []string) campaign.Spec {
	spec := specFor(roots, unknown)
	spec.SeedHashes([]indicator.Indicator{{Kind: indicator.MD5, Value: md5A}})
	return spec
}
