package files_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
)

// edgesOf lists the edges of an indicator, with all that is said of each but the file they come from.
func edgesOf(t *testing.T, s *files.Store, value string) []string {
	t.Helper()
	ind, err := indicator.Detect(value)
	if err != nil {
		t.Fatal(err)
	}
	res, err := files.NewProvider("files", s, files.ProviderOptions{}).Related(t.Context(), ind, pivot.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range res.Edges {
		out = append(out, fmt.Sprint(e.Relation, " ", e.To, " ", e.Report, " ", e.Confidence, " ", e.TLP, " ", e.Time))
	}
	return out
}

// sameBesides imports a text and the same with much else in it: what the first says of a digest must be the same, and so must
// what is refused. Where is the place of the rest in the text; one makes an item of it.
func sameBesides(t *testing.T, text, where string, n int, one func(i int) string, values ...string) {
	t.Helper()
	var rest strings.Builder
	for i := range n {
		rest.WriteString(one(i))
		rest.WriteByte(',')
	}
	small, _ := newIntel(t)
	big, _ := newIntel(t)
	few := importText(t, small, strings.Replace(text, where, "", 1))
	many := importText(t, big, strings.Replace(text, where, rest.String(), 1))
	if few.Error != "" || many.Error != "" || few.Refused == 0 {
		t.Fatalf("imports: %+v, %+v", few, many)
	}
	if diff := cmp.Diff(few.Refusals, many.Refusals); diff != "" || few.Reports != many.Reports {
		t.Errorf("refused (-small +big): %s; %d and %d reports, %d indicators", diff, few.Reports, many.Reports, many.Indicators)
	}
	for _, v := range values {
		want := edgesOf(t, small, v)
		got := edgesOf(t, big, v)
		var old []string
		for _, e := range got { // the rest is in the same event, and is not what is compared
			if !strings.Contains(e, "rest-") {
				old = append(old, e)
			}
		}
		if diff := cmp.Diff(want, old); diff != "" || len(want) == 0 {
			t.Errorf("%s (-small +big): %s", v, diff)
		}
	}
}

// A bundle too big for memory says what it would say alone: references before and behind, two objects of one id, what is revoked,
// what is refused.
func TestBigSTIX(t *testing.T) {
	t.Parallel()
	const when = `"created":"2026-01-01T00:00:00Z","modified":"2026-01-0`
	report := func(id, refs string) string {
		return `{"type":"report","id":"report--` + id + `",` + when + `2T00:00:00Z","name":"r","published":"2026-01-02T00:00:00Z","object_refs":[` + refs + `]}`
	}
	pattern := func(day int, text string) string {
		return fmt.Sprintf(`{"type":"indicator","id":"indicator--a",%s%dT00:00:00Z","confidence":%d,"pattern_type":"stix","pattern":"%s"}`, when, day, 10*day, text)
	}
	text := `{"type":"bundle","id":"bundle--1","objects":[` + strings.Join([]string{
		report("first", `"indicator--a","file--b","indicator--gone","report--last"`),
		pattern(1, "[file:hashes.'SHA-256' = '"+strings.Repeat("9", 64)+"']"),
		`{"type":"indicator","id":"indicator--gone",` + when + `1T00:00:00Z","revoked":true,"pattern_type":"stix","pattern":"[file:hashes.MD5 = '` + md5B + `']"}`,
		`{"type":"indicator","id":"indicator--yara",` + when + `1T00:00:00Z","pattern_type":"yara","pattern":"rule x {}"}REST`,
		`{"type":"file","id":"file--b","hashes":{"SHA-256":"` + sha256B + `","MD5":"` + md5A + `"},"size":7,"name":"b.exe"}`,
		pattern(3, "[file:hashes.'SHA-256' = '"+sha256A+"']"),
		pattern(2, "[file:hashes.'SHA-256' = '"+strings.Repeat("8", 64)+"']"),
		`{"type":"relationship","id":"relationship--1",` + when + `2T00:00:00Z","relationship_type":"drops","source_ref":"indicator--a","target_ref":"file--b"}`,
		report("last", `"file--b","indicator--rest-5","indicator--none"`),
	}, ",") + `]}`
	text = strings.Replace(text, "}REST,", "},REST", 1)
	sameBesides(t, text, "REST", 10_500, func(i int) string {
		return fmt.Sprintf(`{"type":"indicator","id":"indicator--rest-%d",%s1T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'rest-%d.example']"}`, i, when, i)
	}, sha256A, sha256B)
}

// An event too big for memory keeps its links, those to what comes later too.
func TestBigMISP(t *testing.T) {
	t.Parallel()
	object := func(uuid, value, ref string) string {
		return fmt.Sprintf(`{"name":"file","uuid":%q,"Attribute":[{"type":"sha256","value":%q,"to_ids":true,"uuid":"at-%s"}],"ObjectReference":[{"referenced_uuid":%q,"relationship_type":"drops"}]}`, uuid, value, uuid, ref)
	}
	third := strings.Repeat("7", 64)
	text := `{"Event":{"info":"big","uuid":"` + eventID + `","date":"2026-01-02","Attribute":[{"type":"sha256","value":"1234","to_ids":true}],"Object":[` +
		object("one", sha256A, "two") + `,` + object("again", strings.Repeat("6", 64), "one") + `,REST` + object("two", sha256B, "at-one") + `,` +
		object("again", third, "nobody") + `,` + object("three", third, "again") + `]}}`
	sameBesides(t, text, "REST", 21_000, func(i int) string {
		return fmt.Sprintf(`{"name":"domain-ip","uuid":"r%d","Attribute":[{"type":"domain","value":"rest-%d.example","to_ids":true,"uuid":"x%d"}],"ObjectReference":[{"referenced_uuid":"r%d","relationship_type":"drops"}]}`, i, i, i, i-1)
	}, sha256A, sha256B, third)
}

// A big event that breaks off leaves nothing behind, not even what would be in the way of the next; two in one file do not mix.
func TestBigMISPBroken(t *testing.T) {
	t.Parallel()
	event := func(uuid, name string) string {
		var b strings.Builder
		b.WriteString(`{"Event":{"info":"big","uuid":"` + uuid + `","Attribute":[`)
		for i := range 20_500 {
			fmt.Fprintf(&b, `{"type":"domain","value":"%s-%d.example","uuid":"a%d"},`, name, i, i)
		}
		return b.String() + `{"type":"sha256","value":"` + sha256A + `","uuid":"same"}],"Object":[{"name":"file","uuid":"o","Attribute":[{"type":"sha256","value":"` +
			sha256B + `"}],"ObjectReference":[{"referenced_uuid":"a7","relationship_type":"communicates-with"}]}]}}`
	}
	s, _ := newIntel(t)
	whole := event(eventID, "one")
	if res := importText(t, s, whole[:len(whole)-9]); res.Error == "" {
		t.Fatalf("half an event was taken: %+v", res)
	}
	if n, err := s.Stats(t.Context()); err != nil || len(n.Sources) != 0 || len(n.Indicators) != 0 {
		t.Errorf("half an event left %+v, %v", n, err)
	}
	if res := importText(t, s, `[`+whole+`,`+event("5be1e65d-8198-497b-bdf5-5ec20a016220", "two")+`]`); res.Error != "" || res.Reports != 2 {
		t.Fatalf("two events: %+v", res)
	}
	var got []string
	for _, e := range edgesOf(t, s, sha256B) {
		if strings.HasPrefix(e, "communicates_with") {
			got = append(got, strings.Fields(e)[1])
		}
	}
	if diff := cmp.Diff([]string{"domain:one-7.example", "domain:two-7.example"}, got); diff != "" {
		t.Errorf("links (-want +got): %s", diff)
	}
}
