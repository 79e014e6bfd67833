package campaign

import (
	"time"

	"github.com/hunter-project/hunter/internal/results"
)

// Requested gives a run that a server is to carry, and the body that its seed was read from, nil for none.
func Requested(spec Spec, id string, at time.Time) (results.Run, *results.Raw, error) {
	def, err := spec.freeze()
	if err != nil {
		return results.Run{}, nil, err
	}
	run := results.Run{
		ID: id, Hunt: spec.Hunt, Title: spec.Title, State: results.RunPlanned, StartedAt: at,
		TLP: spec.TLP, Case: spec.Case, DoneWhen: spec.DoneWhen.Verified, Definition: def, Served: true,
	}
	if spec.Seed.Raw == nil {
		return run, nil, nil
	}
	return run, &results.Raw{Digest: spec.Seed.Raw.Digest, Body: spec.Seed.Raw.Body}, nil
}
