package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/report"
	"github.com/hunter-project/hunter/internal/results"
)

// filePresenter gives the writer of a report file; ok is false for a format that this hunter does not write.
func filePresenter(f hunts.Format) (present func(io.Writer, report.View) error, ok bool) {
	switch f {
	case hunts.FormatText:
		return report.Text(report.Style{}), true
	case hunts.FormatMarkdown:
		return report.Markdown, true
	case hunts.FormatHTML:
		return report.HTML, true
	case hunts.FormatCSV:
		return report.CSV, true
	case hunts.FormatJSON:
		return report.JSON, true
	default:
		return nil, false
	}
}

// outputs are the report entries of the hunts of a set that are written as files.
type outputs map[string]hunts.Hunt

// outputsOf takes the hunts of a set; nil for none.
func outputsOf(set *hunts.Set) outputs {
	out := outputs{}
	if set != nil {
		for _, h := range set.Hunts {
			out[h.Name] = h
		}
	}
	return out
}

// unwritten says which entries of report are not served by this version.
func (g *globals) unwritten(h hunts.Hunt) {
	for _, o := range h.Report {
		switch _, ok := filePresenter(o.Format); {
		case !o.Webhook.IsZero():
			g.hint("hunt %s: webhooks are not called by this version; nothing is posted", h.Name)
		case !ok:
			g.hint("hunt %s: reports in the format %s are not written by this version", h.Name, o.Format)
		}
	}
}

// write writes the report files of a run that has ended. A run that goes on later has its reports written then.
func (o outputs) write(ctx context.Context, g *globals, store *results.Store, hunt string, out campaign.Outcome) error {
	h, ok := o[hunt]
	if !ok || out.Run == "" || len(h.Report) == 0 {
		return nil
	}
	if out.Detached {
		g.hint("the reports of hunt %s are written when run %s has ended", h.Name, out.Run)
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readingTime)
	defer cancel()
	v, err := report.Load(ctx, store, out.Run)
	if err != nil {
		return err
	}
	var faults []error
	for _, entry := range h.Report {
		present, ok := filePresenter(entry.Format)
		if !ok || entry.Path.Given == "" {
			continue
		}
		if entry.Format == "csv" { // every hit: a table that was cut would look whole
			present = func(w io.Writer, v report.View) error { return csvOf(ctx, w, store, v.Run.ID, false) }
		}
		path, err := report.WriteFile(h.Dir, entry.Path.Given, v, present)
		if err != nil {
			faults = append(faults, fmt.Errorf("the run is recorded; its %s report is not written: %w", entry.Format, err))
			continue
		}
		g.hint("report written: %s", path)
	}
	return errors.Join(faults...)
}

// checkGraph refuses a bad --graph before intelligence is asked.
func checkGraph(path string, pivots int) error {
	switch {
	case path == "":
		return nil
	case pivots > 1:
		return fmt.Errorf("--graph draws one pivot; %d are given", pivots)
	case !strings.EqualFold(filepath.Ext(path), ".svg"):
		return fmt.Errorf("--graph %s: the picture is an SVG; name a file that ends in .svg", path)
	}
	return nil
}

// writeGraph draws a pivot into a file.
func writeGraph(path string, view report.Graph) error {
	var b bytes.Buffer
	if err := report.GraphSVG(&b, view); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the picture of the pivot: %w", err)
	}
	return nil
}
