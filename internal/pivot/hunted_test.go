package pivot_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func never(t *testing.T, text string) *pivot.NeverList {
	t.Helper()
	l, errs := pivot.LoadNever(strings.NewReader(text), "never.csv")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return l
}

func TestJunkAndNeverRefuseTheWholeFile(t *testing.T) {
	t.Parallel()
	const empty = "d41d8cd98f00b204e9800998ecf8427e"
	p := &fake{
		reports: map[string][]member{"R": {{sum("a"), 70}, {sum("b"), 70}, {sum("c"), 70}, {sum("d"), 70}}},
		files:   []indicator.File{{SHA256: sum("b").Value, MD5: empty}, {SHA256: sum("c").Value, SHA1: sha1Of("c").Value}},
	}
	g := expand(t, seedOf(sum("a")), depth(1), p)
	list := never(t, "hash,reason,expires\n"+sha1Of("c").Value+",our installer,2026-06-30\n"+sum("a").Value+",ours,\n")
	files, refused := pivot.Hunted(g, depth(1), list, day("2026-06-30").Add(23*time.Hour))
	if d := cmp.Diff([]indicator.File{{SHA256: sum("d").Value}}, files); d != "" {
		t.Error(d)
	}
	got := map[string]string{}
	for _, r := range refused {
		got[r.Value] = r.Reason
		if r.Value != sum("a").Value && (r.Report != "fake:R" || r.Provider != "fake" || r.Confidence != 70) {
			t.Errorf("refused %+v", r)
		}
	}
	want := map[string]string{
		sum("a").Value:    "on the never list never.csv: ours", // the seed too
		empty:             "digest of the empty file",
		sum("b").Value:    "sibling of md5:" + empty + ": digest of the empty file",
		sha1Of("c").Value: "on the never list never.csv: our installer",
		sum("c").Value:    "sibling of " + sha1Of("c").String() + ": on the never list never.csv: our installer",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// the day after, the entry has expired
	files, _ = pivot.Hunted(g, depth(1), list, day("2026-07-01"))
	if len(files) != 2 || len(list.Expired(day("2026-07-01"))) != 1 || list.Len() != 2 {
		t.Errorf("%d files, expired %v", len(files), list.Expired(day("2026-07-01")))
	}
}

func TestKindsLimitWhatIsHunted(t *testing.T) {
	t.Parallel()
	p := &fake{
		reports: map[string][]member{"R": {{sha1Of("a"), 70}, {sum("b"), 70}, {sha1Of("c"), 70}}},
		files:   []indicator.File{{SHA256: sum("b").Value, MD5: md5Of("b").Value, Size: 5}, {SHA1: sha1Of("a").Value, MD5: md5Of("a").Value, SHA256: sum("a").Value}},
	}
	opt := depth(1)
	opt.Kinds, opt.MinConfidence = []indicator.Kind{indicator.MD5}, 90
	g := expand(t, seedOf(sha1Of("a")), opt, p)
	opt.MinConfidence = 70
	files, refused := pivot.Hunted(g, opt, nil, time.Now())
	want := []indicator.File{{SHA1: sha1Of("a").Value, MD5: md5Of("a").Value}, {MD5: md5Of("b").Value, Size: 5}}
	if d := cmp.Diff(want, files); d != "" {
		t.Error(d)
	}
	if len(refused) != 1 || refused[0].Value != sha1Of("c").Value || !strings.Contains(refused[0].Reason, "sha1") {
		t.Errorf("refused %+v", refused)
	}
	if g.Files[0].SHA256 == "" {
		t.Error("kinds limit what is kept")
	}
}

func TestLowConfidenceIsListedNotDropped(t *testing.T) {
	t.Parallel()
	g := expand(t, seedOf(sum("a")), depth(1), chain())
	_, refused := pivot.Hunted(g, depth(1), nil, time.Now())
	want := []pivot.Refused{{
		Kind: indicator.SHA256, Value: sum("low").Value, Reason: "confidence 10 is below min_confidence 30", Provider: "fake",
		Relation: indicator.RelSameReport, Report: "fake:R1", Confidence: 10,
	}}
	if d := cmp.Diff(want, refused); d != "" {
		t.Error(d)
	}
}

func TestLoadNeverWarninglist(t *testing.T) {
	t.Parallel()
	l := never(t, "\ufeff"+`{"name":"empty ones","type":"string","list":["3::","`+strings.ToUpper(sum("x").Value)+`","`+strings.Repeat("a", 128)+`"]}`)
	if reason, ok := l.Find(sum("x"), day("2026-01-01")); !ok || !strings.Contains(reason, "empty ones") || l.Len() != 1 {
		t.Errorf("%q %v %d", reason, ok, l.Len())
	}
	var none *pivot.NeverList
	if _, ok := none.Find(sum("x"), time.Now()); ok || none.Len() != 0 || none.Expired(time.Now()) != nil {
		t.Error("the nil list is not empty")
	}
}

func TestNeverMergeKeepsTheLongerEntry(t *testing.T) {
	t.Parallel()
	text := func(expires string) string {
		return "hash,reason,expires\n" + sum("x").Value + ",r" + expires + "," + expires + "\n"
	}
	for _, order := range [][]string{{"2020-01-01", "", "2030-01-01"}, {"", "2020-01-01", "2030-01-01"}, {"2030-01-01", "2020-01-01", ""}} {
		all := &pivot.NeverList{}
		all.Merge(nil)
		for _, e := range order {
			all.Merge(never(t, text(e)))
		}
		if _, ok := all.Find(sum("x"), day("2031-01-01")); !ok {
			t.Errorf("%v: an expired entry hides one that counts", order)
		}
	}
}

func TestLoadNeverRefusesWhole(t *testing.T) {
	t.Parallel()
	good := sum("x").Value
	for name, c := range map[string]struct{ in, want string }{
		"all faults at once": {
			"hash,reason,expires\n" + good + ",fine,\nxyz,why\n" + good + ",,\n" + good + ",why,soon\n# note\nimphash=" + good[:32] + ",why,\n",
			"never.csv:3:1: \nnever.csv:4:66: \nnever.csv:5:70: \nnever.csv:7:1: ",
		},
		"no header":      {good + ",why,\n", "never.csv:1:1: "},
		"empty":          {"", "never.csv:1:1: "},
		"broken quotes":  {"hash,reason\n" + good + ",\"why\n", "never.csv:"},
		"UTF-16":         {"\xff\xfeh\x00a\x00", "UTF-16"},
		"trailing comma": {"{\"name\":\"n\",\n \"type\":\"string\",\"list\":[\"a\",]}", "never.csv:2:30: "},
		"truncated":      {`{"name":"n"`, "never.csv:1:"},
		"wrong type":     {`{"name":"n","type":"cidr","list":["10.0.0.0/8"]}`, "cidr"},
		"a number":       {`{"name":"n","type":"string","list":[1234e12]}`, "never.csv:1:"},
		"no digests":     {`{"name":"n","type":"string","list":["3::"]}`, "no md5"},
		"too many fields": {
			"hash,reason,expires\n" + good + ",a, b, c\n", "never.csv:2:",
		},
	} {
		l, errs := pivot.LoadNever(strings.NewReader(c.in), "never.csv")
		if l != nil || len(errs) == 0 {
			t.Errorf("%s: taken", name)
			continue
		}
		var lines []string
		for _, err := range errs {
			lines = append(lines, err.Error())
		}
		wants := strings.Split(c.want, "\n")
		if len(wants) > len(lines) {
			t.Errorf("%s: %q", name, lines)
			continue
		}
		for i, w := range wants {
			if !strings.Contains(lines[i], w) || !strings.Contains(lines[i], "never.csv") {
				t.Errorf("%s: %q, want %q", name, lines[i], w)
			}
		}
	}
}

func TestNeverFaultsAreBounded(t *testing.T) {
	t.Parallel()
	_, errs := pivot.LoadNever(strings.NewReader("hash,reason\n"+strings.Repeat("x,y\n", 10_000)), "never.csv")
	if len(errs) != 100 {
		t.Errorf("%d faults", len(errs))
	}
}

func FuzzLoadNever(f *testing.F) {
	f.Add("hash,reason,expires\n" + sum("x").Value + ",r,2026-01-01\n")
	f.Add(`{"name":"n","type":"string","list":["` + sum("x").Value + `"]}`)
	f.Add("\ufeffhash,reason\n\"")
	for _, name := range []string{"files/testdata/warninglist.json", "files/testdata/nsrl_rds.csv", "files/testdata/hashes_mixed.txt", "../../examples/never/known-good.csv"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, errs := pivot.LoadNever(strings.NewReader(s), "a/b")
		if (l == nil) != (len(errs) > 0) {
			t.Fatalf("%v %v", l, errs)
		}
	})
}

