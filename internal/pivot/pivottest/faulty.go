package pivottest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
)

// faultTests are the cases of a service that is not well.
func faultTests() []test {
	return []test{
		{name: CaseBadKey, service: true, run: badKey},
		{name: CaseForbidden, service: true, run: func(p *probe) { p.failing("403", status(403), nil, want{cause: httpx.ErrForbidden, tries: 1}) }},
		{name: CaseNotFound, service: true, run: notFound},
		{name: CaseRefused, service: true, run: refused},
		{name: CaseQuota, service: true, run: quota},
		{name: CaseQuotaTold, service: true, run: quotaTold},
		{name: CaseSecondPage, service: true, run: secondPage},
		{name: CaseDown, service: true, run: down},
		{name: CaseTimeout, service: true, run: timeout},
		{name: CaseCut, service: true, run: cutBody},
		{name: CaseGarbage, service: true, run: garbage},
		{name: CaseOtherJSON, service: true, run: otherJSON},
		{name: CaseHuge, service: true, run: huge},
		{name: CaseBomb, service: true, run: bomb},
		{name: CaseEndless, service: true, run: endless},
		{name: CaseRedirect, service: true, run: redirect},
		{name: CaseCancel, run: cancelled},
	}
}

// want says how a provider must take a fault of its service.
type want struct {
	cause error // what the error must be; nil: anything
	tries int   // how often each request must come
	stop  bool  // it must end in an error after the first request
	known bool  // of a report it is an answer: there is none
}

// failing asks everything of a provider whose service always fails in one way.
func (p *probe) failing(name string, h http.Handler, change func(*Setup), w want) {
	w0, asked := p.world(), false
	for i := range p.questions(p.with(w0)) {
		t := p.against(name, h, w0, change)
		a := p.questions(t)[i](p.ctx())
		if a.total() == 0 || (w.known && a.ref.Kind == indicator.RefReport) {
			continue // it needs no request for that, or may answer
		}
		asked = true
		p.judge(a, w)
	}
	if !asked {
		p.faultf("%s: the provider makes no request at all", name)
	}
	t := p.against(name, h, w0, change)
	g, err := t.expand(p.ctx(), seedOf(sha256Of(sample(alertFile))), options())
	if err != nil || g.Complete || len(g.Skipped) == 0 {
		p.faultf("%s: the pivot says nothing of it: error %v, complete %v, skipped %d", name, err, g.Complete, len(g.Skipped))
	}
}

func (p *probe) judge(a answer, w want) {
	if a.err == nil && len(a.res.Skipped) == 0 {
		p.faultf("%s: the fault reads as \"nothing known\"", a.what)
	}
	if len(a.res.Edges)+len(a.res.Files)+len(a.res.Reports) > 0 {
		p.faultf("%s: something is known from an answer that is none: %d edges, %d files", a.what, len(a.res.Edges), len(a.res.Files))
	}
	for q, n := range a.asked {
		if n != w.tries {
			p.faultf("%s: %q came %d times instead of %d", a.what, q, n, w.tries)
		}
	}
	if w.stop && (a.err == nil || len(a.asked) != 1) {
		p.faultf("%s: it must stop with an error after the first request; it made %d, error %v", a.what, a.total(), a.err)
	}
	if w.cause != nil && a.err != nil && !errors.Is(a.err, w.cause) {
		p.faultf("%s: the error is not %q: %w", a.what, w.cause, a.err)
	}
	if w.cause != nil && a.err == nil && !strings.Contains(a.reasons(), w.cause.Error()) {
		p.faultf("%s: the reason does not say %q: %s", a.what, w.cause, a.reasons())
	}
}

func badKey(p *probe) {
	p.failing("401", status(http.StatusUnauthorized), nil, want{cause: httpx.ErrAuth, tries: 1, stop: true})
	t := p.against("401", status(http.StatusUnauthorized), p.world(), nil)
	a := t.related(p.ctx(), sha256Of(sample(alertFile)), limits())
	named := len(p.s.KeySettings) == 0
	for _, s := range p.s.KeySettings {
		named = named || strings.Contains(a.reasons(), s)
	}
	if !named {
		p.faultf("%s: the error names none of the settings %q: %s", a.what, p.s.KeySettings, a.reasons())
	}
	t = p.against("401", status(http.StatusUnauthorized), p.world(), nil)
	_, _ = t.expand(p.ctx(), seedOf(sha256Of(sample(alertFile)), sha256Of(sample(sibling)), sha256Of(sample(elsewhere))), options())
	if asked, _ := t.svc.requests(); len(asked) != 1 {
		p.faultf("a pivot of three hashes with a bad key made %d different requests", len(asked))
	}
}

