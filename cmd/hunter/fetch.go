package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/pivot"
)

// fetchFlags are those of pivot fetch.
type fetchFlags struct {
	format  string
	out     string
	force   bool
	sources sourceFlags
}

func newFetchCommand(g *globals) *cobra.Command {
	var f fetchFlags
	cmd := &cobra.Command{
		Use:   "fetch REPORT...|-",
		Short: "Download whole reports",
		Long: "Write reports, by id (bare, or PROVIDER:ID; - reads ids from standard input, one a line), as files into a folder. A file\n" +
			"that is there and differs is left alone unless --force is given. It exits 2 when any report could not be had.",
		Args: takes(1, many, "the id of a report, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error { return g.fetch(cmd.Context(), &f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "json", "json, xml, html, pdf or stix")
	fl.StringVar(&f.out, "out", ".", "folder to write to; it is made when it is not there")
	fl.BoolVar(&f.force, "force", false, "write over files that are there")
	f.sources.add(cmd)
	return cmd
}

func (g *globals) fetch(ctx context.Context, f *fetchFlags, args []string) error {
	if !slices.Contains(pivot.Formats(), f.format) {
		return fmt.Errorf("--format %q is not %s", f.format, strings.Join(pivot.Formats(), ", "))
	}
	ids, err := reportIDs(args, g.in)
	if err != nil {
		return err
	}
	return g.asking(ctx, f.sources, func(ctx context.Context, providers []pivot.Provider) error {
		if !slices.ContainsFunc(providers, func(p pivot.Provider) bool { _, ok := p.(pivot.Fetcher); return ok }) {
			return errors.New("no provider here gives reports; name a hunts file that defines one with --hunts")
		}
		dir, err := openDir(f.out)
		if err != nil {
			return err
		}
		defer dir.Close() // nothing is written through it
		failed := 0
		for _, id := range ids {
			if err := g.fetchOne(ctx, f, dir, providers, id); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				failed++
				g.say("%s: %s", diag.Escape(id), diag.Escape(err.Error()))
			}
		}
		if failed > 0 {
			g.say("%d of %d reports could not be had", failed, len(ids))
			return exitError{campaign.ExitError}
		}
		return nil
	})
}

// reportIDs reads ids from arguments and, for -, from standard input; each is taken once.
func reportIDs(args []string, stdin io.Reader) ([]string, error) {
	const most, longest = 10_000, 4096
	var ids []string
	add := func(id string) error {
		id = strings.TrimPrefix(strings.TrimSpace(id), "report:")
		if id != "" && !strings.HasPrefix(id, "#") && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if len(ids) > most {
			return fmt.Errorf("over %d reports; fetch them in parts", most)
		}
		return nil
	}
	for _, arg := range args {
		if arg != "-" {
			if err := add(arg); err != nil {
				return nil, err
			}
			continue
		}
		lines := bufio.NewScanner(stdin)
		lines.Buffer(nil, longest)
		for lines.Scan() {
			if err := add(lines.Text()); err != nil {
				return nil, err
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("read ids of reports from standard input: %w", err)
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("no id of a report is given")
	}
	return ids, nil
}

func openDir(path string) (*os.Root, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("--out: %w", err)
	}
	return dir, nil
}

// fetchOne brings one report and writes it.
func (g *globals) fetchOne(ctx context.Context, f *fetchFlags, dir *os.Root, providers []pivot.Provider, id string) error {
	doc, err := document(ctx, providers, id, f.format)
	if err != nil {
		return err
	}
	name := fileName(doc.ID, doc.Format)
	state, err := writeNew(dir, name, doc.Body, f.force)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(struct {
			Schema string `json:"schema"`
			Report string `json:"report"`
			Format string `json:"format"`
			File   string `json:"file"`
			State  string `json:"state"`
			Bytes  int    `json:"bytes"`
			SHA256 string `json:"sha256"`
			Age    int    `json:"age_seconds"`
		}{"hunter.fetch/1", doc.Provider + ":" + doc.ID, doc.Format, name, state, len(doc.Body), digestOf(doc.Body), int(doc.Age.Seconds())})
	}
	from := ""
	if doc.Age >= time.Second {
		from = fmt.Sprintf(", remembered %s ago", doc.Age.Round(time.Second))
	}
	_, err = fmt.Fprintf(g.out, "%s %s  %s:%s  %d bytes%s\n", state, diag.Escape(f.out+string(os.PathSeparator)+name), diag.Escape(doc.Provider), diag.Escape(doc.ID), len(doc.Body), from)
	return err
}

// document asks the provider that an id names, else each in turn.
func document(ctx context.Context, providers []pivot.Provider, id, format string) (pivot.Document, error) {
	var fault error
	for _, p := range providers {
		f, ok := p.(pivot.Fetcher)
		bare, mine := strings.CutPrefix(id, p.Describe().Name+":")
		if mine {
			if !ok {
				return pivot.Document{}, fmt.Errorf("%s: this provider gives no documents", p.Describe().Name)
			}
			return f.Fetch(ctx, bare, format)
		}
		if !ok {
			continue
		}
		doc, err := f.Fetch(ctx, id, format)
		if err == nil {
			return doc, nil
		}
		if fault != nil {
			err = fmt.Errorf("%w; %w", fault, err)
		}
		fault = err
	}
	return pivot.Document{}, fault
}

// fileName makes a name for a report's file. What is not plain in an id becomes _, and then a piece of the id's digest
// keeps two ids apart.
func fileName(id, format string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, id)
	const longest = 100
	safe := plain[:min(len(plain), longest)]
	if id == "" || safe != id || strings.HasPrefix(safe, ".") || strings.HasPrefix(safe, "-") || isDevice(safe) {
		safe = "report_" + strings.TrimLeft(safe, ".-") + "_" + digestOf([]byte(id))[:8]
	}
	return safe + "." + format
}

// isDevice reports whether Windows takes a name for a device, whatever follows its first dot.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToLower(name), ".")
	if len(base) == 4 && (strings.HasPrefix(base, "com") || strings.HasPrefix(base, "lpt")) {
		return true
	}
	return slices.Contains([]string{"con", "prn", "aux", "nul"}, base)
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// writeNew writes a file that is not there. One that is there with the same content is left; another one is refused, or
// with force replaced. Reports are for subscribers: nobody else on this machine may read them.
func writeNew(dir *os.Root, name string, body []byte, force bool) (state string, err error) {
	old, err := dir.ReadFile(name)
	switch {
	case err == nil && bytes.Equal(old, body):
		return "unchanged", nil
	case err == nil && !force:
		return "", fmt.Errorf("%s is there and differs; --force writes over it", name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", err
	}
	if old == nil {
		return "wrote", writeFile(dir, name, body)
	}
	temporary := "." + name + ".part"
	if err := dir.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := writeFile(dir, temporary, body); err != nil {
		return "", err
	}
	return "replaced", dir.Rename(temporary, name)
}

// writeFile makes a file, whole or not at all.
func writeFile(dir *os.Root, name string, body []byte) error {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, dir.Remove(name))
	}
	return nil
}
