package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Flags that are neither switches nor free text are completed, so that a new one is not forgotten.
func TestFlagsAreCompleted(t *testing.T) {
	t.Parallel()
	free := strings.Fields("db alert carbonblack hypothesis name title schedule intel hash report graph host label exclude never seed case since depth follow limit " +
		"canary rate late wait timeout max-size max-indicators max-per-report max-reports min-confidence pivot confidence read-rate cpu-share " +
		"listen listen-agents tls-name enroll-secret distributed-interval max-connections server agent-dir seen-since unseen-since version interval query-timeout memory enroll-approve")
	root := newRoot(&globals{})
	seen := map[string]bool{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, completed := c.GetFlagCompletionFunc(f.Name)
			isFree := f.Value.Type() == "bool"
			for _, name := range free {
				isFree = isFree || name == f.Name
			}
			if !completed && !isFree {
				t.Errorf("%s --%s is not completed", c.CommandPath(), f.Name)
			}
			seen[f.Name] = true
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	for _, name := range free {
		if !seen[name] {
			t.Errorf("no command has the flag --%s", name)
		}
	}
}

// What is offered is taken: the formats of a report, and the words of --fail-on, --tlp and --unsized.
func TestOfferedWordsAreTaken(t *testing.T) {
	t.Parallel()
	g := &globals{}
	for _, f := range reportFormats() {
		if _, err := g.presenter(f); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"fail-on", "tlp", "unsized", "where", "platform", "kind", "verdict"} {
		offered, _ := g.flagCompleters()[name](nil, nil, "")
		if len(offered) == 0 {
			t.Errorf("--%s offers nothing", name)
		}
		for _, word := range offered {
			if name == "fail-on" && checkFailOn(word) != nil {
				t.Errorf("--fail-on %s is offered and refused", word)
			}
			said := false
			for _, c := range newRoot(g).Commands() {
				for _, at := range append([]*cobra.Command{c}, c.Commands()...) {
					if f := at.LocalFlags().Lookup(name); f != nil && (strings.Contains(f.Usage, word) || name == "kind") {
						said = true
					}
				}
			}
			if !said {
				t.Errorf("--%s %s is offered, and the flag does not say so", name, word)
			}
		}
	}
}

// A completion over a command line that is not valid offers nothing and says nothing.
func TestCompletionIsQuiet(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	code := run(context.Background(), []string{"__complete", "report", "--db", t.TempDir(), ""}, streams{in: strings.NewReader(""), out: &out, err: &errs})
	if diff := cmp.Diff("last\tthe newest run\n:36\n", out.String()); code != 0 || diff != "" {
		t.Errorf("%d, %s, %s", code, diff, errs.String())
	}
}