// A file has the strictest label of all that is known of it: of the hunt, and of what led to any of its digests.
func TestHuntedFilesCarryTheirLabel(t *testing.T) {
	t.Parallel()
	md5, sha := strings.Repeat("a", 32), strings.Repeat("b", 64)
	g := &pivot.Graph{
		Files: []indicator.File{{MD5: md5, SHA256: sha}, {SHA256: strings.Repeat("c", 64)}},
		Nodes: []pivot.Node{
			{Ref: indicator.RefOf(indicator.Indicator{Kind: indicator.MD5, Value: md5}), TLP: indicator.TLPRed, Seed: true, Confidence: 100},
			{Ref: indicator.RefOf(indicator.Indicator{Kind: indicator.SHA256, Value: sha}), TLP: indicator.TLPGreen, Seed: true, Confidence: 100},
		},
	}
	for _, n := range g.Nodes {
		g.Seeds = append(g.Seeds, n.Ref)
	}
	g.Seeds = append(g.Seeds, pivot.Ref{Kind: "sha256", Value: strings.Repeat("c", 64)})
	for hunt, want := range map[indicator.TLP][2]indicator.TLP{"": {indicator.TLPRed, ""}, indicator.TLPAmber: {indicator.TLPRed, indicator.TLPAmber}} {
		opt := depth(1)
		opt.TLP = hunt
		files, refused := pivot.Hunted(g, opt, nil, time.Now())
		if len(files) != 2 || files[0].TLP != want[0] || files[1].TLP != want[1] {
			t.Errorf("a hunt of %q: %+v, refused %+v", hunt, files, refused)
		}
	}
}