// isUnknown reports whether a reply is one of the subject's forms of "nothing known".
func (p *probe) isUnknown(r Reply) bool {
	return slices.ContainsFunc(p.s.Unknown, r.like)
}

// like reports whether two replies are of one form; the body counts where the status says nothing.
func (r Reply) like(u Reply) bool {
	return u.status() == r.status() && (u.Body == r.Body || sameJSON(u.Body, r.Body) || r.status() != http.StatusOK)
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func notFound(p *probe) {
	if p.isUnknown(Reply{Status: http.StatusNotFound}) {
		p.skipped = "a 404 is the service's form of \"nothing known\""
		return
	}
	known := slices.ContainsFunc(p.s.UnknownReport, Reply{Status: http.StatusNotFound}.like)
	p.failing("404", status(http.StatusNotFound), nil, want{tries: 1, known: known})
}

func refused(p *probe) {
	for _, n := range []int{400, 405, 406, 409, 413, 415, 422} {
		p.failing(itoa(n), status(n), nil, want{cause: httpx.ErrRefused, tries: 1})
	}
	for _, r := range p.s.Refusals {
		p.failing(r.Name, r, nil, want{tries: 1})
	}
}

// first answers the first request in one way and hands all others on.
func first(once, then http.Handler) http.Handler {
	var done atomic.Bool
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if done.Swap(true) {
			then.ServeHTTP(w, r)
			return
		}
		once.ServeHTTP(w, r)
	})
}

// recovers sees that a fault that passes is passed over, with one request more.
func (p *probe) recovers(name string, once http.Handler) {
	w := p.world()
	good := p.with(w).related(p.ctx(), sha256Of(sample(alertFile)), limits())
	a := p.against(name+", then well", first(once, p.healthy(w)), w, nil).related(p.ctx(), sha256Of(sample(alertFile)), limits())
	if a.err != nil || len(a.res.Skipped) > 0 || len(a.res.Edges) != len(good.res.Edges) || a.total() != good.total()+1 {
		p.faultf("%s: %d requests instead of %d, %d edges instead of %d; %s", a.what, a.total(), good.total()+1, len(a.res.Edges), len(good.res.Edges), a.reasons())
	}
}

func quota(p *probe) {
	p.failing("429", status(http.StatusTooManyRequests), nil, want{cause: httpx.ErrQuota, tries: attempts})
	p.recovers("429", status(http.StatusTooManyRequests))
}

// waitTold answers 429 and says how long to wait.
func waitTold(seconds string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", seconds)
		status(http.StatusTooManyRequests).ServeHTTP(w, r)
	})
}

// quotaTold: an hour is not waited for, a second is.
func quotaTold(p *probe) {
	p.failing("429 for an hour", waitTold("3600"), nil, want{cause: httpx.ErrQuota, tries: 1})
	var told, again atomic.Int64
	w := p.world()
	once := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told.Store(time.Now().UnixNano())
		waitTold("1").ServeHTTP(w, r)
	})
	then := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		again.CompareAndSwap(0, time.Now().UnixNano())
		p.healthy(w).ServeHTTP(rw, r)
	})
	a := p.against("429 for a second", first(once, then), w, nil).related(p.ctx(), sha256Of(sample(alertFile)), limits())
	if gap := time.Duration(again.Load() - told.Load()); a.err != nil || gap < time.Second {
		p.faultf("%s: asked again after %s; %s", a.what, gap, a.reasons())
	}
}

// big gives a world whose answer needs a second page, if the provider pages.
func (p *probe) big() World {
	members := []Member{{File: sample(alertFile)}}
	for i := range 300 {
		members = append(members, Member{Indicator: sha256Of(sample("member " + itoa(i)))})
	}
	return p.one(members...)
}

