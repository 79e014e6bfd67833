// Package carbonblacktest is a server of Carbon Black EDR for tests: it holds sensors, records of processes and binaries,
// answers in the shapes of the recorded answers beside the tool, and refuses every request that the real one should
// never see.
package carbonblacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Token is what the server wants to see in X-Auth-Token.
const Token = "INVENTED0000000000000000000000NOTREAL000"

// Sensor is one sensor; Fields replaces what the list says of it.
type Sensor struct {
	ID     int
	Name   string
	Fields map[string]any
}

// Process is one recorded process.
type Process struct {
	Sensor   int
	MD5      string   // of its program
	Path     string   // of its program
	Has      []string // md5s of files that it wrote and modules that it loaded
	Segments int      // 0 is 1
	PID      int
	Updated  time.Time // zero is an hour ago
	Fields   map[string]any
}

// Binary is one file of the store.
type Binary struct {
	MD5    string // as the server writes it: upper case
	Names  []string
	Seen   []string // NAME|sensor id
	Fields map[string]any
}

// Server is the server. Set its fields before the first request.
type Server struct {
	URL        string
	Now        time.Time
	Sensors    []Sensor
	Processes  []Process
	Binaries   []Binary
	Partitions map[string]any // nil: the right to see them is missing
	NoPaging   bool           // an old server: it knows the bare list of sensors alone
	NoGroups   bool           // an old server: each segment is a row
	// Intercept may answer in the server's stead; n counts the requests from 1. It reports whether it did.
	Intercept func(w http.ResponseWriter, r *http.Request, n int) bool
	// Change may alter an answer before it goes out.
	Change func(r *http.Request, body map[string]any)

	mu       sync.Mutex
	requests []string
	strange  []string
}

// New starts a server; it is closed with the test, which fails when a strange request came.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{Now: time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)}
	h := httptest.NewServer(s)
	s.URL = h.URL
	t.Cleanup(func() {
		h.Close()
		for _, why := range s.strange {
			t.Error(why)
		}
	})
	return s
}

// Requests lists the requests that came, path and query as sent.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.RequestURI())
	n := len(s.requests)
	s.mu.Unlock()
	if why := strange(r); why != "" {
		s.mu.Lock()
		s.strange = append(s.strange, fmt.Sprintf("%s %s: %s", r.Method, r.URL, why))
		s.mu.Unlock()
		http.Error(w, "<html><title>400: Bad Request</title></html>", http.StatusBadRequest)
		return
	}
	if s.Intercept != nil && s.Intercept(w, r, n) {
		return
	}
	if r.Header.Get("X-Auth-Token") != Token {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "<html><title>401: Unauthorized</title></html>")
		return
	}
	body, status := s.answer(r)
	if m, ok := body.(map[string]any); ok && s.Change != nil {
		s.Change(r, m)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that left
}

// The forms of values that requests may have.
var (
	numberForm  = regexp.MustCompile(`^\d+$`)
	timeForm    = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
	sortForm    = regexp.MustCompile(`^(start asc|last_update desc)$`)
	processForm = regexp.MustCompile(`^(\(md5:[0-9a-f]{32}( OR md5:[0-9a-f]{32})*\)|sensor_id:[1-9]\d*|last_update:-\d+d)$`)
	binaryForm  = regexp.MustCompile(`^(\(md5:[0-9a-f]{32}( OR md5:[0-9a-f]{32})*\)|is_executable_image:true)$`)
	oneForm     = regexp.MustCompile(`^1$`)
	falseForm   = regexp.MustCompile(`^false$`)
	idForm      = regexp.MustCompile(`^id$`)
	ascForm     = regexp.MustCompile(`^asc$`)
	termForm    = regexp.MustCompile(`md5:([0-9a-f]{32})`)
)

// allowed lists the parameters of each address that is known, with the form of their values.
func allowed(path string) map[string]*regexp.Regexp {
	switch path {
	case "/api/v1/process":
		return map[string]*regexp.Regexp{
			"start": numberForm, "rows": numberForm, "cb.urlver": oneForm, "cb.min_last_update": timeForm, "cb.group": idForm, "facet": falseForm,
			"sort": sortForm, "q": processForm,
		}
	case "/api/v1/binary":
		return map[string]*regexp.Regexp{"start": numberForm, "rows": numberForm, "cb.urlver": oneForm, "facet": falseForm, "q": binaryForm}
	case "/api/v2/sensor":
		return map[string]*regexp.Regexp{"start": numberForm, "rows": numberForm, "sort.col": idForm, "sort.dir": ascForm}
	case "/api/v1/sensor", "/api/v1/storage/events/partition":
		return map[string]*regexp.Regexp{}
	}
	return nil
}

