package resultstest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

func kinds(events []results.Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func runLives(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	r, err := s.Run(ctx, RunOne)
	ok(t, err)
	if r.State != results.RunRunning || r.ExitCode != nil || !r.FinishedAt.IsZero() || !r.PivotComplete {
		t.Errorf("running: %+v", r)
	}
	same(t, "run", []any{"sweep", "The title of sweep", "INC-7", "files up to 50 MiB in /home", 0.95, `{"hunt":"sweep"}`, At(0)},
		[]any{r.Hunt, r.Title, r.Case, r.Scope, r.DoneWhen, string(r.Definition), r.StartedAt})
	ok(t, s.FinishRun(ctx, RunOne, results.RunFailed, 2, "disk on fire"))
	r, err = s.Run(ctx, RunOne)
	ok(t, err)
	if r.State != results.RunFailed || r.ExitCode == nil || *r.ExitCode != 2 || r.Error != "disk on fire" || r.FinishedAt.IsZero() {
		t.Errorf("failed: %+v", r)
	}
	events, err := s.Events(ctx, RunOne, 0, 0)
	ok(t, err)
	same(t, "events", []string{"created", "pivoted", "planned", "running", "failed"}, kinds(events))
}

func runResumes(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	ok(t, s.SetRunState(ctx, RunOne, results.RunDetached, "interrupted"))
	ok(t, s.SetRunState(ctx, RunOne, results.RunRunning, "resumed"))
	ok(t, s.FinishRun(ctx, RunOne, results.RunFailed, 2, "why"))
	ok(t, s.SetRunState(ctx, RunOne, results.RunRunning, "resumed"))
	r, err := s.Run(ctx, RunOne)
	ok(t, err)
	if r.ExitCode != nil || r.Error != "" || !r.FinishedAt.IsZero() {
		t.Errorf("a run that goes on has an end: %+v", r)
	}
	events, err := s.Events(ctx, RunOne, 0, 0)
	ok(t, err)
	same(t, "events", []string{"created", "pivoted", "planned", "running", "detached", "resumed", "failed", "resumed"}, kinds(events))
}

func runsFound(t *testing.T, s *results.Store) {
	ctx := t.Context()
	_, err := s.Run(ctx, "last")
	is(t, err, results.ErrNoRun)
	Start(t, s, RunTwo, "b", At(30), results.SavedPlan{})
	Start(t, s, RunOne, "a", At(0), results.SavedPlan{}) // the clock was set back in between: it is the last one all the same
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{RunOne, RunOne, nil},
		{"0193a", RunOne, nil},
		{"last", RunOne, nil},
		{"0193", "", results.ErrAmbiguous},
		{"019", "", results.ErrNoRun},   // too short to name anything
		{"0193%", "", results.ErrNoRun}, // no pattern
		{"", "", results.ErrNoRun},
		{"ffff", "", results.ErrNoRun},
	} {
		r, err := s.Run(ctx, c.name)
		is(t, err, c.err)
		if r.ID != c.want {
			t.Errorf("%q: %q, want %q", c.name, r.ID, c.want)
		}
	}
}

func runsListed(t *testing.T, s *results.Store) {
	Fill(t, s)
	for name, c := range map[string]struct {
		f    results.Filter
		want []string
	}{
		"all":   {results.Filter{}, []string{RunTwo, RunOne}},
		"limit": {results.Filter{Limit: 1}, []string{RunTwo}},
		"hunt":  {results.Filter{Hunt: "siem-ransomware"}, []string{RunOne}},
		"state": {results.Filter{State: "running"}, []string{RunTwo}},
		"since": {results.Filter{Since: At(1)}, []string{RunTwo}},
		"run":   {results.Filter{Run: "0193a"}, []string{RunOne}},
		"none":  {results.Filter{Hunt: "x"}, nil},
	} {
		runs, err := s.Runs(t.Context(), c.f)
		ok(t, err)
		var got []string
		for _, r := range runs {
			got = append(got, r.ID)
		}
		same(t, name, c.want, got)
	}
}

func unknownRuns(t *testing.T, s *results.Store) {
	ctx := t.Context()
	is(t, s.SetRunState(ctx, "nope", results.RunRunning, ""), results.ErrNoRun)
	is(t, s.FinishRun(ctx, "nope", results.RunFinished, 0, ""), results.ErrNoRun)
	is(t, s.SavePivot(ctx, "nope", results.Pivoted{}), results.ErrNoRun)
	is(t, s.SavePlan(ctx, "nope", results.SavedPlan{}), results.ErrNoRun)
	_, err := s.AppendEvent(ctx, results.Event{Run: "nope", Kind: "x"})
	is(t, err, results.ErrNoRun)
	_, _, err = s.Hits(ctx, results.Filter{Run: "nope"})
	is(t, err, results.ErrNoRun)
	_, err = s.Hit(ctx, 1)
	is(t, err, results.ErrNoHit)
	is(t, s.Triage(ctx, 1, results.FindingBenign, "", ""), results.ErrNoFinding)
	if err := s.CreateRun(ctx, results.Run{ID: "x", StartedAt: At(0)}); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateRun(ctx, results.Run{ID: "x", StartedAt: At(0)}); err == nil {
		t.Error("two runs of one id")
	}
}

func eventsAppend(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), Plan([]string{"h1"}, nil))
	first, err := s.AppendEvent(ctx, results.Event{Run: RunOne, At: At(3), Kind: "paused", Endpoint: "h1", Detail: `{"by":"bob"}`})
	ok(t, err)
	ok(t, s.RecordAnswer(ctx, Answered(RunOne, "h1", "fleet", At(4), ledger.Absent, true)))
	events, err := s.Events(ctx, RunOne, first-1, 0)
	ok(t, err)
	same(t, "kinds", []string{"paused", "answered"}, kinds(events))
	same(t, "event", results.Event{Seq: first, Run: RunOne, At: At(3), Kind: "paused", Endpoint: "h1", Detail: `{"by":"bob"}`}, events[0])
	one, err := s.Events(ctx, RunOne, first, 1)
	ok(t, err)
	if len(one) != 1 || one[0].Seq <= first || one[0].Query != "files-1" {
		t.Errorf("after the first: %+v", one)
	}
}

func clockBack(t *testing.T, s *results.Store) {
	ctx := t.Context()
	Start(t, s, RunOne, "sweep", At(0), results.SavedPlan{})
	Start(t, s, RunTwo, "sweep", At(0), results.SavedPlan{})
	ahead := At(60 * 24 * 365 * 100) // of whatever clock the store has
	entry := func(run string, minutes int) {
		_, err := s.AppendEvent(ctx, results.Event{Run: run, At: ahead.Add(time.Duration(minutes) * time.Minute), Kind: "x"})
		ok(t, err)
	}
	for _, step := range []struct {
		minutes int
		want    time.Duration
	}{{0, 0}, {50, 0}, {50, 0}, {40, 10 * time.Minute}, {45, 10 * time.Minute}, {0, 45 * time.Minute}, {30, 45 * time.Minute}, {10, 45 * time.Minute}} {
		entry(RunOne, step.minutes)
		entry(RunTwo, 0) // a run of its own
		got, err := s.ClockBack(ctx, RunOne)
		ok(t, err)
		if got != step.want {
			t.Errorf("after an entry at %d minutes: %s instead of %s", step.minutes, got, step.want)
		}
	}
	got, err := s.ClockBack(ctx, RunTwo)
	ok(t, err)
	same(t, "the other run", time.Duration(0), got)
}