// afterFirst answers the first question well and every other one by h.
func afterFirst(good, h http.Handler) http.Handler {
	var mu sync.Mutex
	one := ""
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := question(r)
		mu.Lock()
		if one == "" {
			one = q
		}
		same := one == q
		mu.Unlock()
		if same {
			good.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// secondPage: what came before the quota is kept, and that there is more is said.
func secondPage(p *probe) {
	w, more := p.big(), false
	for i := range p.questions(p.with(w)) {
		t := p.against("429 at the second request", afterFirst(p.healthy(w), status(http.StatusTooManyRequests)), w, nil)
		a := p.questions(t)[i](p.ctx())
		if len(a.asked) < 2 {
			continue // it is answered by one request
		}
		more = true
		if a.err == nil && len(a.res.Skipped) == 0 {
			p.faultf("%s: half an answer reads as a whole one", a.what)
		}
		if !strings.Contains(a.reasons(), httpx.ErrQuota.Error()) {
			p.faultf("%s: the reason does not say %q: %s", a.what, httpx.ErrQuota, a.reasons())
		}
		if len(a.res.Edges)+len(a.res.Files)+len(a.res.Reports) == 0 {
			p.faultf("%s: what came before is lost", a.what)
		}
		if n := a.asked[a.order[0]]; n != 1 {
			p.faultf("%s: the first page was asked for %d times", a.what, n)
		}
	}
	if !more {
		p.skipped = "every question is one request"
	}
}

func down(p *probe) {
	for _, n := range []int{500, 502, 503, 504} {
		p.failing(itoa(n), status(n), nil, want{cause: httpx.ErrTemporary, tries: attempts})
	}
	p.recovers("500", status(http.StatusInternalServerError))
	var ask []indicator.Indicator
	for i := range 100 {
		ask = append(ask, sha256Of(sample(itoa(i))))
	}
	a := p.against("500", status(http.StatusInternalServerError), p.world(), nil).resolve(p.ctx(), ask...)
	if a.total() > 5*attempts {
		p.faultf("%s: a service that is down was asked %d times", a.what, a.total())
	}
}

func timeout(p *probe) {
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p.failing("no answer in time", hang, func(s *Setup) { s.HTTP.Timeout = 50 * time.Millisecond }, want{cause: httpx.ErrTemporary, tries: attempts})
}

func cutBody(p *probe) {
	w := p.world()
	cut := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		p.healthy(w).ServeHTTP(whole, r)
		rw.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		rw.Header().Set("Content-Length", itoa(whole.Body.Len()+1))
		_, _ = rw.Write(whole.Body.Bytes()[:whole.Body.Len()/2]) // the client may have hung up
	})
	p.failing("half a body", cut, nil, want{cause: httpx.ErrTemporary, tries: attempts})
	p.recovers("half a body", cut)
}

func garbage(p *probe) {
	page := "<html><head><title>Sign in</title></head><body>\x1b]0;x\x07</body></html>"
	for _, r := range []Reply{
		{Name: "HTML", Type: "text/html", Body: page},
		{Name: "HTML that says it is JSON", Body: page},
		{Name: "JSON that says it is HTML", Type: "text/html", Body: `{"x":1}`},
		{Name: "NUL", Body: strings.Repeat("\x00", 1000)},
		{Name: "no UTF-8", Body: "{\"\xff\xfe\x1b[31m\":\"\xc3\x28\"" + strings.Repeat("\xff", 1000)},
		{Name: "half of a JSON", Body: `{"success":true,"message":{"publishedIndicators":[{"reportId":"1`},
		{Name: "deep", Body: strings.Repeat("[", 200_000)},
		{Name: "deeper", Body: strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)},
		{Name: "nothing", Body: ""},
		{Name: "spaces", Body: " \n "},
	} {
		if !p.isUnknown(r) {
			p.failing(r.Name, r, nil, want{tries: 1})
		}
	}
}

// otherJSON: what is JSON and not the service's must not be read as an empty answer.
func otherJSON(p *probe) {
	for _, body := range []string{`null`, `[]`, `{}`, `"text"`, `42`, `true`, `{"error":"no"}`, `[{}]`, `[[]]`, `{"data":null}`, `{"message":"internal error"}`} {
		if r := (Reply{Name: "200 " + body, Body: body}); !p.isUnknown(r) {
			p.failing(r.Name, r, nil, want{tries: 1})
		}
	}
}

// Sizes of the two cases of too large answers.
const (
	most    = 1 << 20
	tooMuch = 32 << 20
)

func atMost(s *Setup) { s.HTTP.MaxBody = most }

func huge(p *probe) {
	var whole atomic.Int64
	flood := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"`) // the next write tells whether the client hung up
		part := bytes.Repeat([]byte("a"), 1<<16)
		for range tooMuch / len(part) {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		whole.Add(1)
	})
	p.failing("32 MiB", flood, atMost, want{cause: httpx.ErrTooLarge, tries: 1})
	if n := whole.Load(); n > 0 {
		p.faultf("32 MiB: the answer was read to its end %d times, the bound is 1 MiB", n)
	}
}