// maxAddress is what servers and proxies take at least.
const maxAddress = 4096

// strange says why a request should never have been made.
func strange(r *http.Request) string {
	forms := allowed(r.URL.Path)
	values, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case r.Method != http.MethodGet:
		return "only reads are allowed"
	case forms == nil:
		return "no such address"
	case err != nil:
		return err.Error()
	case len(r.URL.RequestURI()) >= maxAddress:
		return "the address is too long"
	case len(r.Header["X-Auth-Token"]) != 1, r.Header.Get("Authorization") != "", r.Header.Get("Cookie") != "":
		return "exactly one X-Auth-Token and no other credential is due"
	}
	for key, list := range values {
		form, ok := forms[key]
		if !ok || len(list) != 1 || !form.MatchString(list[0]) {
			return fmt.Sprintf("the parameter %s=%q", key, list)
		}
	}
	return ""
}

func (s *Server) answer(r *http.Request) (body any, status int) {
	q := r.URL.Query()
	start, _ := strconv.Atoi(q.Get("start")) // its form was checked
	rows, _ := strconv.Atoi(q.Get("rows"))
	switch r.URL.Path {
	case "/api/v1/process":
		found, terms := s.processes(q)
		out := envelope(found, terms, start, rows)
		for k, v := range map[string]any{
			"comprehensive_search": true, "all_segments": true, "tagged_pids": map[string]any{}, "incomplete_results": false,
			"filtered": map[string]any{"hour_of_day": []any{}},
		} {
			out[k] = v
		}
		return out, http.StatusOK
	case "/api/v1/binary":
		found, terms := s.binaries(q.Get("q"))
		return envelope(found, terms, start, rows), http.StatusOK
	case "/api/v1/storage/events/partition":
		if s.Partitions == nil {
			return map[string]any{"reason": "the right is missing"}, http.StatusForbidden
		}
		return s.Partitions, http.StatusOK
	}
	var sensors []any
	for _, one := range s.Sensors {
		sensors = append(sensors, one.row(s.Now))
	}
	if r.URL.Path == "/api/v1/sensor" {
		return sensors, http.StatusOK
	}
	if s.NoPaging {
		return map[string]any{}, http.StatusNotFound
	}
	return map[string]any{"total_results": len(sensors), "results": cut(sensors, start, rows)}, http.StatusOK
}

// cut gives one page, never nil.
func cut(all []any, start, rows int) []any {
	start = min(start, len(all))
	return append([]any{}, all[start:min(start+rows, len(all))]...)
}

func envelope(found []any, terms []string, start, rows int) map[string]any {
	return map[string]any{
		"terms": terms, "results": cut(found, start, rows), "elapsed": 0.056, "total_results": len(found), "start": start, "facets": map[string]any{},
		"highlights": []any{},
	}
}

// md5s gives the terms md5:… of a condition.
func md5s(q string) []string {
	var out []string
	for _, m := range termForm.FindAllStringSubmatch(q, -1) {
		out = append(out, m[1])
	}
	return out
}

func (s *Server) processes(values url.Values) (rows []any, terms []string) {
	q := values.Get("q")
	from, _ := time.Parse(time.RFC3339, values.Get("cb.min_last_update")) // none is zero
	terms = []string{q}
	match := func(p Process) bool { return strconv.Itoa(p.Sensor) == strings.TrimPrefix(q, "sensor_id:") }
	if ago, ok := strings.CutPrefix(q, "last_update:-"); ok {
		days, _ := strconv.Atoi(strings.TrimSuffix(ago, "d")) // its form was checked
		match = func(p Process) bool { return s.Now.Sub(p.updated(s.Now)) <= time.Duration(days)*24*time.Hour }
	} else if asked := md5s(q); len(asked) > 0 {
		terms = nil
		for _, m := range asked {
			terms = append(terms, "md5:"+m)
		}
		match = func(p Process) bool {
			return slices.ContainsFunc(append([]string{p.MD5}, p.Has...), func(m string) bool { return slices.Contains(asked, strings.ToLower(m)) })
		}
	}
	for i, p := range s.Processes {
		if !match(p) || p.updated(s.Now).Before(from) {
			continue
		}
		segments := max(p.Segments, 1)
		if !s.NoGroups {
			segments = 1
		}
		for n := range segments {
			rows = append(rows, p.row(s.Now, i, n))
		}
	}
	return rows, terms
}

func (s *Server) binaries(q string) (rows []any, terms []string) {
	asked := md5s(q)
	for _, m := range asked {
		terms = append(terms, "md5:"+m)
	}
	for _, b := range s.Binaries {
		if len(asked) == 0 || slices.Contains(asked, strings.ToLower(b.MD5)) {
			rows = append(rows, b.row())
		}
	}
	return rows, terms
}
