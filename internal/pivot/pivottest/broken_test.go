package pivottest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/pivottest"
)

// bent is the toy with one fault.
type bent struct {
	*toy
	Token    string // printed with it
	describe func(d *pivot.Description)
	before   func(ctx context.Context, asked string) context.Context
	digests  func(d []indicator.Indicator) []indicator.Indicator // what Resolve asks for in place of what it was asked
	limits   func(l pivot.Limits) pivot.Limits
	after    func(asked string, res *pivot.Result, err error) error
}

func (b *bent) Describe() pivot.Description {
	d := b.toy.Describe()
	if b.describe != nil {
		b.describe(&d)
	}
	return d
}

func (b *bent) begin(ctx context.Context, asked string) context.Context {
	if b.before != nil {
		return b.before(ctx, asked)
	}
	return ctx
}

func (b *bent) end(asked string, res pivot.Result, err error) (pivot.Result, error) {
	if b.after != nil {
		err = b.after(asked, &res, err)
	}
	return res, err
}

func (b *bent) Resolve(ctx context.Context, digests []indicator.Indicator) (pivot.Result, error) {
	ctx = b.begin(ctx, "resolve")
	if b.digests != nil {
		digests = b.digests(digests)
	}
	res, err := b.toy.Resolve(ctx, digests)
	return b.end("resolve", res, err)
}

func (b *bent) lim(l pivot.Limits) pivot.Limits {
	if b.limits != nil {
		return b.limits(l)
	}
	return l
}

func (b *bent) Related(ctx context.Context, i indicator.Indicator, lim pivot.Limits) (pivot.Result, error) {
	res, err := b.toy.Related(b.begin(ctx, "related"), i, b.lim(lim))
	return b.end("related", res, err)
}

func (b *bent) FromReport(ctx context.Context, id string, lim pivot.Limits) (pivot.Result, error) {
	res, err := b.toy.FromReport(b.begin(ctx, "report"), id, b.lim(lim))
	return b.end("report", res, err)
}

// plain is a client as one writes it in haste. again is how often it asks whatever comes.
func plain(again int) func(ctx context.Context, req httpx.Request) (*httpx.Response, error) {
	return func(ctx context.Context, req httpx.Request) (*httpx.Response, error) {
		var last *httpx.Response
		for range again {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, req.URL, http.NoBody)
			if err != nil {
				return nil, err
			}
			if err := req.Sign(r); err != nil {
				return nil, err
			}
			transport := &http.Transport{DisableKeepAlives: true}
			got, err := (&http.Client{Transport: transport}).Do(r)
			if err != nil {
				return nil, err
			}
			body, _ := io.ReadAll(got.Body)
			_ = got.Body.Close()
			last = &httpx.Response{Status: got.StatusCode, Type: "application/json", Body: body}
			if got.StatusCode == http.StatusOK {
				break
			}
		}
		return last, nil
	}
}

// breakage is a fault and the cases that must catch it.
type breakage struct {
	name   string
	bend   func(t testing.TB, b *bent, s pivottest.Setup)
	caught []pivottest.Case
}

// words gives what one of the faults must say, for breakages that other checks would see too.
func words() map[string]string {
	return map[string]string{
		"a client written in haste/redirect":              "followed to another host",
		"a client written in haste/huge body":             "read to its end",
		"a client written in haste/gzip bomb":             "MiB of memory",
		"a client written in haste/timeout":               "no end within",
		"a client that always asks again/bad key":         "came 3 times instead of 1",
		"it does not listen/cancel":                       "it did not return when it was cancelled",
		"it leaves a goroutine behind/one known hash":     "goroutines are left over",
		"it is printed with its key/describe":             "the provider as %+v",
		"a raw answer tells the key/one known hash":       "a secret is in a raw answer",
		"the client does not know what is secret/secrets": "a secret is in a good answer that repeats a key: the memory",
		"the log tells the key/one known hash":            "a secret is in the log",
		"raw answers are lost/raw answers":                "no raw answer",
	}
}

func broken() []breakage {
	return slices.Concat(brokenAnswers(), brokenClients(), brokenGraphs())
}

func bending(f func(b *bent)) func(testing.TB, *bent, pivottest.Setup) {
	return func(_ testing.TB, b *bent, _ pivottest.Setup) { f(b) }
}

func afterAll(f func(res *pivot.Result)) func(testing.TB, *bent, pivottest.Setup) {
	return bending(func(b *bent) {
		b.after = func(_ string, res *pivot.Result, err error) error {
			f(res)
			return err
		}
	})
}

