package pivottest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// attempts is how often a provider's client may ask one thing.
const attempts = 3

// probe is one case while it runs.
type probe struct {
	t       testing.TB
	s       Subject
	faults  []error
	skipped string
	trials  []*trial
	texts   []said
	secret  []string // values of secret headers that were sent
}

// said is a text that a provider let out.
type said struct{ where, text string }

func (p *probe) faultf(format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf(format, args...))
}

func (p *probe) takes(k indicator.Kind) bool {
	return p.s.Kinds == nil || slices.Contains(p.s.Kinds, k)
}

// trial is one provider that was made for a case.
type trial struct {
	p        *probe
	name     string
	provider pivot.Provider
	scope    *scope
	svc      *service // nil for local providers
	mem      *memory
	log      *lines
	later    atomic.Int64 // nanoseconds after clock()
}

// with makes the provider with a service that knows the world and is well.
func (p *probe) with(w World) *trial { return p.against("", p.healthy(w), w, nil) }

func (p *probe) healthy(w World) http.Handler {
	if p.s.local() {
		return nil
	}
	return p.s.Serve(w)
}

// against makes the provider with any service; name tells faults apart.
func (p *probe) against(name string, h http.Handler, w World, change func(*Setup)) *trial {
	t := &trial{p: p, name: name, scope: &scope{TB: p.t}, mem: &memory{all: map[string]httpx.Cached{}}, log: &lines{}}
	p.trials = append(p.trials, t)
	setup := Setup{
		World: w, Log: slog.New(slog.NewTextHandler(t.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		HTTP: httpx.Options{
			Timeout: 2 * p.s.patience(), Attempts: attempts, FirstWait: time.Millisecond, MaxWait: 2 * time.Second, Rate: 1e6,
			Cache: t.mem, Now: func() time.Time { return clock().Add(time.Duration(t.later.Load())) },
		},
	}
	if h != nil && !p.s.local() {
		t.svc = newService(h, p.s.SecretHeaders)
		setup.URL = t.svc.srv.URL
	}
	if change != nil {
		change(&setup)
	}
	t.provider = p.s.New(t.scope, setup)
	for _, verb := range []string{"%v", "%+v", "%#v"} { // now: later it may hold all that it was answered
		t.say("the provider as "+verb, fmt.Sprintf(verb, t.provider))
	}
	return t
}

// close ends what a case made, and keeps what it let out.
func (p *probe) close() {
	for _, t := range p.trials {
		t.say("the log", t.log.text())
		t.say("the memory", t.mem.text())
		t.scope.close()
		if t.svc != nil {
			t.svc.srv.CloseClientConnections()
			t.svc.srv.Close()
			_, values := t.svc.saw()
			p.secret = append(p.secret, values...)
		}
	}
}

func (t *trial) say(where, text string) {
	t.p.texts = append(t.p.texts, said{t.of(where), text})
}

// of names a thing of a trial.
func (t *trial) of(what string) string {
	if t.name == "" {
		return what
	}
	return t.name + ": " + what
}

// leaks looks for secrets in all that was let out, in the forms in which they travel.
func (p *probe) leaks() {
	all := map[string]bool{}
	for _, s := range append(slices.Clone(p.s.Secrets), p.secret...) {
		if len(s) < 6 { // it would be found anywhere
			continue
		}
		raw := []byte(s)
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw),
		} {
			all[form] = true
		}
	}
	seen := map[string]bool{}
	for _, s := range p.texts {
		if seen[s.text] {
			continue
		}
		seen[s.text] = true
		for form := range all {
			if at := strings.Index(s.text, form); at >= 0 {
				p.faultf("a secret is in %s, after %q", s.where, diag.Escape(s.text[max(at-60, 0):at]))
			}
		}
	}
}

// answer is what came of one question.
type answer struct {
	what  string // for faults
	ref   pivot.Ref
	res   pivot.Result
	err   error
	asked map[string]int // requests
	order []string
}

// silent reports whether an answer reads as "nothing known".
func (a answer) silent() bool { return a.err == nil && len(a.res.Skipped) == 0 && len(a.res.Cut) == 0 }

// total counts the requests.
func (a answer) total() int {
	n := 0
	for _, c := range a.asked {
		n += c
	}
	return n
}

// reasons gives all that an answer says about what it lacks.
func (a answer) reasons() string {
	var out []string
	if a.err != nil {
		out = append(out, a.err.Error())
	}
	for _, s := range a.res.Skipped {
		out = append(out, s.Reason)
	}
	return strings.Join(out, "; ")
}

