package pivot

import (
	"context"
	"errors"
	"time"
)

// Searcher is a provider that can be searched for reports, found by type assertion.
type Searcher interface {
	// Search gives the reports (in Reports) that hold a text or an indicator, at most limit of them; that there are more is
	// a Cut.
	Search(ctx context.Context, text string, limit int) (Result, error)
}

// Fetcher is a provider that gives whole reports, found by type assertion.
type Fetcher interface {
	// Fetch brings a report in a format, one of Formats. id is without provider. One that it does not know is
	// ErrUnknownReport.
	Fetch(ctx context.Context, id, format string) (Document, error)
}

// ErrUnknownReport says that a provider knows no report of an id.
var ErrUnknownReport = errors.New("it knows no such report")

// Formats lists the forms in which reports can be fetched.
func Formats() []string { return []string{"json", "xml", "html", "pdf", "stix"} }

// Document is a report as its provider gives it.
type Document struct {
	Provider string
	ID       string
	Format   string
	Body     []byte
	Age      time.Duration // 0: it was fetched just now; else how old the remembered answer is
}

// Remembered says that a provider's answers were remembered ones.
type Remembered struct {
	Provider string  `json:"provider"`
	Answers  int     `json:"answers"`
	Oldest   float64 `json:"oldest_seconds"`
}
