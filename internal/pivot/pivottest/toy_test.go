package pivottest_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/pivottest"
	"github.com/hunter-project/hunter/internal/secret"
)

// A throw-away provider over httpx, and the service that it asks: JSON in pages, a bearer token, 404 for "nothing known".

const toyKey = "toy-EXAMPLE-not-a-key-0123456789"

type toyRow struct {
	Report string `json:"report"`
	Title  string `json:"title"`
	Time   int64  `json:"time"`
	MD5    string `json:"md5,omitempty"`
	SHA1   string `json:"sha1,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Name   string `json:"name,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Value  string `json:"value,omitempty"`
	Trust  string `json:"trust"`
}

type toyPage struct {
	OK      *bool    `json:"ok"`
	Rows    []toyRow `json:"rows"`
	Related []string `json:"related,omitempty"`
	Next    int      `json:"next,omitempty"`
}

const (
	toyPerPage  = 200
	toyMaxPages = 100
)

// toyService words a world; endless never comes to a last page.
func toyService(w pivottest.World, endless bool) http.Handler {
	mux, all := http.NewServeMux(), map[string][]toyRow{}
	for _, r := range w.Reports {
		all[r.ID] = toyRows(r)
	}
	mux.HandleFunc("GET /v1/indicator/{kind}/{value}", func(rw http.ResponseWriter, r *http.Request) {
		asked := indicator.Indicator{Kind: indicator.Kind(r.PathValue("kind")), Value: r.PathValue("value")}
		var rows []toyRow
		for _, report := range w.Naming(asked) {
			rows = append(rows, all[report.ID]...)
		}
		toyAnswer(rw, r, rows, nil, endless)
	})
	mux.HandleFunc("GET /v1/report/{id}", func(rw http.ResponseWriter, r *http.Request) {
		report, _ := w.Report(r.PathValue("id"))
		toyAnswer(rw, r, all[report.ID], report.Related, endless)
	})
	return mux
}

func toyRows(r pivottest.Report) []toyRow {
	var out []toyRow
	for _, m := range r.Members {
		row := toyRow{
			Report: r.ID, Title: r.Title, Time: r.Published.Unix(), MD5: m.File.MD5, SHA1: m.File.SHA1, SHA256: m.File.SHA256, Size: m.File.Size,
			Kind: string(m.Indicator.Kind), Value: m.Indicator.Value, Trust: []string{"sure", "maybe", "victim"}[m.Trust],
		}
		if len(m.File.Names) > 0 {
			row.Name = m.File.Names[0]
		}
		out = append(out, row)
	}
	return out
}

