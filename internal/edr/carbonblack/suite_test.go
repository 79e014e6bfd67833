package carbonblack_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/edr/edrtest"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

func TestSuite(t *testing.T) { edrtest.Run(t, subject(nil)) } //nolint:paralleltest // it looks for goroutines that are left

// subject is the tool over a server that misbehaves as told; wrap may break the tool.
func subject(wrap func(t testing.TB, tool edr.Searcher) edr.Tool) edrtest.Subject {
	return edrtest.Subject{
		LooksEmpty: []string{"incomplete", "incomplete behind a good control", "terms", "filtered", "no record of the endpoints"},
		Secrets:    []string{carbonblacktest.Token}, MaxText: 4096,
		Make: func(t testing.TB, w edrtest.World) edrtest.Made {
			s := lab(t)
			for _, content := range w.Planted {
				plantFile(s, edrtest.FileOf(content))
			}
			spoil(s, w)
			made := edrtest.Made{Tool: connect(t, s.URL, nil), First: "1", Vanish: func() {
				s.Sensors = s.Sensors[1:]
				s.Processes = slices.DeleteFunc(s.Processes, func(p carbonblacktest.Process) bool { return p.Sensor == 1 })
				s.Binaries = s.Binaries[:1]
			}}
			if wrap != nil {
				made.Tool = wrap(t, made.Tool.(edr.Searcher))
			}
			return made
		},
	}
}

// plantFile has a file run on the first sensor and be in the store of binaries.
func plantFile(s *carbonblacktest.Server, f indicator.File) {
	const path = `c:\users\public\planted.exe`
	for range 150 { // more than a page
		s.Processes = append(s.Processes, carbonblacktest.Process{Sensor: 1, MD5: f.MD5, Path: path, Fields: map[string]any{"process_sha256": f.SHA256}})
	}
	s.Binaries = append(s.Binaries, carbonblacktest.Binary{MD5: strings.ToUpper(f.MD5), Names: []string{path}, Seen: []string{"LAB-WIN-01|1"}})
}

// search reports whether a request is a question about digests, and whether the control is among them.
func search(r *http.Request) (is, controlled bool) {
	q := r.URL.Query().Get("q")
	return strings.HasPrefix(q, "(md5:"), strings.Contains(q, svchost)
}

func spoil(s *carbonblacktest.Server, w edrtest.World) {
	answer := func(status int, retry, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if strings.Contains(r.URL.Path, "sensor") || strings.Contains(r.URL.Path, "partition") {
				return false
			}
			if retry != "" {
				w.Header().Set("Retry-After", retry)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	switch w.Fault {
	case edrtest.Auth:
		s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "<html>no entry for "+r.Header.Get("X-Auth-Token"))
			return true
		}
	case edrtest.Throttled:
		s.Intercept = answer(http.StatusTooManyRequests, "3600", "later")
	case edrtest.ThrottledOnce:
		later, said := answer(http.StatusTooManyRequests, "1", "later"), false
		s.Intercept = func(w http.ResponseWriter, r *http.Request, n int) bool {
			said = said || later(w, r, n)
			return said && n < 5 && w.Header().Get("Retry-After") != ""
		}
	case edrtest.Garbage:
		s.Intercept = answer(http.StatusOK, "", `{"results":[{"process_md5":`)
	case edrtest.HTML:
		s.Intercept = answer(http.StatusOK, "", "<html><title>Please log in</title></html>")
	case edrtest.Hang:
		s.Intercept = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			if is, _ := search(r); !is {
				return false
			}
			w.Reached()
			<-r.Context().Done()
			return true
		}
	case edrtest.CutInventory:
		for n := range 700 {
			s.Sensors = append(s.Sensors, carbonblacktest.Sensor{ID: n + 3, Name: fmt.Sprintf("LAB-%d", n+3)})
		}
		s.Intercept = cutAt(func(r *http.Request) bool { return r.URL.Query().Get("start") == "500" })
	case edrtest.CutAnswer:
		s.Intercept = cutAt(func(r *http.Request) bool {
			is, controlled := search(r)
			there := slices.ContainsFunc(w.Planted, func(c string) bool { return strings.Contains(r.URL.RawQuery, edrtest.FileOf(c).MD5) })
			return is && !controlled && (!there || r.URL.Query().Get("start") == "100")
		})
	default:
		s.Change = change(w)
	}
}

