package threatscape

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/threatscape/threatscapetest"
)

// namesOf writes members as "kind:value confidence", with "victim" for those of a victim.
func namesOf(r row) []string {
	var out []string
	for _, m := range r.members() {
		text := m.ind.String()
		if m.victim {
			text += " victim"
		}
		out = append(out, text)
	}
	return out
}

func TestMembers(t *testing.T) {
	t.Parallel()
	const md5 = "03b86596559fe700bc4246bc4995ffd9"
	for name, tt := range map[string]struct {
		row  row
		want []string
	}{
		"names for none":        {row{"filename": "UNAVAILABLE", "md5": strings.ToUpper(md5), "sha256": "unknown"}, []string{"md5:" + md5}},
		"malformed digest":      {row{"md5": "xyz", "sha1": "ddfccb8f030fcd4f79333764fad3298260db118d"}, []string{"md5:xyz", "sha1:ddfccb8f030fcd4f79333764fad3298260db118d"}},
		"fuzzy hashes":          {row{"fuzzyhash": "3:abc:def", "imphash": md5}, nil},
		"path":                  {row{"filepath": `C:\Temp\evil.exe`, "filename": "evil.exe"}, []string{"filename:evil.exe"}},
		"registry in parts":     {row{"registryhive": "HKLM", "registrykey": `\Software\Run`, "registryvalue": "x"}, []string{`registry_key:HKLM\Software\Run\x`}},
		"registry":              {row{"registry": `HKCU\Run`}, []string{`registry_key:HKCU\Run`}},
		"address in the domain": {row{"domain": "192.0.2.1", "ip": "2001:DB8::1"}, []string{"ipv4:192.0.2.1", "ipv6:2001:db8::1"}},
		"no address":            {row{"domain": "localhost", "ip": "none", "url": "unknown"}, nil},
		"email":                 {row{"senderaddress": "A@X.example", "sourcedomain": "x.example", "sourceip": "192.0.2.9", "subject": "s"}, []string{"email:a@x.example", "domain:x.example", "ipv4:192.0.2.9"}},
		"two groups":            {row{"md5": md5, "fileidentifier": "Victim", "domain": "x.example", "networkidentifier": "Attacker"}, []string{"md5:" + md5 + " victim", "domain:x.example"}},
		"tag of another group":  {row{"md5": md5, "networkidentifier": "VICTIM", "useragent": "ua"}, []string{"md5:" + md5 + " victim", "user_agent:ua victim"}},
		"attributes":            {row{"cidr": "192.0.2.0/24", "asn": "64500", "port": "443", "registrantemail": "a@x.example"}, nil},
	} {
		if diff := cmp.Diff(tt.want, namesOf(tt.row)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	for identifier, want := range map[string]int{"Attacker": 90, "compromised": 80, "Related": 50, "Victim": 0, "": 40, "Elsewise": 40} {
		if got, _ := (row{"fileidentifier": identifier}).trust("fileIdentifier"); got != want {
			t.Errorf("%q: %d", identifier, got)
		}
	}
	if got, _ := (row{"intelligencetype": "Malware"}).trust("fileIdentifier"); got != 60 {
		t.Errorf("malware: %d", got)
	}
}

func TestFileOfRow(t *testing.T) {
	t.Parallel()
	const md5 = "03b86596559fe700bc4246bc4995ffd9"
	for size, want := range map[string]int64{"24": 24, "0": 0, "-1": 0, "9999999999999999999": 0, "x": 0, "": 0, "1.5": 0} {
		if f, ok := (row{"md5": md5, "filesize": size}).file(); !ok || f.Size != want {
			t.Errorf("%q: %+v", size, f)
		}
	}
	if _, ok := (row{"filename": "x", "filesize": "3"}).file(); ok {
		t.Error("a file without a digest")
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 10, 8, 18, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"1444327200": at, "October 08, 2015 06:00:00 PM": at, "": {}, "0": {}, "-5": {}, "99999999999999999": {}, "soon": {},
	} {
		if got := timeOf(text); !got.Equal(want) {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// Fields go by their names in any case, numbers may be texts, ThreatScape has three forms.
func TestRowForms(t *testing.T) {
	t.Parallel()
	rows, err := jsonRows([]byte(`{"success":true,"message":[
		{"reportId":" 1 ","THREATSCAPE":["A","B"],"fileSize":24,"MD5":null,"port":443.0,"x":{"y":1},"ok":true},
		{"reportid":2,"threatScape":{"product":["ThreatScape C"]}}, "Intel-3"]}`))
	want := []row{
		{"reportid": "1", "threatscape": "A, B", "filesize": "24", "port": "443.0", "ok": "true"}, {"reportid": "2", "threatscape": "ThreatScape C"}, {"reportid": "Intel-3"},
	}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for range 20 { // of two that differ in case alone it is always the same one
		rows, err := jsonRows([]byte(`{"success":true,"message":[{"title":"b","Title":"a","TITLE":""}]}`))
		if err != nil || rows[0].get("title") != "a" {
			t.Fatal(rows, err)
		}
	}
}

func TestXMLForms(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body string
		want []row
		err  error
	}{
		"any names, namespaces": {`<a:r xmlns:a="u"><a:success>TRUE</a:success><m><x:anything xmlns:x="v"><x:ReportID> 1 </x:ReportID><md5>a</md5><md5>b</md5></x:anything></m></a:r>`,
			[]row{{"reportid": "1", "md5": "a"}}, nil},
		"ids":            {`<r><success>true</success><message><reportId>1</reportId><reportId>2</reportId></message></r>`, []row{{"reportid": "1"}, {"reportid": "2"}}, nil},
		"nothing":        {`<r><success>true</success><message/></r>`, nil, nil},
		"says no":        {`<r><success>false</success><message><error>Bad</error><description>why</description></message></r>`, nil, errSaysNo},
		"a field":        {`<r><message><row><reportId>1</reportId><success>true</success></row></message></r>`, nil, errShape},
		"entities":       {`<!DOCTYPE r [<!ENTITY a "b">]><r><success>true</success></r>`, nil, errShape},
		"unknown entity": {`<r><success>&a;</success></r>`, nil, errShape},
		"cut":            {`<r><success>true</success><message>`, nil, errShape},
		"empty":          {``, nil, errShape},
		"deep":           {strings.Repeat("<a>", 100), nil, errShape},
		"HTML":           {string(threatscapetest.Read("error_404.html")), nil, errShape},
	} {
		rows, err := xmlRows([]byte(tt.body))
		if diff := cmp.Diff(tt.want, rows); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

// checkRows holds what must be true of any rows, whoever wrote them.
func checkRows(t *testing.T, rows []row, err error) {
	t.Helper()
	if err != nil {
		if rows != nil || !(errors.Is(err, errShape) || errors.Is(err, errSaysNo) || errors.Is(err, errTooMany)) {
			t.Fatalf("%v with %d rows", err, len(rows))
		}
		return
	}
	p := &Provider{name: "threatscape"}
	var res pivot.Result
	reports, lost := p.reports(rows)
	total := lost
	m := members{provider: p.name, from: pivot.ReportRef("threatscape:x"), relation: indicator.RelReportsOn, limit: 5}
	for _, r := range reports {
		total += len(r.rows)
		if !isID(r.report.ID) || r.report.TLP != indicator.TLPAmber {
			t.Fatalf("report %+v", r.report)
		}
		before := len(res.Edges)
		m.add(&res, r)
		hunted := 0
		for _, e := range res.Edges[before:] {
			if e.Relation != indicator.RelVictim {
				hunted++
			} else if e.Confidence != 0 {
				t.Fatalf("a victim's own is worth %d", e.Confidence)
			}
			if ind, ok := e.To.Indicator(); !ok || len(ind.Value) > indicator.MaxValue || ind.Value == "" {
				t.Fatalf("edge to %q", e.To)
			}
		}
		if hunted > 5 {
			t.Fatalf("%d members over the limit", hunted)
		}
	}
	if total != len(rows) {
		t.Fatalf("%d of %d rows", total, len(rows))
	}
	for _, f := range res.Files {
		for _, d := range f.Digests() {
			if n, err := indicator.Parse(d.Kind, d.Value); err != nil || n != d || f.Size < 0 {
				t.Fatalf("file %+v", f)
			}
		}
	}
}

func FuzzJSONRows(f *testing.F) {
	for _, body := range threatscapetest.ReadAll(".json") {
		f.Add(body)
	}
	f.Add([]byte(`{"success":true,"message":{"publishedIndicators":[{"reportId":"1","fileIdentifier":"Victim","md5":"zz","filePath":"a/"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := jsonRows(body)
		checkRows(t, rows, err)
	})
}

func FuzzXMLRows(f *testing.F) {
	for _, body := range threatscapetest.ReadAll(".xml") {
		f.Add(body)
	}
	f.Add([]byte(`<r><success>true</success><m><reportId>1</reportId><reportId>2</reportId></m><i><reportId>3</reportId><md5>x</md5></i></r>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := xmlRows(body)
		checkRows(t, rows, err)
	})
}

// FuzzDocument looks at bytes as a report of each format: what says no, or is another page, is never given on as a report.
func FuzzDocument(f *testing.F) {
	for _, body := range threatscapetest.ReadAll("") {
		f.Add(body)
	}
	f.Add([]byte("\xef\xbb\xbf <html>"))
	f.Add([]byte("<a><success>false</success><message><error>x</error></message></a>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range []string{"json", "xml", "html", "pdf", "stix"} {
			if err := checkDocument(body, format); err != nil {
				if detail, cause := causeOf(err, body); cause == nil || len(detail) > 1<<10 {
					t.Errorf("%s: %v is no cause; %d bytes of detail", format, err, len(detail))
				}
				continue
			}
			if isHTML(body) && format != "html" {
				t.Errorf("a page is taken for %s", format)
			}
		}
		_ = explain(&httpx.Response{Body: body})
	})
}
