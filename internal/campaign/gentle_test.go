package campaign_test

import (
	"testing"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
)

func TestGentleHunt(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		h := hunts.Hunt{}
		h.Run.Gentle = &on
		spec, err := campaign.FromHunt(&hunts.Set{}, h, true)
		if err != nil || spec.Gentle != on {
			t.Errorf("gentle: %t gives %t, %v", on, spec.Gentle, err)
		}
	}
}
