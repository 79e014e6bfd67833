package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

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
