package threatscape

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// FromReport gives what a report names and the reports that the vendor relates to it: two questions.
func (p *Provider) FromReport(ctx context.Context, id string, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	if !isID(id) {
		return res, nil // no report has such an id
	}
	ref := pivot.ReportRef(p.name + ":" + id)
	skip := func(reason string) {
		res.Skipped = append(res.Skipped, pivot.Skip{Provider: p.name, Indicator: ref.String(), Reason: reason})
	}
	named, err := p.ofReport(ctx, id, "/indicator")
	if reason, skipped := p.skipped(err); skipped {
		skip("its indicators: " + reason)
		err = nil
	}
	if err != nil {
		return res, err
	}
	related, err := p.ofReport(ctx, id, "/report")
	if reason, skipped := p.skipped(err); skipped {
		skip("its related reports: " + reason)
		err = nil
	}
	p.namedBy(&res, ref, named, lim)
	p.relatedTo(&res, ref, related)
	if len(res.Edges) > 0 && !slices.ContainsFunc(res.Reports, func(r indicator.Report) bool { return r.Ref() == ref.Value }) {
		res.Reports = append(res.Reports, indicator.Report{Provider: p.name, ID: id, TLP: indicator.TLPAmber, Assumed: true})
	}
	return res, err // without the related reports there are still the indicators
}

// ofReport asks the report pivot. That a report is unknown is an answer.
func (p *Provider) ofReport(ctx context.Context, id, what string) (answer, error) {
	path, err := pathOf("/pivot/report/", id, what)
	if err != nil {
		return answer{}, err
	}
	return p.rowsOf(ctx, path, true)
}

// taken keeps an answer as it came, and gives its rows by report.
func (p *Provider) taken(res *pivot.Result, got answer) (reports []told, lost int) {
	if len(got.rows) == 0 {
		return nil, 0
	}
	res.Raw = append(res.Raw, got.raw)
	p.tellAge(res, got)
	return p.reports(got.rows)
}

// namedBy adds the indicators of a report. Rows of other reports are left out: they were not asked for.
func (p *Provider) namedBy(res *pivot.Result, ref pivot.Ref, named answer, lim pivot.Limits) {
	reports, lost := p.taken(res, named)
	m := members{provider: p.name, from: ref, relation: indicator.RelReportsOn, raw: named.raw.Digest, limit: lim.PerReport}
	for _, r := range reports {
		if r.report.Ref() != ref.Value {
			lost += len(r.rows)
			continue
		}
		res.Reports = append(res.Reports, r.report)
		m.add(res, r)
	}
	p.tellLost(res, ref.String(), lost)
}

// tellLost says that rows could not be used.
func (p *Provider) tellLost(res *pivot.Result, at string, lost int) {
	if lost > 0 {
		res.Skipped = append(res.Skipped, pivot.Skip{Provider: p.name, Indicator: at, Reason: fmt.Sprintf("%d rows of the answer name no report, or another one; they are left out", lost)})
	}
}

// relatedTo adds the reports that the vendor relates to one.
func (p *Provider) relatedTo(res *pivot.Result, ref pivot.Ref, related answer) {
	reports, lost := p.taken(res, related)
	for _, r := range reports {
		if r.report.Ref() == ref.Value {
			continue
		}
		res.Reports = append(res.Reports, r.report)
		res.Edges = append(res.Edges, pivot.Edge{
			From: ref, To: pivot.ReportRef(r.report.Ref()), Relation: indicator.RelRelatedReport, Provider: p.name, Time: r.report.Published,
			Raw: related.raw.Digest, TLP: r.report.TLP,
		})
	}
	p.tellLost(res, ref.String(), lost)
}

// searchPage is how many hits one question brings.
const searchPage = 100