// cutAt breaks answers off in their middle.
func cutAt(when func(r *http.Request) bool) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !when(r) {
			return false
		}
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"total_results":702,"results":[{"id":"501",`)
		return true
	}
}

func change(w edrtest.World) func(*http.Request, map[string]any) {
	return func(r *http.Request, body map[string]any) {
		is, controlled := search(r)
		rows, _ := body["results"].([]any)
		switch {
		case w.Fault == edrtest.LooksEmpty:
			looksEmpty(w.Variant, r, body, is && !controlled)
		case w.Fault == edrtest.NoControl && controlled:
			body["results"] = slices.DeleteFunc(rows, func(row any) bool {
				return strings.Contains(strings.ToLower(fmt.Sprint(row)), "md5:"+svchost)
			})
		case w.Fault == edrtest.UpperCase:
			for _, row := range rows {
				for _, key := range []string{"process_md5", "process_sha256", "md5"} {
					if v, ok := row.(map[string]any)[key].(string); ok {
						row.(map[string]any)[key] = strings.ToUpper(v)
					}
				}
			}
		case w.Fault == edrtest.Strangers && is && r.URL.Path == "/api/v1/binary" && len(rows) > 0:
			body["results"] = append(rows, map[string]any{"md5": strings.ToUpper(other), "endpoint": []string{"LAB-WIN-02|2"}, "host_count": 1})
		}
	}
}

func looksEmpty(variant string, r *http.Request, body map[string]any, bare bool) {
	of := strings.HasPrefix(r.URL.Query().Get("q"), "sensor_id:")
	if of != (variant == "no record of the endpoints") {
		return
	}
	empty := r.URL.Path == "/api/v1/process"
	switch variant {
	case "incomplete":
		body["incomplete_results"] = true
	case "incomplete behind a good control":
		if empty = bare && empty; empty {
			body["incomplete_results"] = true
		}
	case "terms":
		body["terms"] = []string{"md5", "44d88612fea8a8f36de82e1278abb02f"}
	case "filtered":
		body["filtered"] = map[string]any{"hour_of_day": []int{3}}
	}
	if empty {
		body["results"], body["total_results"] = []any{}, 0
	}
}

// broken is the tool with one thing done wrong.
type broken struct {
	edr.Searcher
	describe  func(edr.Description) edr.Description
	endpoints func([]edr.Endpoint, error) ([]edr.Endpoint, error)
	searches  func([]ledger.Query) []ledger.Query
	search    func(ctx context.Context, q ledger.Query) (ledger.Answer, error)
}

func (b *broken) Describe() edr.Description {
	if b.describe != nil {
		return b.describe(b.Searcher.Describe())
	}
	return b.Searcher.Describe()
}

func (b *broken) Endpoints(ctx context.Context) ([]edr.Endpoint, error) {
	eps, err := b.Searcher.Endpoints(ctx)
	if b.endpoints != nil {
		return b.endpoints(eps, err)
	}
	return eps, err
}

func (b *broken) Searches(w edr.Work) ([]ledger.Query, error) {
	qs, err := b.Searcher.Searches(w)
	if b.searches != nil {
		return b.searches(qs), err
	}
	return qs, err
}

func (b *broken) Search(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
	if b.search != nil {
		return b.search(ctx, q)
	}
	return b.Searcher.Search(ctx, q)
}

// The suite finds what is wrong with tools that are broken on purpose, each in the way that users would be lied to.
func TestSuiteSeesBrokenTools(t *testing.T) { //nolint:paralleltest // it looks for goroutines that are left
	control := ledger.Row{"kind": "control", "name": svchost}
	for name, tt := range map[string]struct {
		break_ func(b *broken)
		found  []string // cases that must find it
	}{
		"claims the control": {func(b *broken) {
			b.search = func(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
				a, err := b.Searcher.Search(ctx, q)
				a.Rows = slices.DeleteFunc(a.Rows, func(r ledger.Row) bool { return r["kind"] == "gap" })
				a.Rows = append(a.Rows, control)
				return a, err
			}
		}, []string{"control missing", "looks empty: incomplete", "looks empty: filtered", "looks empty: terms"}},
		"swallows failures": {func(b *broken) {
			b.search = func(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
				a, err := b.Searcher.Search(ctx, q)
				if err != nil || a.Failure != nil {
					return ledger.Answer{Rows: []ledger.Row{control}}, nil
				}
				return a, nil
			}
		}, []string{"answer breaks off", "cancel"}},
		"gives a part of the endpoints": {func(b *broken) {
			b.endpoints = func(eps []edr.Endpoint, err error) ([]edr.Endpoint, error) {
				if err != nil {
					return []edr.Endpoint{{ID: "1"}}, nil
				}
				return eps, nil
			}
		}, []string{"list of endpoints breaks off"}},
		"loses digests": {func(b *broken) {
			b.searches = func(qs []ledger.Query) []ledger.Query {
				return slices.DeleteFunc(qs, func(q ledger.Query) bool { return len(q.Hashes) < perSearch })
			}
		}, []string{"1 hash", "only md5"}},
		"claims to take sha256": {func(b *broken) {
			b.describe = func(d edr.Description) edr.Description {
				d.Kinds = append(d.Kinds, indicator.SHA256)
				return d
			}
		}, []string{"only sha256"}},
		"claims to be live": {func(b *broken) {
			b.describe = func(d edr.Description) edr.Description {
				d.Mode = ledger.Live
				return d
			}
		}, []string{"describe", "nothing found"}},
		"shows its token": {func(b *broken) {
			b.search = func(context.Context, ledger.Query) (ledger.Answer, error) {
				return ledger.Answer{}, fmt.Errorf("X-Auth-Token %s was refused", carbonblacktest.Token)
			}
		}, []string{"secrets", "1 hash"}},
		"answers when it was cancelled": {func(b *broken) {
			b.search = func(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
				a, _ := b.Searcher.Search(ctx, q)
				return a, nil
			}
		}, []string{"cancel"}},
		"words the same work anew": {func(b *broken) {
			n := 0
			b.searches = func(qs []ledger.Query) []ledger.Query {
				for i := range qs {
					n++
					qs[i].ID = fmt.Sprint(n)
				}
				return qs
			}
		}, []string{"stable texts"}},
		"loses the hits of a failure": {func(b *broken) {
			b.search = func(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
				a, err := b.Searcher.Search(ctx, q)
				if a.Failure != nil || strings.HasPrefix(q.ID, "binary") {
					a.Rows = nil
				}
				return ledger.Answer{Failure: &ledger.Failure{State: ledger.Error, Message: "lost"}}, err
			}
		}, []string{"answer breaks off"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := edrtest.Problems(t, subject(func(_ testing.TB, tool edr.Searcher) edr.Tool {
				b := &broken{Searcher: tool}
				tt.break_(b)
				return b
			}), tt.found...)
			for _, c := range tt.found {
				if len(got[c]) == 0 {
					t.Errorf("%s: not found by %q", name, c)
				}
			}
		})
	}
}

const perSearch = 50
