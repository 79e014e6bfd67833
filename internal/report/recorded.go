package report

import (
	"fmt"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// days says which days a recorded tool was searched for.
func (r recordedJSON) days() string {
	if r.WindowFrom == nil || r.WindowTo == nil {
		return "window unknown"
	}
	const date = len("2006-01-02")
	return "from " + (*r.WindowFrom)[:date] + " to " + (*r.WindowTo)[:date]
}

// words counts the endpoints of a recorded tool by state. Hits and what was not seen are always told, the rest when there
// is any.
func (r recordedJSON) words() string {
	out := []string{count(r.Endpoints, "endpoint", "endpoints")}
	for _, c := range []struct {
		n     int
		state ledger.State
	}{
		{r.Hit, ledger.Hit}, {r.NotSeen, ledger.NotSeen}, {r.Partial, ledger.Partial}, {r.Unverified, ledger.Unverified}, {r.Error, ledger.Error},
		{r.Unasked, ledger.Unasked}, {r.Asleep, ledger.Asleep}, {r.Excluded, ledger.Excluded},
	} {
		if c.n > 0 || c.state == ledger.Hit || c.state == ledger.NotSeen {
			out = append(out, fmt.Sprintf("%d %s", c.n, strings.ReplaceAll(string(c.state), "_", " ")))
		}
	}
	return strings.Join(out, ", ")
}