func toyAnswer(w http.ResponseWriter, r *http.Request, rows []toyRow, related []string, endless bool) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if len(rows) == 0 {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"ok":false,"reason":"unknown"}`))
		return
	}
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page := toyPage{OK: new(bool), Rows: rows[min(n*toyPerPage, len(rows)):min((n+1)*toyPerPage, len(rows))], Related: related}
	*page.OK = true
	if (n+1)*toyPerPage < len(rows) || endless {
		page.Next = n + 1
	}
	if endless {
		page.Rows = rows
	}
	_ = json.NewEncoder(w).Encode(page)
}

type toyConfig struct {
	URL string
	Key secret.Ref
}

// toy is the provider. get is httpx's unless a test breaks it.
type toy struct {
	name   string
	base   string
	maxTLP indicator.TLP
	key    secret.String
	get    func(ctx context.Context, req httpx.Request) (*httpx.Response, error)
	log    *slog.Logger
	path   func(string) string // escapes
	strict bool                // false: takes any JSON
	guard  int                 // most pages
}

func toyKinds() []indicator.Kind {
	return []indicator.Kind{indicator.SHA256, indicator.SHA1, indicator.MD5, indicator.Domain, indicator.URL, indicator.Filename}
}

func newToy(t testing.TB, s pivottest.Setup) *toy {
	key := secret.New(toyKey)
	opt := s.HTTP
	opt.Name, opt.Secrets = "toy", []secret.String{key}
	c := httpx.New(opt)
	t.Cleanup(c.Close)
	return &toy{name: "toy", base: s.URL, maxTLP: s.MaxTLP, key: key, get: c.Get, log: s.Log, path: url.PathEscape, strict: true, guard: toyMaxPages}
}

func (t *toy) Describe() pivot.Description {
	return pivot.Description{Name: t.name, Type: "toy", Kinds: toyKinds(), MaxTLP: t.maxTLP}
}

func rawOf(body []byte) pivot.Raw {
	sum := sha256.Sum256(body)
	return pivot.Raw{Digest: hex.EncodeToString(sum[:]), Body: body}
}

// pages asks for all pages; what came is given back with an error too.
func (t *toy) pages(ctx context.Context, path string, res *pivot.Result, each func(raw string, p toyPage)) error {
	next := 0
	for n := 0; ; n++ {
		if n == t.guard {
			res.Skipped = append(res.Skipped, pivot.Skip{Indicator: "page:" + path, Reason: fmt.Sprintf("the answer has more than %d pages; the rest was not read", n)})
			return nil
		}
		got, err := t.get(ctx, httpx.Request{URL: t.base + path + "?page=" + strconv.Itoa(next), Accept: "application/json", Sign: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+t.key.Reveal())
			return nil
		}})
		if errors.Is(err, httpx.ErrAuth) {
			return fmt.Errorf("%w; look at the setting key", err)
		}
		if err != nil {
			return err
		}
		body := []byte(secret.Redact(string(got.Body), t.key))
		raw := rawOf(body)
		t.log.DebugContext(ctx, "asked", slog.String("path", path), slog.Int("status", got.Status))
		if got.Status != http.StatusOK {
			res.Raw = append(res.Raw, raw)
			return nil
		}
		var p toyPage
		if err := json.Unmarshal(body, &p); t.strict && (err != nil || got.Type != "application/json" || p.OK == nil || !*p.OK || p.Rows == nil) {
			return fmt.Errorf("%s: the answer is none of the service's (%s, %d bytes)", t.name, got.Type, len(body))
		}
		res.Raw = append(res.Raw, raw)
		each(raw.Digest, p)
		if next = p.Next; next == 0 {
			return nil
		}
	}
}

func (r toyRow) file() indicator.File {
	f := indicator.File{MD5: r.MD5, SHA1: r.SHA1, SHA256: r.SHA256, Size: r.Size}
	if r.Name != "" {
		f.Names = []string{r.Name}
	}
	return f
}

func (r toyRow) all() []indicator.Indicator {
	if r.Kind != "" {
		return []indicator.Indicator{{Kind: indicator.Kind(r.Kind), Value: r.Value}}
	}
	return r.file().Digests()
}

func (t *toy) takes(i indicator.Indicator) bool { return slices.Contains(toyKinds(), i.Kind) }

func (t *toy) indicatorPath(i indicator.Indicator) string {
	return "/v1/indicator/" + string(i.Kind) + "/" + t.path(i.Value)
}

func (t *toy) Resolve(ctx context.Context, digests []indicator.Indicator) (pivot.Result, error) {
	var res pivot.Result
	for _, d := range digests {
		if !t.takes(d) {
			continue
		}
		err := t.pages(ctx, t.indicatorPath(d), &res, func(_ string, p toyPage) {
			for _, row := range p.Rows {
				if row.file().Digest(d.Kind) == d.Value {
					res.Files = append(res.Files, row.file())
				}
			}
		})
		if err != nil {
			return res, err
		}
	}
	return res, nil
}

// toyReport is a report while its rows come in.
type toyReport struct {
	report indicator.Report
	edges  []pivot.Edge
}

func (t *toy) Related(ctx context.Context, ind indicator.Indicator, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	if !t.takes(ind) {
		return res, nil
	}
	all := map[string]*toyReport{}
	err := t.pages(ctx, t.indicatorPath(ind), &res, t.collect(&res, all, pivot.IndicatorRef(ind), indicator.RelSameReport))
	t.put(&res, all, ind.String(), lim)
	return res, err
}

// collect gives what takes the rows of a page in.
func (t *toy) collect(res *pivot.Result, all map[string]*toyReport, from pivot.Ref, rel indicator.Relation) func(string, toyPage) {
	return func(raw string, p toyPage) {
		for _, row := range p.Rows {
			if row.Trust == "victim" {
				for _, i := range row.all() {
					res.Skipped = append(res.Skipped, pivot.Skip{Indicator: i.String(), Reason: "a victim's own file"})
				}
				continue
			}
			r := all[row.Report]
			if r == nil {
				r = &toyReport{report: indicator.Report{Provider: t.name, ID: row.Report, Title: row.Title, Published: time.Unix(row.Time, 0).UTC()}}
				all[row.Report] = r
			}
			if f := row.file(); len(f.Digests()) > 0 {
				res.Files = append(res.Files, f)
			}
			for _, i := range row.all() {
				to := pivot.IndicatorRef(i)
				if to != from {
					r.edges = append(r.edges, pivot.Edge{
						From: from, To: to, Relation: rel, Provider: t.name, Report: r.report.Ref(), Confidence: map[string]int{"sure": 90, "maybe": 40}[row.Trust],
						Time: r.report.Published, Raw: raw,
					})
				}
			}
		}
	}
}

// put words the collected reports within the limits.
func (t *toy) put(res *pivot.Result, all map[string]*toyReport, asked string, lim pivot.Limits) {
	var reports []*toyReport
	for _, r := range all {
		reports = append(reports, r)
	}
	slices.SortFunc(reports, func(a, b *toyReport) int {
		return cmp.Or(b.report.Published.Compare(a.report.Published), cmp.Compare(a.report.ID, b.report.ID))
	})
	if n := len(reports); n > lim.PerIndicator {
		reports = reports[:lim.PerIndicator]
		res.Cut = append(res.Cut, pivot.Cut{At: asked, Limit: "max_reports", Kept: lim.PerIndicator, Total: n})
	}
	for _, r := range reports {
		res.Reports = append(res.Reports, r.report)
		slices.SortFunc(r.edges, func(a, b pivot.Edge) int {
			return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(a.To.Kind, b.To.Kind), cmp.Compare(a.To.Value, b.To.Value))
		})
		r.edges = slices.CompactFunc(r.edges, func(a, b pivot.Edge) bool { return a.To == b.To })
		if n := len(r.edges); n > lim.PerReport {
			r.edges = r.edges[:lim.PerReport]
			res.Cut = append(res.Cut, pivot.Cut{At: "report:" + r.report.Ref(), Limit: "max_per_report", Kept: lim.PerReport, Total: n})
		}
		res.Edges = append(res.Edges, r.edges...)
	}
}

func (t *toy) FromReport(ctx context.Context, id string, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	ref := pivot.ReportRef(t.name + ":" + id)
	all, related := map[string]*toyReport{}, map[string]string{}
	collect := t.collect(&res, all, ref, indicator.RelReportsOn)
	err := t.pages(ctx, "/v1/report/"+t.path(id), &res, func(raw string, p toyPage) {
		collect(raw, p)
		for _, r := range p.Related {
			related[r] = raw
		}
	})
	t.put(&res, all, ref.String(), lim)
	for r, raw := range related {
		res.Edges = append(res.Edges, pivot.Edge{From: ref, To: pivot.ReportRef(t.name + ":" + r), Relation: indicator.RelRelatedReport, Provider: t.name, Raw: raw})
	}
	return res, err
}

// toySubject tells the suite how the toy is made and served.
func toySubject() pivottest.Subject {
	key, _ := secret.ParseRef("env:TOY_KEY")
	return pivottest.Subject{
		Name:  "toy",
		New:   func(t testing.TB, s pivottest.Setup) pivot.Provider { return newToy(t, s) },
		Serve: func(w pivottest.World) http.Handler { return toyService(w, false) },
		Kinds: toyKinds(),
		Unknown: []pivottest.Reply{
			{Name: "404", Status: http.StatusNotFound, Body: `{"ok":false,"reason":"unknown"}`},
			{Name: "no rows", Body: `{"ok":true,"rows":[]}`},
			{Name: "204", Status: http.StatusNoContent},
		},
		Refusals:    []pivottest.Reply{{Name: "ok false", Body: `{"ok":false,"reason":"no"}`}},
		Endless:     func(w pivottest.World) http.Handler { return toyService(w, true) },
		Secrets:     []string{toyKey},
		KeySettings: []string{"key"},
		Config:      toyConfig{URL: "https://toy.example", Key: key},
		Recorded: []pivottest.Recorded{{
			Name:    "an answer as it is",
			Service: pivottest.Reply{Body: toyRecorded},
			Ask:     indicator.Indicator{Kind: indicator.MD5, Value: strings.Repeat("a", 32)},
			Files:   []indicator.File{{MD5: strings.Repeat("a", 32), SHA256: strings.Repeat("b", 64), Size: 24}},
			Reached: []indicator.Indicator{{Kind: indicator.SHA256, Value: strings.Repeat("c", 64)}},
			Refused: []indicator.Indicator{{Kind: indicator.MD5, Value: "d41d8cd98f00b204e9800998ecf8427e"}},
		}},
	}
}

const toyRecorded = `{"ok":true,"rows":[
 {"report":"r1","title":"T","time":1700000000,"md5":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb","size":24,"trust":"sure"},
 {"report":"r1","title":"T","time":1700000000,"sha256":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","trust":"sure"},
 {"report":"r1","title":"T","time":1700000000,"md5":"d41d8cd98f00b204e9800998ecf8427e","trust":"sure"}]}`
