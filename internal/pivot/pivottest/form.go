package pivottest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// formCheck collects what is wrong with the wording of one answer.
type formCheck struct {
	desc    pivot.Description
	ref     pivot.Ref // what was asked
	lim     pivot.Limits
	res     pivot.Result
	reports map[string]indicator.Report
	raws    map[string]bool
	faults  []error
}

// maxForm bounds the faults of one answer; ten thousand wrong edges are one fault.
const maxForm = 5

func (c *formCheck) faultf(format string, args ...any) {
	if len(c.faults) < maxForm {
		c.faults = append(c.faults, fmt.Errorf(format, args...))
	}
}

// form gives what is wrong with the wording of an answer, by the contract of pivot.Provider.
func form(desc pivot.Description, a answer, lim pivot.Limits) []error {
	c := &formCheck{desc: desc, ref: a.ref, lim: lim, res: a.res, reports: map[string]indicator.Report{}, raws: map[string]bool{}}
	c.raw()
	c.named()
	c.files()
	members := map[string]map[pivot.Ref]bool{}
	for _, e := range a.res.Edges {
		c.edge(e)
		if e.Relation == indicator.RelSameReport || e.Relation == indicator.RelReportsOn {
			if members[e.Report] == nil {
				members[e.Report] = map[pivot.Ref]bool{}
			}
			members[e.Report][e.To] = true
		}
	}
	c.limits(members)
	c.notes()
	return c.faults
}

func (c *formCheck) raw() {
	for _, r := range c.res.Raw {
		c.raws[r.Digest] = true
		if len(r.Digest) != 64 {
			c.faultf("the raw answer %q is not named by a sha256", r.Digest)
		}
		if sum := sha256.Sum256(r.Body); r.Body != nil && hex.EncodeToString(sum[:]) != r.Digest {
			c.faultf("the digest %s is not that of its raw answer", r.Digest)
		}
		if r.Body == nil && !c.desc.Local {
			c.faultf("the raw answer %s has no body", r.Digest)
		}
	}
}

func (c *formCheck) named() {
	for _, r := range c.res.Reports {
		if r.ID == "" {
			c.faultf("a report without id")
		}
		if r.Provider != "" && r.Provider != c.desc.Name {
			c.faultf("the report %s is of another provider", r.Ref())
		}
		r.Provider = c.desc.Name
		c.reports[r.Ref()] = r
	}
}

func (c *formCheck) files() {
	for _, f := range c.res.Files {
		if len(f.Digests()) == 0 {
			c.faultf("a file object without digest")
		}
		for _, d := range f.Digests() {
			c.normal("the file object", pivot.IndicatorRef(d))
		}
		if f.Size < 0 {
			c.faultf("a file object of %d bytes", f.Size)
		}
	}
}

// normal sees that a node is an indicator in its normal form. A digest that is none stays as it came: it is refused by
// name before dispatch.
func (c *formCheck) normal(where string, ref pivot.Ref) {
	ind, ok := ref.Indicator()
	if !ok {
		c.faultf("%s %s: no indicator", where, ref)
		return
	}
	n, err := indicator.Parse(ind.Kind, ind.Value)
	if (err == nil && n != ind) || (err != nil && !ind.Kind.IsDigest()) {
		c.faultf("%s %.100s: not in its normal form", where, ref)
	}
}

func (c *formCheck) edge(e pivot.Edge) {
	name := fmt.Sprintf("the edge %s to %.100s", e.Relation, e.To)
	switch {
	case e.From != c.ref:
		c.faultf("%s starts at %s, not at what was asked", name, e.From)
	case e.To == e.From:
		c.faultf("%s leads to itself", name)
	case e.Relation == "":
		c.faultf("%s has no relation", name)
	case e.Relation == indicator.RelSibling:
		c.faultf("%s: siblings come as file objects", name)
	case e.Provider != "" && e.Provider != c.desc.Name:
		c.faultf("%s is of the provider %s", name, e.Provider)
	case e.Confidence < 0 || e.Confidence > 100:
		c.faultf("%s has the confidence %d", name, e.Confidence)
	case e.Raw == "" && len(c.res.Raw) != 1:
		c.faultf("%s names no raw answer", name)
	case e.Raw != "" && !c.raws[e.Raw] && !c.desc.Local:
		c.faultf("%s names the raw answer %s, which is not there", name, e.Raw)
	case e.Report != "" && !strings.HasPrefix(e.Report, c.desc.Name+":"):
		c.faultf("%s: the report %s is not named as %s:ID", name, e.Report, c.desc.Name)
	}
	ofReport := c.ref.Kind == indicator.RefReport
	switch e.Relation {
	case indicator.RelRelatedReport:
		if !ofReport || e.To.Kind != indicator.RefReport || !strings.HasPrefix(e.To.Value, c.desc.Name+":") {
			c.faultf("%s: related reports lead from one report to another", name)
		}
		return
	case indicator.RelSameReport, indicator.RelReportsOn:
		c.member(name, e, ofReport)
	case indicator.RelInReport:
		c.faultf("%s: there are no edges from an indicator to its report", name)
		return
	}
	c.normal(name, e.To)
}

// member checks an edge that says that a report names something.
func (c *formCheck) member(name string, e pivot.Edge, ofReport bool) {
	r, there := c.reports[e.Report]
	switch {
	case e.Report == "":
		c.faultf("%s names no report", name)
	case !there:
		c.faultf("%s: the report %s is not among the answer's reports", name, e.Report)
	case ofReport != (e.Relation == indicator.RelReportsOn):
		c.faultf("%s: from an indicator it is same_report, from a report reports_on", name)
	case ofReport && e.Report != c.ref.Value:
		c.faultf("%s: it is of the report %s", name, e.Report)
	case e.Time.IsZero() && r.Published.IsZero():
		c.faultf("%s has no time, and neither has its report", name)
	}
}

func (c *formCheck) limits(members map[string]map[pivot.Ref]bool) {
	if n := len(members); c.lim.PerIndicator > 0 && n > c.lim.PerIndicator {
		c.faultf("%d reports, max_reports is %d", n, c.lim.PerIndicator)
	}
	for ref, to := range members {
		if c.lim.PerReport > 0 && len(to) > c.lim.PerReport {
			c.faultf("%d members of %s, max_per_report is %d", len(to), ref, c.lim.PerReport)
		}
	}
}

func (c *formCheck) notes() {
	for _, cut := range c.res.Cut {
		switch {
		case !slices.Contains([]string{"max_per_report", "max_reports"}, cut.Limit):
			c.faultf("a cut by the limit %q, which is not a provider's", cut.Limit)
		case cut.Total != 0 && cut.Total <= cut.Kept:
			c.faultf("a cut that left nothing out: %d of %d", cut.Kept, cut.Total)
		case cut.Limit == "max_per_report" && !strings.HasPrefix(cut.At, "report:"+c.desc.Name+":"):
			c.faultf("a cut of a report at %q, not at report:%s:ID", cut.At, c.desc.Name)
		case cut.Limit == "max_reports" && cut.At != c.ref.String():
			c.faultf("a cut of reports at %q, not at %s", cut.At, c.ref)
		}
	}
	for _, s := range c.res.Skipped {
		if strings.TrimSpace(s.Reason) == "" || !strings.Contains(s.Indicator, ":") {
			c.faultf("what was skipped has no name or no reason: %+v", s)
		}
	}
}
