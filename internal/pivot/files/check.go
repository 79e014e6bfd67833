package files

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/pivot"
)

var _ pivot.Checker = (*Provider)(nil)

// maxDamaged is how many damaged sources are told one by one.
const maxDamaged = 20

// Check imports the provider's own files where they have changed, tells those that are damaged, and counts what is there
// to answer from.
func (p *Provider) Check(ctx context.Context) []diag.Check {
	var out []diag.Check
	if len(p.opt.Paths) > 0 {
		sum, err := p.store.ImportPaths(ctx, p.opt.Paths, nil, ImportOptions{Confidence: p.opt.Config.Confidence})
		if err != nil {
			return []diag.Check{diag.Fail("sources", err.Error(), "look at the database and at paths")}
		}
		for _, f := range sum.Files {
			if f.Error != "" && len(out) < maxDamaged {
				out = append(out, diag.Fail("sources", f.Error, "mend or remove it: a run ends at a damaged source"))
			}
		}
		if more := sum.Failed() - len(out); more > 0 {
			out = append(out, diag.Fail("sources", fmt.Sprintf("%d more are damaged", more), ""))
		}
	}
	return append(out, p.counted(ctx))
}

// counted says what the provider can answer from.
func (p *Provider) counted(ctx context.Context) diag.Check {
	scope, args := p.scope("r.source")
	var sources, reports, members int64
	err := p.rows(ctx, func(rows *sql.Rows) error { return rows.Scan(&sources, &reports, &members) },
		"SELECT count(DISTINCT r.source), count(*), coalesce(sum(r.members), 0) FROM intel_report r WHERE 1 = 1"+scope, args...)
	switch {
	case err != nil:
		return diag.Fail("indicators", err.Error(), "look at the database")
	case members == 0:
		next := "hunter intel import PATH"
		if len(p.opt.Paths) > 0 {
			next = "look at paths: there is nothing in them"
		}
		return diag.Unknown("indicators", "it holds none, so it knows nothing of any hash", next)
	}
	return diag.OK("indicators", fmt.Sprintf("indicators: %d, reports: %d, sources: %d", members, reports, sources))
}
