package report

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// A hash that a person is to judge is told wherever a run is told.
func TestSetAsideIsTold(t *testing.T) {
	t.Parallel()
	store, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"), results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() // read
	resultstest.Start(t, store, resultstest.RunOne, "sweep", resultstest.At(0), resultstest.Plan([]string{"h1"}, nil))
	common := results.Aside{Kind: indicator.SHA256, Value: strings.Repeat("ab", 32), Endpoints: 40, Answered: 120}
	if err := store.SetAside(t.Context(), resultstest.RunOne, []results.Aside{common}); err != nil {
		t.Fatal(err)
	}
	if err := store.SetAside(t.Context(), "nothing", []results.Aside{common}); err == nil {
		t.Error("set aside in a run that is not there")
	}
	v, err := Load(t.Context(), store, resultstest.RunOne)
	if err != nil || len(v.Aside) != 1 || v.Aside[0] != common {
		t.Fatalf("%+v, %v", v.Aside, err)
	}
	if text := Sentence(v); !strings.Contains(text, "Note: sha256 "+common.Value+" is on 40 of 120 endpoints") {
		t.Error(text)
	}
	var out bytes.Buffer
	if err := JSON(&out, v); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"set_aside":[{"kind":"sha256","value":"`+common.Value+`","endpoints":40,"answered":120}]`) {
		t.Error(out.String())
	}
	out.Reset()
	if err := Text(Style{})(&out, v); err != nil || !strings.Contains(out.String(), "a person is to judge it") {
		t.Errorf("%s, %v", out.String(), err)
	}
}