func eachFile(f func(f *indicator.File)) func(testing.TB, *bent, pivottest.Setup) {
	return afterAll(func(res *pivot.Result) {
		for i := range res.Files {
			f(&res.Files[i])
		}
	})
}

func eachEdge(f func(e *pivot.Edge)) func(testing.TB, *bent, pivottest.Setup) {
	return afterAll(func(res *pivot.Result) {
		for i := range res.Edges {
			f(&res.Edges[i])
		}
	})
}

func without(gone func(e pivot.Edge) bool) func(testing.TB, *bent, pivottest.Setup) {
	return afterAll(func(res *pivot.Result) { res.Edges = slices.DeleteFunc(res.Edges, gone) })
}

func brokenAnswers() []breakage {
	return []breakage{
		{"it says it is local", bending(func(b *bent) { b.describe = func(d *pivot.Description) { d.Local = true } }), []pivottest.Case{pivottest.CaseDescribe}},
		{"it says it takes what it does not", bending(func(b *bent) {
			b.describe = func(d *pivot.Description) { d.Kinds = indicator.Kinds() }
		}), []pivottest.Case{pivottest.CaseDescribe}},
		{"it asks though there is nothing to ask", bending(func(b *bent) {
			b.digests = func(d []indicator.Indicator) []indicator.Indicator {
				return append(slices.Clone(d), indicator.Indicator{Kind: indicator.MD5, Value: strings.Repeat("0", 32)})
			}
		}), []pivottest.Case{pivottest.CaseEmpty}},
		{"it loses a sibling", eachFile(func(f *indicator.File) { f.SHA1 = "" }), []pivottest.Case{pivottest.CaseOne, pivottest.CaseMixed}},
		{"it loses sizes", eachFile(func(f *indicator.File) { f.Size = 0 }), []pivottest.Case{pivottest.CaseSizes, pivottest.CaseRecorded}},
		{"it loses names", eachFile(func(f *indicator.File) { f.Names = nil }), []pivottest.Case{pivottest.CaseNames}},
		{"it asks half", bending(func(b *bent) {
			b.digests = func(d []indicator.Indicator) []indicator.Indicator { return d[:min(len(d), 100)] }
		}), []pivottest.Case{pivottest.CaseMany}},
		{"it asks everything twice", bending(func(b *bent) {
			b.digests = func(d []indicator.Indicator) []indicator.Indicator { return append(slices.Clone(d), d...) }
			b.get = plain(1)
		}), []pivottest.Case{pivottest.CaseOne}},
		{"it asks in upper case", bending(func(b *bent) { b.path = func(s string) string { return url.PathEscape(strings.ToUpper(s)) } }), []pivottest.Case{pivottest.CaseMixed}},
		{"it does not escape", bending(func(b *bent) { b.path = func(s string) string { return s } }), []pivottest.Case{pivottest.CaseEveryKind}},
		{"it asks for any kind", func(_ testing.TB, b *bent, _ pivottest.Setup) {
			b.before = func(ctx context.Context, _ string) context.Context {
				_, _ = b.get(ctx, httpx.Request{URL: b.base + "/v1/indicator/any/x"}) // thrown away
				return ctx
			}
		}, []pivottest.Case{pivottest.CaseUnsupported, pivottest.CaseEmpty}},
		{"what nobody knows is an error", bending(func(b *bent) {
			b.after = func(_ string, res *pivot.Result, err error) error {
				if len(res.Files)+len(res.Edges) == 0 {
					return errors.Join(err, errors.New("not found"))
				}
				return err
			}
		}), []pivottest.Case{pivottest.CaseUnknown, pivottest.CaseNoReport}},
		{"it loses a member", without(func(e pivot.Edge) bool { return e.To.Kind == string(indicator.Domain) }), []pivottest.Case{pivottest.CaseOne, pivottest.CaseReport}},
		{"it loses related reports", without(func(e pivot.Edge) bool { return e.Relation == indicator.RelRelatedReport }), []pivottest.Case{pivottest.CaseRelated}},
		{"it loses edges", without(func(pivot.Edge) bool { return true }), []pivottest.Case{pivottest.CaseRecorded, pivottest.CaseEveryKind, pivottest.CaseReplay}},
	}
}

