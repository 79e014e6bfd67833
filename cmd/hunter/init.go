package main

import (
	"bytes"
	_ "embed" // the template
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/diag"
)

//go:embed assets/first.yaml.tmpl
var firstFile string

// firstHunt is what the first hunts file is made of.
type firstHunt struct {
	File, Start                   string // for the comments
	Name, Title, Hypothesis       string
	Alert, Report                 string
	Hashes                        []string
	Intel, Paths                  []string
	Platform                      string
	CarbonBlack, TLP, Schedule    string
	ThreatScape                   bool
	force, toStdout, takeDefaults bool
}

func newInitCommand(g *globals) *cobra.Command {
	f := firstHunt{Platform: runtime.GOOS}
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a first hunts file, with comments that explain it",
		Long: "Write a hunts file that lints (hunts.yaml unless FILE says otherwise). On a terminal it asks a few questions, unless a flag\n" +
			"answers any of them or --yes takes the defaults. A file that is there and differs is left alone unless --force is given.",
		Args: takes(0, 1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := defaultHunts()[0]
			if len(args) > 0 {
				file = args[0]
			}
			return g.initFile(cmd, &f, file)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.Name, "name", "first-hunt", "name of the hunt")
	fl.StringVar(&f.Title, "title", "", "one line for people")
	fl.StringVar(&f.Hypothesis, "hypothesis", "", "what the hunt would show if it finds something")
	fl.StringVar(&f.Alert, "alert", "", "start from this alert file (JSON)")
	fl.StringArrayVar(&f.Hashes, "hash", nil, "start from this hash (repeatable)")
	fl.StringVar(&f.Report, "report", "", "start from this intelligence report, by id")
	fl.StringArrayVar(&f.Intel, "intel", nil, "file or folder of intelligence (repeatable)")
	fl.BoolVar(&f.ThreatScape, "threatscape", false, "ask iSIGHT ThreatScape too")
	fl.StringVar(&f.CarbonBlack, "carbonblack", "", "ask the Carbon Black EDR at this address too")
	fl.StringArrayVar(&f.Paths, "path", nil, "look for files under this folder alone (repeatable)")
	fl.StringVar(&f.TLP, "tlp", "amber", "label of the hunt: clear, green, amber, amber+strict, red")
	fl.StringVar(&f.Schedule, "schedule", "", "when a server runs it, such as \"17 3 * * *\"")
	fl.BoolVar(&f.force, "force", false, "write over a file that is there")
	fl.BoolVar(&f.toStdout, "stdout", false, "print the file and write none")
	fl.BoolVarP(&f.takeDefaults, "yes", "y", false, "ask nothing and take the defaults")
	cmd.MarkFlagsMutuallyExclusive("alert", "hash", "report")
	return cmd
}

// initAnswers are the flags that make questions needless.
func initAnswers() []string {
	return []string{"name", "title", "hypothesis", "alert", "hash", "report", "intel", "threatscape", "carbonblack", "path", "tlp", "schedule"}
}

func (g *globals) initFile(cmd *cobra.Command, f *firstHunt, file string) error {
	if file == "-" {
		return errors.New("- is no file to write; --stdout prints it")
	}
	answered := slices.ContainsFunc(initAnswers(), cmd.Flags().Changed)
	if in, ok := g.in.(*os.File); ok && !answered && !f.takeDefaults && term.IsTerminal(int(in.Fd())) {
		if err := f.ask(g.in, g.err); err != nil {
			return err
		}
	}
	if f.toStdout {
		file = defaultHunts()[0] // in the working folder
	}
	text, err := f.text(file)
	if err != nil {
		return err
	}
	if f.toStdout {
		_, err := g.out.Write(text)
		return err
	}
	dir, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("the folder of %s: %w", file, err)
	}
	defer dir.Close() // nothing is written through it
	const everyone = 0o644
	state, err := writeNew(dir, filepath.Base(file), text, f.force, everyone)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(map[string]string{"schema": "hunter.init/1", "file": file, "state": state})
	}
	if _, err := fmt.Fprintf(g.out, "%s %s\n", state, diag.Escape(file)); err != nil {
		return err
	}
	g.hint("read it, then: hunter doctor %s, hunter plan %s", diag.Escape(file), diag.Escape(file))
	return nil
}

// text writes the file as it will stand at path, and holds it to lint.
func (f *firstHunt) text(path string) ([]byte, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("the folder of %s: %w", path, err)
	}
	out := *f
	out.File = path
	if out.Title == "" {
		out.Title = out.Name
	}
	if out.Hypothesis == "" {
		out.Hypothesis = "Files of the same threat are on other machines."
	}
	if out.Alert == "" && len(out.Hashes) == 0 && out.Report == "" {
		out.Start = " --seed alert.json"
	}
	var faults faultList
	beside := func(flag string, paths ...*string) {
		for _, p := range paths {
			if *p == "" {
				continue
			}
			abs, err := filepath.Abs(*p)
			if err != nil {
				faults.add("--%s %q: %w", flag, *p, err)
				continue
			}
			if rel, err := filepath.Rel(dir, abs); err == nil && flag != "path" {
				abs = filepath.ToSlash(rel)
			}
			*p = abs
		}
	}
	out.Intel, out.Paths = slices.Clone(f.Intel), slices.Clone(f.Paths)
	beside("alert", &out.Alert)
	for i := range out.Intel {
		beside("intel", &out.Intel[i])
	}
	for i := range out.Paths {
		beside("path", &out.Paths[i])
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return out.write(path, dir)
}

func (f *firstHunt) write(path, dir string) ([]byte, error) {
	funcs := template.FuncMap{"quote": yamlText, "list": func(all []string) string {
		quoted := make([]string, len(all))
		for i, s := range all {
			quoted[i] = yamlText(s)
		}
		return strings.Join(quoted, ", ")
	}}
	t, err := template.New("first").Funcs(funcs).Parse(firstFile)
	if err != nil {
		return nil, fmt.Errorf("read the form of a hunts file: %w", err)
	}
	var b bytes.Buffer
	f.File = strings.Join(strings.Fields(diag.Escape(path)), " ") // it stands in comments
	if err := t.Execute(&b, f); err != nil {
		return nil, fmt.Errorf("write the hunts file: %w", err)
	}
	_, list := hunts.Parse([]hunts.Source{{Name: path, Dir: dir, Data: b.Bytes()}}, app.Catalog())
	if len(list) > 0 {
		return nil, list
	}
	return b.Bytes(), nil
}

// yamlText quotes a text. What JSON writes is YAML too.
func yamlText(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // a string always has a form
	}
	return strings.TrimSpace(b.String())
}