// Search finds reports: by an indicator that they hold, or by text. limit is how many are wanted; that there are more is a
// Cut.
func (p *Provider) Search(ctx context.Context, text string, limit int) (pivot.Result, error) {
	var res pivot.Result
	if ind, err := indicator.Detect(text); err == nil {
		if field := searchField(ind.Kind); field != "" {
			got, err := p.rowsOf(ctx, "/search/basic?"+field+"="+queryEscape(ind.Value), false)
			p.found(&res, got)
			p.tooMany(&res, text, limit)
			return res, err
		}
	}
	for offset := 0; ; {
		size := min(searchPage, limit+1-offset)
		got, err := p.rowsOf(ctx, "/search/text?text="+queryEscape(text)+"&limit="+strconv.Itoa(size)+"&offset="+strconv.Itoa(offset), false)
		if err != nil {
			return res, err
		}
		before := len(res.Reports)
		p.found(&res, got)
		offset += len(got.rows)
		if len(got.rows) < size || len(res.Reports) == before || offset > limit {
			p.tooMany(&res, text, limit)
			return res, nil
		}
	}
}

// searchField names the field of the basic search for a kind; "" is none.
func searchField(k indicator.Kind) string {
	switch k {
	case indicator.MD5, indicator.SHA1, indicator.SHA256, indicator.Domain, indicator.URL:
		return string(k)
	case indicator.IPv4, indicator.IPv6:
		return "ip"
	default:
		return ""
	}
}

// found adds the reports of an answer, each once.
func (p *Provider) found(res *pivot.Result, got answer) {
	reports, _ := p.taken(res, got)
	for _, r := range reports {
		if !slices.ContainsFunc(res.Reports, func(old indicator.Report) bool { return old.ID == r.report.ID }) {
			res.Reports = append(res.Reports, r.report)
		}
	}
}

func (p *Provider) tooMany(res *pivot.Result, text string, limit int) {
	if len(res.Reports) > limit {
		res.Cut = append(res.Cut, pivot.Cut{Provider: p.name, At: "search:" + text, Limit: "limit", Kept: limit})
		res.Reports = res.Reports[:limit]
	}
}

// mimeOf gives the media type of a format; it is signed and sent as it stands here.
func mimeOf(format string) string {
	switch format {
	case "json":
		return "application/json"
	case "xml":
		return "text/xml"
	case "html":
		return "text/html"
	case "pdf":
		return "application/pdf"
	case "stix":
		return "application/stix"
	default:
		return ""
	}
}

// Fetch brings a report as a document, exactly as the service gives it.
func (p *Provider) Fetch(ctx context.Context, id, format string) (pivot.Document, error) {
	accept := mimeOf(format)
	if accept == "" {
		return pivot.Document{}, fmt.Errorf("%s gives reports as json, xml, html, pdf and stix, not as %s", p.name, format)
	}
	path, err := pathOf("/report/", id, "?detail=full&format="+format)
	if err != nil || !isID(id) {
		return pivot.Document{}, fmt.Errorf("%s: %w", p.name, cmp.Or(err, pivot.ErrUnknownReport))
	}
	res, err := p.get(ctx, path, accept, func(res *httpx.Response) (string, error) {
		if res.Status != http.StatusOK {
			return "", nil
		}
		return causeOf(checkDocument(res.Body, format), res.Body)
	})
	switch {
	case err != nil:
		return pivot.Document{}, err
	case res.Unknown:
		return pivot.Document{}, fmt.Errorf("%s: %w", p.name, pivot.ErrUnknownReport)
	}
	return pivot.Document{Provider: p.name, ID: id, Format: format, Body: res.Body, Age: res.Age}, nil
}

// checkDocument looks whether a document is what was asked for, by its content: servers name types as they like.
func checkDocument(body []byte, format string) error {
	head := bytes.TrimSpace(bytes.TrimPrefix(body[:min(len(body), 1024)], []byte("\xef\xbb\xbf")))
	if format == "json" || bytes.HasPrefix(head, []byte("{")) {
		if _, err := openJSON(body); err != nil || format == "json" {
			return err
		}
	}
	sound := false
	switch format {
	case "pdf":
		sound = bytes.HasPrefix(head, []byte("%PDF-"))
	case "html":
		sound = bytes.HasPrefix(head, []byte("<"))
	default:
		sound = bytes.HasPrefix(head, []byte("<")) && !isHTML(body)
	}
	if sound {
		return nil
	}
	if _, err := xmlRows(body); errors.Is(err, errSaysNo) {
		return err
	}
	return fmt.Errorf("%w: no %s", errShape, format)
}
