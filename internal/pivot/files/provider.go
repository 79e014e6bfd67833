package files

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// Config is what a hunts file may say of a provider of type files.
type Config struct {
	Paths      []string `yaml:"paths" json:"paths,omitempty" path:"any" doc:"Files and folders of intelligence, relative to this file, imported again only when they have changed. Omitted: everything that hunter intel import brought."`
	Confidence int      `yaml:"confidence" json:"confidence,omitempty" min:"1" max:"100" default:"50" doc:"Confidence of indicators whose file states none: plain lists and CSV."`
}

// ProviderOptions make a provider.
type ProviderOptions struct {
	Config Config
	Paths  []string // absolute; nil answers from everything imported
	MaxTLP indicator.TLP
}

// Provider answers from the local intelligence store. Nothing leaves this machine.
type Provider struct {
	name  string
	store *Store
	opt   ProviderOptions
	gone  []any // sources whose file is no longer there: what was taken away is not believed any more
}

var (
	_ pivot.Provider      = (*Provider)(nil)
	_ pivot.ReportPivoter = (*Provider)(nil)
)

// NewProvider makes a provider over the store.
func NewProvider(name string, s *Store, opt ProviderOptions) *Provider {
	return &Provider{name: name, store: s, opt: opt}
}

// Prepare imports the provider's files where they have changed. A damaged file is an error that names every one.
func (p *Provider) Prepare(ctx context.Context) (Summary, error) {
	if len(p.opt.Paths) == 0 {
		return Summary{}, nil
	}
	sum, err := p.store.ImportPaths(ctx, p.opt.Paths, nil, ImportOptions{Confidence: p.opt.Config.Confidence})
	if err != nil {
		return sum, err
	}
	var faults []error
	for _, f := range sum.Files {
		if f.Error != "" {
			faults = append(faults, errors.New(f.Error))
		}
	}
	return sum, errors.Join(append(faults, p.forget(ctx, sum))...)
}

// forget leaves out what earlier imports brought from files that are gone.
func (p *Provider) forget(ctx context.Context, sum Summary) error {
	there := map[string]bool{}
	for _, f := range sum.Files {
		abs, err := filepath.Abs(f.Name)
		if err != nil {
			return fmt.Errorf("find %s: %w", f.Name, err)
		}
		there[abs] = true
	}
	p.gone = nil
	var gone []any
	scope, args := p.scope("id")
	err := p.rows(ctx, func(rows *sql.Rows) error {
		var id int64
		var name string
		err := rows.Scan(&id, &name)
		if !there[name] {
			gone = append(gone, id)
		}
		return err
	}, `SELECT id, name FROM intel_source WHERE 1`+scope, args...)
	p.gone = gone
	return err
}

// Describe says what the provider is.
func (p *Provider) Describe() pivot.Description {
	return pivot.Description{Name: p.name, Type: "files", Kinds: indicator.Kinds(), MaxTLP: p.opt.MaxTLP, Local: true}
}

// scope limits a query to the provider's own sources; column is the source's id.
func (p *Provider) scope(column string) (text string, args []any) {
	if len(p.opt.Paths) == 0 {
		return "", nil
	}
	var tests []string
	for _, path := range p.opt.Paths {
		tests = append(tests, "name = ? OR substr(name, 1, length(?)) = ?")
		under := strings.TrimSuffix(path, string(filepath.Separator)) + string(filepath.Separator)
		args = append(args, path, under, under)
	}
	text = " AND " + column + " IN (SELECT id FROM intel_source WHERE (" + strings.Join(tests, " OR ") + ")"
	if len(p.gone) > 0 {
		text += " AND id NOT IN (?" + strings.Repeat(", ?", len(p.gone)-1) + ")"
	}
	return text + ")", append(args, p.gone...)
}

// rows runs a read and hands each row to scan. A parameter that the text does not cast, or that is a limit, makes SQLite compile
// a kept statement anew each time, which takes longer than the read.
func (p *Provider) rows(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	rows, err := p.store.db.R.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read the intelligence store: %w", err)
	}
	defer rows.Close() // read-only
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read the intelligence store: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the intelligence store: %w", err)
	}
	return nil
}

