package main

import (
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/report"
)

// reading is how far a run has read, beside what was counted beforehand.
type reading struct {
	forecast campaign.Forecast
	known    bool     // there is a forecast, and it is of all
	done     edr.Cost // of questions that are answered, as they were foretold
	total    edr.Cost // read by all questions
	now      edr.Cost // read by the question that is asked
	asked    edr.Cost // what it was foretold to read
	began    time.Time
}

func (r *reading) foretold(f campaign.Forecast) {
	r.forecast, r.known = f, !f.Cost.Least
}

// of gives what a question was foretold to read.
func (r *reading) of(e campaign.Event) edr.Cost {
	return r.forecast.Each[campaign.Pair{Endpoint: e.Endpoint, Tool: e.Tool}][e.Query.ID]
}

func (r *reading) begin(e campaign.Event, now time.Time) {
	if r.began.IsZero() {
		r.began = now
	}
	r.now, r.asked = edr.Cost{}, r.of(e)
}

func (r *reading) end(e campaign.Event) {
	r.done, r.now, r.asked = r.done.Plus(r.of(e)), edr.Cost{}, edr.Cost{}
}

func (r *reading) add(w embedded.Work) {
	read := edr.Cost{Files: w.Files, Bytes: w.Bytes}
	r.total, r.now = r.total.Plus(read), r.now.Plus(read)
}

// perFile is how many bytes could be read in the time that one more file takes.
const perFile = 64 << 10

func weight(c edr.Cost) float64 { return float64(c.Bytes) + perFile*float64(c.Files) }

// filesOf words a number of files of which another was counted.
func filesOf(n int64) string {
	if n == 1 {
		return "1 file"
	}
	return report.Thousands(n) + " files"
}

// status says how far it is: the share, the counts, what is left; share is negative when nobody knows of how much.
func (r *reading) status(now time.Time) (share float64, parts []string) {
	all := r.forecast.Cost
	if !r.known || weight(all) == 0 {
		if r.total.Files == 0 {
			return -1, nil
		}
		return -1, []string{fmt.Sprintf("%s, %s read", filesOf(r.total.Files), ledger.Size(r.total.Bytes))}
	}
	got := r.done.Plus(edr.Cost{Files: min(r.now.Files, r.asked.Files), Bytes: min(r.now.Bytes, r.asked.Bytes)})
	share = min(weight(got)/weight(all), 1)
	parts = []string{
		fmt.Sprintf("%d%%", int(100*share)),
		fmt.Sprintf("%s of %s, %s of %s", report.Thousands(got.Files), filesOf(all.Files), ledger.Size(got.Bytes), ledger.Size(all.Bytes)),
	}
	if took := now.Sub(r.began); took >= time.Second && share >= 0.01 && share < 1 {
		parts = append(parts, "about "+report.Long(time.Duration(float64(took)*(1-share)/share))+" left")
	} else if share < 0.01 && r.forecast.Takes > 0 {
		parts = append(parts, "about "+report.Long(r.forecast.Takes)+" left")
	}
	return share, parts
}
