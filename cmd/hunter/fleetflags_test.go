package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
)

// The flags about a fleet go before what the hunt says, each for itself; a wrong one is named.
func TestFleetFlags(t *testing.T) {
	t.Parallel()
	spec := campaign.Spec{Fleet: campaign.Fleet{Canary: 3, Rate: campaign.Rate{Count: 1, Per: time.Hour}, Late: time.Hour, StopIf: campaign.StopIf{Errors: 0.5}}}
	want := spec.Fleet
	if err := (&askFlags{canary: -1}).apply(&spec); err != nil || spec.Fleet != want {
		t.Errorf("%+v, %v", spec.Fleet, err)
	}
	want.Canary, want.Rate, want.Late = 0, campaign.Rate{Count: 10, Per: time.Second}, 48*time.Hour
	if err := (&askFlags{canary: 0, rate: "10/s", late: "2d", timeout: "5m"}).apply(&spec); err != nil || spec.Fleet != want || spec.Timeout != 5*time.Minute {
		t.Errorf("%+v, %v", spec, err)
	}
	none := campaign.Spec{}
	if err := (&askFlags{canary: -1}).apply(&none); err != nil || none.Fleet != campaign.DefaultFleet() {
		t.Errorf("%+v, %v", none.Fleet, err)
	}
	err := (&askFlags{canary: -2, rate: "fast", late: "soon"}).apply(&none)
	for _, flag := range []string{"--canary", "--rate", "--late"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s is not named: %v", flag, err)
		}
	}
}