// objectsOf finds the file objects of many digests, given as JSON, in one read: in the order of the digests, and an object once.
const objectsOf = `SELECT o.id, o.size, o.names, j.kind, j.value FROM (
		SELECT d.object AS object, min(a.key) AS seq FROM json_each(?) a
		CROSS JOIN intel_indicator i ON i.value = a.value ->> 1 AND i.kind = a.value ->> 0
		CROSS JOIN intel_object_digest d ON d.indicator = i.id GROUP BY d.object) f
	CROSS JOIN intel_object o ON o.id = f.object CROSS JOIN intel_object_digest e ON e.object = o.id
	CROSS JOIN intel_indicator j ON j.id = e.indicator WHERE 1`

// Resolve gives the file objects that hold any of the digests.
func (p *Provider) Resolve(ctx context.Context, digests []indicator.Indicator) (pivot.Result, error) {
	var res pivot.Result
	asked := make([][2]string, len(digests))
	for i, d := range digests {
		asked[i] = [2]string{string(d.Kind), d.Value}
	}
	list, err := json.Marshal(asked)
	if err != nil {
		return res, err
	}
	scope, args := p.scope("o.source")
	last := int64(0)
	err = p.rows(ctx, func(rows *sql.Rows) error {
		var id, size int64
		var names, kind, value string
		if err := rows.Scan(&id, &size, &names, &kind, &value); err != nil {
			return err
		}
		if id != last {
			last = id
			f := indicator.File{Size: size}
			if err := json.Unmarshal([]byte(names), &f.Names); err != nil {
				return err
			}
			res.Files = append(res.Files, f)
		}
		res.Files[len(res.Files)-1].SetDigest(indicator.Kind(kind), value)
		return nil
	}, objectsOf+scope+` ORDER BY f.seq, o.id, j.kind`, append([]any{string(list)}, args...)...)
	return res, err
}

// row is one report of the store.
type row struct {
	id      int64
	raw     string
	members int
	report  indicator.Report
}

const reportColumns = `SELECT r.id, r.uid, r.title, r.tlp, r.tlp_assumed, r.published, r.tags, r.members, s.digest
	FROM intel_report r JOIN intel_source s ON s.id = r.source`

func (p *Provider) scanReport(rows *sql.Rows) (row, error) {
	var x row
	var tlp, tags string
	var published sql.NullString
	err := rows.Scan(&x.id, &x.report.ID, &x.report.Title, &tlp, &x.report.Assumed, &published, &tags, &x.members, &x.raw)
	if err != nil {
		return x, err
	}
	x.report.Provider, x.report.TLP, x.report.Published = p.name, indicator.TLP(tlp), unstamp(published)
	return x, json.Unmarshal([]byte(tags), &x.report.Tags)
}

// Related gives the reports that name an indicator, what these name, and direct relations.
func (p *Provider) Related(ctx context.Context, ind indicator.Indicator, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	scope, args := p.scope("r.source")
	var reports []row
	err := p.rows(ctx, func(rows *sql.Rows) error {
		x, err := p.scanReport(rows)
		reports = append(reports, x)
		return err
	}, reportColumns+` WHERE r.id IN (SELECT m.report FROM intel_indicator i JOIN intel_member m ON m.indicator = i.id WHERE i.value = CAST(? AS TEXT) AND i.kind = CAST(? AS TEXT))`+
		scope+` ORDER BY r.published DESC, r.uid, r.id`, append([]any{ind.Value, string(ind.Kind)}, args...)...)
	if err != nil {
		return res, err
	}
	if lim.PerIndicator > 0 && len(reports) > lim.PerIndicator {
		res.Cut = append(res.Cut, pivot.Cut{Provider: p.name, At: ind.String(), Limit: "max_reports", Kept: lim.PerIndicator, Total: len(reports)})
		reports = reports[:lim.PerIndicator]
	}
	for _, r := range reports {
		if lim.Known[r.report.Ref()] { // its members were told in full
			res.Reports = append(res.Reports, r.report)
			continue
		}
		if err := p.members(ctx, &res, r, pivot.IndicatorRef(ind), indicator.RelSameReport, lim.PerReport); err != nil {
			return res, err
		}
	}
	return res, p.direct(ctx, &res, ind)
}

