package campaign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// proof is what an endpoint's absence would prove, and who proved it before.
type proof struct {
	name    string        // of the questions, word for word
	carried results.Proof // zero: it is asked itself
}

// carryProofs leaves out the endpoints that an earlier run proved to be without anything that is asked now, not longer ago
// than the hunt allows. Old proof is not new proof: each keeps its date, and is told as carried.
func (c *Campaign) carryProofs(ctx context.Context, p *Prepared) error {
	named := map[*ledger.Query]string{} // endpoints of a fleet share their questions
	for i := range p.Plan.Tools {
		tp := &p.Plan.Tools[i]
		if tp.Tool.Mode == ledger.Recorded {
			continue
		}
		for j := range tp.Endpoints {
			ep := &tp.Endpoints[j]
			if len(ep.Queries) == 0 {
				continue
			}
			if _, ok := named[&ep.Queries[0]]; !ok {
				named[&ep.Queries[0]] = proofOf(ep.Queries)
			}
			known := proof{name: named[&ep.Queries[0]]}
			if p.Spec.MaxAge > 0 {
				now := c.Now()
				old, err := c.Store.LatestProof(ctx, ep.Endpoint.ID, tp.Tool.Name, known.name, now.Add(-p.Spec.MaxAge), now)
				if err != nil {
					return err
				}
				if old != nil {
					known.carried = *old
					carry(ep, *old)
				}
			}
			p.proofs[Pair{ep.Endpoint.ID, tp.Tool.Name}] = known
		}
	}
	return nil
}

func carry(ep *edr.EndpointPlan, old results.Proof) {
	ep.Queries = nil
	ep.Carried = fmt.Sprintf("carried: run %s proved it at %s for the same questions", old.Run, old.At.UTC().Format(time.RFC3339))
}

// proofOf names questions by their words and by what a full answer must hold.
func proofOf(queries []ledger.Query) string {
	h := sha256.New()
	for _, q := range queries {
		fmt.Fprintf(h, "%s\x00%s\x00%s\x00%d\x00%d\x00", q.Engine, q.Root, q.Text, q.MaxSize, len(q.Text)) // never fails
		if q.Blind {                                                                                       // its words do not tell what is asked for
			fmt.Fprintf(h, "%s\x00", q.Hashes)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
