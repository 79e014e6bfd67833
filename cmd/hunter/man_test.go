package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// plain takes the signs of a man page out of its text.
func plain(page string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(`\-`, "-", `\fB`, "", `\fR`, "", `\fP`, "", `\fI`, "", `\&`, "", `\(en`, "-", `\`, "", "`", "").Replace(page)), " ")
}

// Every command has a page, and the page says what the command says of itself and of each flag.
func TestManPages(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1800000000")
	dir := filepath.Join(t.TempDir(), "man", "man1")
	var out, errs strings.Builder
	s := streams{in: strings.NewReader(""), out: &out, err: &errs}
	if code := run(context.Background(), []string{"man", dir}, s); code != 0 || out.Len()+errs.Len() > 0 {
		t.Fatalf("%d, %s, %s", code, out.String(), errs.String())
	}
	pages := map[string]bool{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		pages[name] = true
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			return
		}
		page := plain(string(text))
		said := c.Long
		if said == "" || c.Parent() != nil && c.Parent().Name() == "completion" { // cobra's own, with blocks of code
			said = c.Short
		}
		wants := []string{"Jan 2027", plain(c.Short), plain(said)}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { wants = append(wants, "--"+f.Name, plain(f.Usage)) })
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				walk(sub)
			}
		}
	}
	root := newRoot(&globals{})
	root.InitDefaultCompletionCmd()
	walk(root)
	found, err := filepath.Glob(dir + "/*")
	if err != nil || len(found) != len(pages) {
		t.Errorf("%d pages for %d commands, %v", len(found), len(pages), err)
	}
	if code := run(context.Background(), []string{"man", filepath.Join(dir, "hunter.1")}, s); code != 2 || errs.Len() == 0 {
		t.Errorf("a file in the folder's place: %d, %s", code, errs.String())
	}
}