func brokenClients() []breakage {
	quiet := bending(func(b *bent) {
		b.after = func(_ string, _ *pivot.Result, err error) error {
			if errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
	})
	return []breakage{
		{"errors are swallowed", quiet, []pivottest.Case{
			pivottest.CaseBadKey, pivottest.CaseForbidden, pivottest.CaseRefused, pivottest.CaseQuota, pivottest.CaseQuotaTold, pivottest.CaseSecondPage, pivottest.CaseDown,
			pivottest.CaseTimeout, pivottest.CaseCut, pivottest.CaseGarbage, pivottest.CaseHuge, pivottest.CaseBomb, pivottest.CaseRedirect,
		}},
		{"every error is a number", bending(func(b *bent) {
			b.after = func(_ string, _ *pivot.Result, err error) error {
				if err == nil || errors.Is(err, context.Canceled) {
					return err
				}
				return errors.New("error 7")
			}
		}), []pivottest.Case{pivottest.CaseBadKey, pivottest.CaseForbidden, pivottest.CaseQuota, pivottest.CaseDown, pivottest.CaseHuge}},
		{"a client written in haste", bending(func(b *bent) { b.get = plain(1) }), []pivottest.Case{
			pivottest.CaseRedirect, pivottest.CaseHuge, pivottest.CaseBomb, pivottest.CaseBadKey, pivottest.CaseDown, pivottest.CaseQuotaTold, pivottest.CaseCut, pivottest.CaseMemory,
			pivottest.CaseTimeout,
		}},
		{"a client that always asks again", bending(func(b *bent) { b.get = plain(3) }), []pivottest.Case{
			pivottest.CaseBadKey, pivottest.CaseForbidden, pivottest.CaseRefused, pivottest.CaseUnknown, pivottest.CaseQuotaTold, pivottest.CaseNotFound,
		}},
		{"a client that always asks again, around the one that does", func(_ testing.TB, b *bent, _ pivottest.Setup) {
			get := b.get
			b.get = func(ctx context.Context, req httpx.Request) (*httpx.Response, error) {
				res, err := get(ctx, req)
				for i := 0; i < 3 && err != nil && ctx.Err() == nil; i++ {
					res, err = get(ctx, req)
				}
				return res, err
			}
		}, []pivottest.Case{pivottest.CaseBadKey, pivottest.CaseDown, pivottest.CaseQuota}},
		{"any JSON will do", bending(func(b *bent) { b.strict = false }), []pivottest.Case{pivottest.CaseOtherJSON, pivottest.CaseGarbage, pivottest.CaseRefused}},
		{"a wrong path reads as nothing known", bending(func(*bent) {}), []pivottest.Case{pivottest.CaseNotFound}},
		{"no last page is looked for", bending(func(b *bent) { b.guard = 1 << 20 }), []pivottest.Case{pivottest.CaseEndless}},
		{"the last page is passed over in silence", afterAll(func(res *pivot.Result) { res.Skipped = nil }), []pivottest.Case{pivottest.CaseEndless}},
		{"it does not listen", bending(func(b *bent) {
			b.before = func(ctx context.Context, _ string) context.Context { return context.WithoutCancel(ctx) }
		}), []pivottest.Case{pivottest.CaseCancel}},
		{"being cancelled is an empty answer", bending(func(b *bent) {
			b.after = func(_ string, _ *pivot.Result, err error) error {
				if errors.Is(err, context.Canceled) {
					return nil
				}
				return err
			}
		}), []pivottest.Case{pivottest.CaseCancel}},
		{"it leaves a goroutine behind", func(t testing.TB, b *bent, _ pivottest.Setup) {
			end := make(chan struct{})
			t.Cleanup(func() { time.AfterFunc(2*time.Second, func() { close(end) }) })
			b.before = func(ctx context.Context, _ string) context.Context {
				go func() { <-end }()
				return ctx
			}
		}, []pivottest.Case{pivottest.CaseCancel, pivottest.CaseOne}},
	}
}

func brokenGraphs() []breakage {
	lists := func(f func(res *pivot.Result)) func(testing.TB, *bent, pivottest.Setup) { return afterAll(f) }
	junk := []string{"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
	return []breakage{
		{"the time is now", func(_ testing.TB, b *bent, s pivottest.Setup) {
			b.after = func(_ string, res *pivot.Result, err error) error {
				for i := range res.Edges {
					res.Edges[i].Time = s.HTTP.Now()
				}
				return err
			}
		}, []pivottest.Case{pivottest.CaseReplay}},
		{"it asks otherwise each time", bending(func(b *bent) {
			n, get := 0, b.get
			b.get = func(ctx context.Context, req httpx.Request) (*httpx.Response, error) {
				n++
				req.URL += fmt.Sprint("&nonce=", n)
				return get(ctx, req)
			}
		}), []pivottest.Case{pivottest.CaseMemory}},
		{"it knows no limit", bending(func(b *bent) {
			b.limits = func(pivot.Limits) pivot.Limits { return pivot.Limits{PerReport: 1 << 20, PerIndicator: 1 << 20} }
		}), []pivottest.Case{pivottest.CasePerReport, pivottest.CasePerIndicator}},
		{"what it cuts it does not tell", lists(func(res *pivot.Result) { res.Cut = nil }), []pivottest.Case{pivottest.CasePerReport, pivottest.CasePerIndicator}},
		{"the first are kept, not the most trusted", func(_ testing.TB, b *bent, _ pivottest.Setup) {
			var want int
			b.limits = func(l pivot.Limits) pivot.Limits {
				want, l.PerReport = l.PerReport, 1<<20
				return l
			}
			b.after = func(_ string, res *pivot.Result, err error) error {
				slices.SortFunc(res.Edges, func(x, y pivot.Edge) int { return strings.Compare(x.To.Value, y.To.Value) })
				res.Edges = res.Edges[:min(want, len(res.Edges))]
				return err
			}
		}, []pivottest.Case{pivottest.CaseTrusted}},
		{"the equally trusted are kept at random", func(_ testing.TB, b *bent, _ pivottest.Setup) {
			var want int
			b.limits = func(l pivot.Limits) pivot.Limits {
				want, l.PerReport = l.PerReport, 1<<20
				return l
			}
			b.after = func(_ string, res *pivot.Result, err error) error {
				slices.SortFunc(res.Edges, func(x, y pivot.Edge) int {
					if x.Confidence != y.Confidence {
						return y.Confidence - x.Confidence
					}
					return strings.Compare(x.To.Value[8:], y.To.Value[8:])
				})
				res.Edges = res.Edges[:min(want, len(res.Edges))]
				return err
			}
		}, []pivottest.Case{pivottest.CaseTrusted}},
		{"junk vanishes", lists(func(res *pivot.Result) {
			res.Edges = slices.DeleteFunc(res.Edges, func(e pivot.Edge) bool { return slices.Contains(junk, e.To.Value) })
			res.Files = slices.DeleteFunc(res.Files, func(f indicator.File) bool { return slices.Contains(junk, f.SHA256) })
		}), []pivottest.Case{pivottest.CaseJunk}},
		{"the victim's file is hunted", func(_ testing.TB, b *bent, s pivottest.Setup) {
			b.get = rewritten(b.get, `"trust":"victim"`, `"trust":"maybe"`)
		}, []pivottest.Case{pivottest.CaseVictims}},
		{"the victim's file vanishes", lists(func(res *pivot.Result) { res.Skipped = nil }), []pivottest.Case{pivottest.CaseVictims}},
		{"of siblings in conflict the first is taken", lists(func(res *pivot.Result) {
			seen := map[string]string{}
			res.Files = slices.DeleteFunc(res.Files, func(f indicator.File) bool {
				old, there := seen[f.SHA256]
				seen[f.SHA256] = f.MD5
				return f.SHA256 != "" && there && old != f.MD5
			})
		}), []pivottest.Case{pivottest.CaseCollision}},
		{"its label is lost", bending(func(b *bent) { b.describe = func(d *pivot.Description) { d.MaxTLP = "" } }), []pivottest.Case{pivottest.CaseTLP, pivottest.CaseDescribe}},
		{"raw answers are lost", lists(func(res *pivot.Result) { res.Raw = nil }), []pivottest.Case{pivottest.CaseRaw}},
		{"raw answers are not as they came", lists(func(res *pivot.Result) {
			for i := range res.Raw {
				res.Raw[i].Body = append(slices.Clone(res.Raw[i].Body), '\n')
			}
		}), []pivottest.Case{pivottest.CaseRaw}},
		{"edges name no report", eachEdge(func(e *pivot.Edge) { e.Report = "" }), []pivottest.Case{pivottest.CaseOne}},
		{"edges are not normal", eachEdge(func(e *pivot.Edge) {
			if e.To.Kind == string(indicator.MD5) {
				e.To.Value = strings.ToUpper(e.To.Value)
			}
		}), []pivottest.Case{pivottest.CaseOne, pivottest.CaseRaw}},
		{"edges start elsewhere", eachEdge(func(e *pivot.Edge) { e.From.Value = strings.Repeat("0", 64) }), []pivottest.Case{pivottest.CaseOne}},
		{"the error tells the key", bending(func(b *bent) {
			b.after = func(_ string, _ *pivot.Result, err error) error {
				if err == nil {
					return nil
				}
				return fmt.Errorf("%w: key was %s", err, b.key.Reveal())
			}
		}), []pivottest.Case{pivottest.CaseBadKey, pivottest.CaseDown}},
		{"the log tells the key", func(_ testing.TB, b *bent, s pivottest.Setup) {
			b.before = func(ctx context.Context, asked string) context.Context {
				s.Log.DebugContext(ctx, asked, slog.String("authorization", "Bearer "+b.key.Reveal()))
				return ctx
			}
		}, []pivottest.Case{pivottest.CaseSecrets, pivottest.CaseOne}},
		{"it is printed with its key", bending(func(b *bent) { b.Token = b.key.Reveal() }), []pivottest.Case{pivottest.CaseDescribe, pivottest.CaseSecrets}},
		{"a raw answer tells the key", lists(func(res *pivot.Result) {
			res.Raw = append(res.Raw, rawOf([]byte("GET / HTTP/1.1\nAuthorization: Bearer "+toyKey)))
		}), []pivottest.Case{pivottest.CaseSecrets, pivottest.CaseOne}},
		{"the client does not know what is secret", func(t testing.TB, b *bent, s pivottest.Setup) {
			c := httpx.New(s.HTTP)
			t.Cleanup(c.Close)
			b.get = c.Get
		}, []pivottest.Case{pivottest.CaseSecrets}},
	}
}

// rewritten is a client whose answers are not quite what came.
func rewritten(get func(context.Context, httpx.Request) (*httpx.Response, error), old, text string) func(context.Context, httpx.Request) (*httpx.Response, error) {
	return func(ctx context.Context, req httpx.Request) (*httpx.Response, error) {
		res, err := get(ctx, req)
		if err != nil {
			return nil, err
		}
		changed := *res
		changed.Body = []byte(strings.ReplaceAll(string(res.Body), old, text))
		return &changed, nil
	}
}

// Every fault is caught, and every case catches one.
func TestBroken(t *testing.T) {
	idle, told := map[pivottest.Case]bool{}, map[string]bool{}
	for _, c := range pivottest.Cases() {
		idle[c] = true
	}
	for _, b := range broken() {
		s := toySubject()
		s.Patience = time.Second
		if slices.Contains(b.caught, pivottest.CaseNotFound) { // for whom 404 is a fault
			s.Unknown = s.Unknown[1:]
		}
		s.New = func(t testing.TB, setup pivottest.Setup) pivot.Provider {
			made := &bent{toy: newToy(t, setup)}
			b.bend(t, made, setup)
			return made
		}
		for _, c := range b.caught {
			delete(idle, c)
			told[b.name+"/"+string(c)] = true
			t.Run(b.name+"/"+string(c), func(t *testing.T) {
				faults, skipped := pivottest.Check(t, s, c)
				if len(faults) == 0 || skipped != "" {
					t.Errorf("the suite does not see it (skipped: %q)", skipped)
				}
				say := words()[b.name+"/"+string(c)]
				for _, err := range faults[:min(len(faults), 5)] {
					t.Logf("seen: %.300s", err)
				}
				if !strings.Contains(fmt.Sprint(faults), say) {
					t.Errorf("no fault says %q", say)
				}
			})
		}
	}
	for name := range words() {
		if !told[name] {
			t.Errorf("%q is no breakage", name)
		}
	}
	if len(idle) > 0 {
		t.Errorf("no broken provider shows that these cases can fail: %q", slices.Sorted(maps.Keys(idle)))
	}
}

// What a subject leaves out, it leaves out by name and with a reason.
func TestFaultsOfSubjects(t *testing.T) {
	if faults := toySubject().Faults(); len(faults) > 0 {
		t.Errorf("%q", faults)
	}
	for name, change := range map[string]func(s *pivottest.Subject){
		"no name":           func(s *pivottest.Subject) { s.Name = "" },
		"no such case":      func(s *pivottest.Subject) { s.Lacks = map[pivottest.Case]string{"quotas": "it has none"} },
		"no reason":         func(s *pivottest.Subject) { s.Lacks = map[pivottest.Case]string{pivottest.CaseQuota: " "} },
		"no nothing known":  func(s *pivottest.Subject) { s.Unknown = nil },
		"no secret, unsaid": func(s *pivottest.Subject) { s.Secrets = nil },
	} {
		s := toySubject()
		change(&s)
		if len(s.Faults()) != 1 {
			t.Errorf("%s: %q", name, s.Faults())
		}
	}
	s := toySubject()
	s.Lacks = map[pivottest.Case]string{pivottest.CaseSizes: "the service tells none"}
	if faults, skipped := pivottest.Check(t, s, pivottest.CaseSizes); len(faults) > 0 || skipped != "the service tells none" {
		t.Errorf("%q, skipped: %q", faults, skipped)
	}
}
