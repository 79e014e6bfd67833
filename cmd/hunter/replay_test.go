package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/pivot/threatscape/threatscapetest"
)

type threatscapeKey struct{}

// replayed gives a script a ThreatScape of recorded answers, with an address that hunts files name as $THREATSCAPE_URL.
func replayed(e *testscript.Env) {
	s := threatscapetest.New()
	e.Defer(s.Close)
	e.Values[threatscapeKey{}] = s
	e.Setenv("THREATSCAPE_URL", s.URL)
	e.Setenv("ISIGHT_PUBLIC_KEY", threatscapetest.PublicKey)
	e.Setenv("ISIGHT_PRIVATE_KEY", threatscapetest.PrivateKey)
}

// plant gives a script a Carbon Black EDR with three sensors: one recorded a program of the story, one other programs, one
// nothing. Its clock is the machine's, since a window ends today.
func plant(t *testing.T, e *testscript.Env) {
	s := carbonblacktest.New(t)
	s.Now = time.Now()
	for i, name := range []string{"PLANT-01", "PLANT-02", "PLANT-03"} {
		s.Sensors = append(s.Sensors, carbonblacktest.Sensor{ID: i + 1, Name: name})
	}
	known := strings.Repeat("6", 32)
	s.Processes = []carbonblacktest.Process{
		{Sensor: 1, MD5: "5c2bf212d57a6db9a6ba73e8fef4ed77", Path: `c:\windows\temp\svchst.dll`, Fields: map[string]any{"hostname": "plant-01"}},
		{Sensor: 1, MD5: known, Path: `c:\windows\explorer.exe`},
		{Sensor: 2, MD5: known, Path: `c:\windows\explorer.exe`},
	}
	s.Binaries = []carbonblacktest.Binary{{MD5: known, Names: []string{`c:\windows\explorer.exe`}, Seen: []string{"PLANT-01|1", "PLANT-02|2"}}}
	e.Setenv("CARBONBLACK_URL", s.URL)
	e.Setenv("CB_TOKEN", carbonblacktest.Token)
}

// subst puts the script's variables into files: subst FILE...
func subst(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

// asked wants the recorded ThreatScape to have been asked so many questions since the script began, each as documented:
// asked N.
func asked(ts *testscript.TestScript, _ bool, args []string) {
	s := ts.Value(threatscapeKey{}).(*threatscapetest.Server)
	if faults := s.Faults(); len(faults) > 0 {
		ts.Fatalf("requests that are not as documented:\n%s", strings.Join(faults, "\n"))
	}
	if all := s.Asked(); len(args) != 1 || strconv.Itoa(len(all)) != args[0] {
		ts.Fatalf("%d questions, not %q:\n%s", len(all), args, strings.Join(all, "\n"))
	}
}