func bomb(p *probe) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		p.faultf("make a bomb: %w", err)
		return
	}
	for range tooMuch >> 16 {
		_, _ = z.Write(make([]byte, 1<<16)) // to memory
	}
	_ = z.Close() // to memory
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes()) // the client may have hung up
	})
	p.failing("a gzip bomb", h, atMost, want{cause: httpx.ErrTooLarge, tries: 1})
	t := p.against("a gzip bomb", h, p.world(), atMost)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	t.related(p.ctx(), sha256Of(sample(alertFile)), limits())
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > tooMuch*3/4 {
		p.faultf("a gzip bomb of 32 MiB took %d MiB of memory, the bound of an answer is 1 MiB", got>>20)
	}
}

// rounds is how many pages an endless service gives before it breaks down.
const rounds = 2000

func endless(p *probe) {
	w := p.world()
	if p.s.Endless == nil {
		var n atomic.Int64
		loop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again/"+itoa(int(n.Add(1))), http.StatusFound)
		})
		p.failing("endless redirects", loop, nil, want{cause: httpx.ErrRedirect, tries: 1})
		return
	}
	for i := range p.questions(p.with(w)) {
		t := p.against("endless pages", broken(rounds, p.s.Endless(w)), w, nil)
		a := p.questions(t)[i](p.ctx())
		if len(a.asked) < 2 {
			continue // this question has no pages
		}
		if a.total() > rounds/2 {
			p.faultf("%s: %d pages were asked for", a.what, a.total())
		}
		if a.silent() {
			p.faultf("%s: that there was more is not said", a.what)
		}
	}
}

// broken lets a service answer n times.
func broken(n int64, h http.Handler) http.Handler {
	var asked atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > n {
			w.WriteHeader(http.StatusGone)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func redirect(p *probe) {
	w := p.world()
	other := newService(p.healthy(w), p.s.SecretHeaders)
	defer other.srv.Close()
	for _, n := range []int{301, 302, 303, 307, 308} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other.srv.URL+r.URL.RequestURI())
			w.WriteHeader(n)
		})
		p.failing(itoa(n)+" to another host", h, nil, want{cause: httpx.ErrRedirect, tries: 1})
	}
	if text, _ := other.saw(); text != "" {
		p.faultf("redirects were followed to another host")
	}
}

// cancelled ends every question in its midst, at its first request and at its second.
func cancelled(p *probe) {
	w := p.big()
	gone, cancel := context.WithCancel(p.ctx())
	cancel()
	t := p.with(w)
	for _, ask := range p.questions(t) {
		if a := ask(gone); !errors.Is(a.err, context.Canceled) || a.total() > 0 {
			p.faultf("%s with a context that has ended: %d requests, error %v", a.what, a.total(), a.err)
		}
	}
	if p.s.local() {
		return
	}
	for i := range p.questions(t) {
		p.cancelAt(i, "cancelled", w, func(h http.Handler) http.Handler { return h })
		p.cancelAt(i, "cancelled at the second question", w, func(h http.Handler) http.Handler { return afterFirst(p.healthy(w), h) })
	}
}

// cancelAt asks the ith question and ends it when the service is asked what wrap leaves to the hanging handler.
func (p *probe) cancelAt(i int, name string, w World, wrap func(http.Handler) http.Handler) {
	asked, release := make(chan struct{}, rounds), make(chan struct{})
	hang := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	t := p.against(name, wrap(hang), w, nil)
	ctx, cancel := context.WithCancel(p.ctx())
	defer cancel()
	done := make(chan answer, 1)
	go func() { done <- p.questions(t)[i](ctx) }()
	select {
	case a := <-done: // no request came to the hanging handler
		close(release)
		if name == "cancelled" && a.total() > 0 {
			p.faultf("%s: it ended before it was cancelled", a.what)
		}
		return
	case <-asked:
		cancel()
	}
	select {
	case a := <-done:
		if !errors.Is(a.err, context.Canceled) {
			p.faultf("%s: the error is not that of the context: %v", a.what, a.err)
		}
		close(release)
	case <-time.After(p.s.patience() / 2):
		close(release)
		<-done
		p.faultf("question %d: it did not return when it was %s", i, name)
	}
}