// ask puts one question under the suite's watch.
func (t *trial) ask(ctx context.Context, what string, ref pivot.Ref, lim pivot.Limits, f func(ctx context.Context) (pivot.Result, error)) answer {
	t.svc.requests() // what came before does not count
	ctx, cancel := context.WithTimeout(ctx, t.p.s.patience())
	defer cancel()
	a := answer{what: t.of(what), ref: ref}
	a.res, a.err = f(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.p.faultf("%s: no end within %s; the provider must use the client options that it is given", a.what, t.p.s.patience())
	}
	a.asked, a.order = t.svc.requests()
	t.keep(a)
	for _, err := range form(t.provider.Describe(), a, lim) {
		t.p.faultf("%s: %w", a.what, err)
	}
	return a
}

// keep remembers what an answer lets out, and sees that its sentences can be shown.
func (t *trial) keep(a answer) {
	if a.err != nil {
		t.say("the error of "+a.what, a.err.Error())
		if text := a.err.Error(); diag.Escape(text) != text || len(text) > 2000 {
			t.p.faultf("%s: the error is no safe sentence: %.300q", a.what, text)
		}
	}
	told := a.res
	told.Raw = nil
	t.say("the answer to "+a.what, fmt.Sprintf("%+v", told))
	for _, r := range a.res.Raw {
		t.say("a raw answer to "+a.what, string(r.Body))
	}
}

func (t *trial) resolve(ctx context.Context, digests ...indicator.Indicator) answer {
	ref := pivot.Ref{}
	if len(digests) > 0 {
		ref = pivot.IndicatorRef(digests[0])
	}
	return t.ask(ctx, fmt.Sprintf("Resolve of %d", len(digests)), ref, limits(), func(ctx context.Context) (pivot.Result, error) {
		return t.provider.Resolve(ctx, digests)
	})
}

func (t *trial) related(ctx context.Context, i indicator.Indicator, lim pivot.Limits) answer {
	return t.ask(ctx, "Related of "+short(i), pivot.IndicatorRef(i), lim, func(ctx context.Context) (pivot.Result, error) {
		return t.provider.Related(ctx, i, lim)
	})
}

// report asks for a report; the caller has seen that the provider can be asked.
func (t *trial) report(ctx context.Context, id string, lim pivot.Limits) answer {
	return t.ask(ctx, "FromReport of "+id, pivot.ReportRef(t.p.s.Name+":"+id), lim, func(ctx context.Context) (pivot.Result, error) {
		r, ok := t.provider.(pivot.ReportPivoter)
		if !ok {
			return pivot.Result{}, errors.New("the provider can not be asked for reports")
		}
		return r.FromReport(ctx, id, lim)
	})
}

// questions gives each way to ask about the plain world.
func (p *probe) questions(t *trial) []func(ctx context.Context) answer {
	a, b, g := sha256Of(sample(alertFile)), sha256Of(sample(sibling)), sha256Of(sample(elsewhere))
	if !p.takes(indicator.SHA256) {
		p.faultf("the suite asks by sha256, which %s does not take", p.s.Name)
	}
	out := []func(ctx context.Context) answer{
		func(ctx context.Context) answer { return t.related(ctx, a, limits()) },
		func(ctx context.Context) answer { return t.resolve(ctx, a, b, g) },
	}
	if _, ok := t.provider.(pivot.ReportPivoter); ok {
		out = append(out, func(ctx context.Context) answer { return t.report(ctx, p.s.reportID(1), limits()) })
	}
	return out
}

// expand takes a seed through the provider.
func (t *trial) expand(ctx context.Context, seed pivot.Seed, opt pivot.Options) (*pivot.Graph, error) {
	ctx, cancel := context.WithTimeout(ctx, t.p.s.patience())
	defer cancel()
	g, err := pivot.Expand(ctx, seed, []pivot.Provider{t.provider}, opt)
	if err != nil {
		t.say("the error of a pivot", err.Error())
	}
	t.say("the graph", t.p.bytes(g))
	return g, err
}

// bytes gives a graph with the answers that it rests on.
func (p *probe) bytes(g *pivot.Graph) string {
	if g == nil {
		return ""
	}
	text, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		p.faultf("the graph has no JSON form: %w", err)
	}
	var b strings.Builder
	b.Write(text)
	for _, r := range g.Raw {
		fmt.Fprintf(&b, "\n%s %s", r.Digest, r.Body)
	}
	return b.String()
}

// ctx is the context of a case.
func (p *probe) ctx() context.Context { return p.t.Context() }

func limits() pivot.Limits { return options().Limits }

func options() pivot.Options { return pivot.DefaultOptions() }

func seedOf(inds ...indicator.Indicator) pivot.Seed { return pivot.Seed{Indicators: inds} }

func sha256Of(f indicator.File) indicator.Indicator {
	return indicator.Indicator{Kind: indicator.SHA256, Value: f.SHA256}
}

func short(i indicator.Indicator) string {
	if len(i.Value) > 12 && i.Kind.IsDigest() {
		return string(i.Kind) + ":" + i.Value[:8] + "…"
	}
	return i.String()
}