// members adds a report's indicators, most trusted first.
func (p *Provider) members(ctx context.Context, res *pivot.Result, r row, from pivot.Ref, rel indicator.Relation, limit int) error {
	res.Reports = append(res.Reports, r.report)
	if limit <= 0 {
		limit = r.members
	}
	if r.members > limit+1 { // the indicator itself is one of them
		res.Cut = append(res.Cut, pivot.Cut{Provider: p.name, At: "report:" + r.report.Ref(), Limit: "max_per_report", Kept: limit, Total: r.members})
	}
	taken, order := 0, "m.indicator" // as the index has it: all are taken
	if r.members > limit+1 {
		order = "i.kind, i.value" // which ones are kept must not depend on the order of imports
	}
	res.Edges = slices.Grow(res.Edges, min(limit, r.members))
	proto := pivot.Edge{From: from, Relation: rel, Provider: p.name, Report: r.report.Ref(), Raw: r.raw}
	var tlp string
	var at sql.NullString
	return p.rows(ctx, func(rows *sql.Rows) error {
		e := proto
		if err := rows.Scan(&e.To.Kind, &e.To.Value, &e.Confidence, &at, &tlp); err != nil {
			return err
		}
		if e.To == from || taken == limit {
			return nil
		}
		taken++
		if e.Time = unstamp(at); e.Time.IsZero() {
			e.Time = r.report.Published
		}
		e.TLP = indicator.Stricter(r.report.TLP, indicator.TLP(tlp))
		res.Edges = append(res.Edges, e)
		return nil
	}, `SELECT i.kind, i.value, m.confidence, m.time, m.tlp FROM intel_member m JOIN intel_indicator i ON i.id = m.indicator
		WHERE m.report = CAST(? AS INTEGER) ORDER BY m.confidence DESC, `+order+` LIMIT `+strconv.Itoa(limit+1), r.id)
}

// direct adds relations that are stated between two indicators, read from either end.
func (p *Provider) direct(ctx context.Context, res *pivot.Result, ind indicator.Indicator) error {
	scope, args := p.scope("e.source")
	for _, inverse := range []bool{false, true} {
		near, far := "e.from_indicator", "e.to_indicator"
		if inverse {
			near, far = far, near
		}
		err := p.rows(ctx, func(rows *sql.Rows) error {
			e := pivot.Edge{From: pivot.IndicatorRef(ind), Provider: p.name}
			var rel, tlp, uid string
			var at sql.NullString
			if err := rows.Scan(&e.To.Kind, &e.To.Value, &rel, &e.Confidence, &uid, &at, &tlp, &e.Raw); err != nil {
				return err
			}
			e.Relation, e.Time, e.TLP = indicator.Relation(rel), unstamp(at), indicator.TLP(tlp)
			if inverse {
				e.Relation = e.Relation.Inverse()
			}
			if uid != "" {
				e.Report = p.name + ":" + uid
			}
			res.Edges = append(res.Edges, e)
			return nil
		}, `SELECT j.kind, j.value, e.relation, e.confidence, e.report, e.time, e.tlp, s.digest FROM intel_indicator i JOIN intel_edge e ON `+near+` = i.id
			JOIN intel_indicator j ON j.id = `+far+` JOIN intel_source s ON s.id = e.source WHERE i.value = CAST(? AS TEXT) AND i.kind = CAST(? AS TEXT)`+scope+` ORDER BY e.id`,
			append([]any{ind.Value, string(ind.Kind)}, args...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// FromReport gives a report's indicators and the reports that it is related to.
func (p *Provider) FromReport(ctx context.Context, id string, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	scope, args := p.scope("r.source")
	var reports []row
	err := p.rows(ctx, func(rows *sql.Rows) error {
		x, err := p.scanReport(rows)
		reports = append(reports, x)
		return err
	}, reportColumns+` WHERE r.uid = ?`+scope+` ORDER BY r.id`, append([]any{id}, args...)...)
	if err != nil {
		return res, err
	}
	if len(reports) == 0 {
		res.Skipped = append(res.Skipped, pivot.Skip{Provider: p.name, Indicator: "report:" + p.name + ":" + id, Reason: "no such report in the intelligence store"})
		return res, nil
	}
	ref := pivot.ReportRef(p.name + ":" + id)
	for _, r := range reports {
		if err := p.members(ctx, &res, r, ref, indicator.RelReportsOn, lim.PerReport); err != nil {
			return res, err
		}
	}
	scope, args = p.scope("l.source")
	return res, p.rows(ctx, func(rows *sql.Rows) error {
		var to string
		err := rows.Scan(&to)
		res.Edges = append(res.Edges, pivot.Edge{From: ref, To: pivot.ReportRef(p.name + ":" + to), Relation: indicator.RelRelatedReport, Provider: p.name, Raw: reports[0].raw})
		return err
	}, `SELECT l.to_uid FROM intel_report_link l WHERE l.from_uid = ?`+scope+` ORDER BY l.to_uid`, append([]any{id}, args...)...)
}
