// Package threatscapetest is a ThreatScape of recorded answers for tests. It takes only requests as the documented API
// wants them, and works the signature out on its own.
package threatscapetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed testdata
var files embed.FS

// The keys that the server takes.
const (
	PublicKey  = "pub-EXAMPLE-not-a-key"
	PrivateKey = "priv-EXAMPLE-not-a-key"
)

// Read gives one recorded answer.
func Read(name string) []byte {
	body, err := files.ReadFile("testdata/" + name)
	if err != nil {
		panic(err) // a test names a file that is not there
	}
	return body
}

// ReadAll gives every recorded answer whose name ends so; no end is every answer.
func ReadAll(end string) [][]byte {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		panic(err) // they are part of the program
	}
	var out [][]byte
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), end) && e.Name() != "README.md" {
			out = append(out, Read(e.Name()))
		}
	}
	return out
}

// pair is a request with its answer.
type pair struct {
	URI    string `json:"uri"`
	Accept string `json:"accept"`
	Status int    `json:"status"`
	Type   string `json:"type"`
	File   string `json:"file"`
}

// Server answers from the recorded answers.
type Server struct {
	URL     string
	Version string           // Accept-Version that is due
	Now     func() time.Time // its clock
	// Instead answers in place of the recorded answers when it reports true; requests are checked before.
	Instead func(w http.ResponseWriter, r *http.Request) bool

	http   *httptest.Server
	pairs  []pair
	mu     sync.Mutex
	asked  []string
	faults []string
}

// New starts a server on the loopback address; change its fields before the first request.
func New() *Server {
	s := &Server{Version: "2.6", Now: time.Now}
	if err := json.Unmarshal(Read("index.json"), &s.pairs); err != nil {
		panic(err) // a file of this package
	}
	s.http = httptest.NewServer(s)
	s.URL = s.http.URL
	return s
}

// Close ends it.
func (s *Server) Close() { s.http.Close() }

// Asked lists the requests so far, path and query.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Faults lists what was wrong with the requests so far.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// ServeHTTP checks a request and answers it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := s.check(r)
	s.mu.Lock()
	s.asked = append(s.asked, r.RequestURI)
	if fault != "" {
		s.faults = append(s.faults, r.RequestURI+": "+fault)
	}
	s.mu.Unlock()
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	if s.Instead != nil && s.Instead(w, r) {
		return
	}
	if fault != "" {
		answer(w, http.StatusUnauthorized, "application/json", Read("error_401.json"))
		return
	}
	at := slices.IndexFunc(s.pairs, func(p pair) bool { return p.URI == r.RequestURI && p.Accept == r.Header.Get("Accept") })
	switch {
	case at >= 0:
		p := s.pairs[at]
		answer(w, p.Status, p.Type, Read(p.File))
	case strings.HasPrefix(r.RequestURI, "/pivot/"), strings.HasPrefix(r.RequestURI, "/search/"):
		w.WriteHeader(http.StatusNoContent)
	default:
		answer(w, http.StatusNotFound, "text/html", Read("error_404.html"))
	}
}

func answer(w http.ResponseWriter, status int, media string, body []byte) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone is a test's own matter
}

// check says what is wrong with a request.
func (s *Server) check(r *http.Request) string {
	date := r.Header.Get("Date")
	at, err := http.ParseTime(date)
	mac := hmac.New(sha256.New, []byte(PrivateKey))
	fmt.Fprint(mac, r.RequestURI, s.Version, r.Header.Get("Accept"), date)
	const skew = 5 * time.Minute
	switch {
	case r.Method != http.MethodGet || r.ContentLength != 0:
		return "no GET without a body"
	case len(r.Header.Values("Accept")) != 1 || strings.ContainsAny(r.Header.Get("Accept"), ",;"):
		return "one media type is due"
	case r.Header.Get("Accept-Version") != s.Version:
		return "Accept-Version is " + r.Header.Get("Accept-Version")
	case r.Header.Get("X-Auth") != PublicKey:
		return "another public key"
	case err != nil || s.Now().Sub(at).Abs() > skew:
		return "the date is off: " + date
	case r.Header.Get("X-Auth-Hash") != hex.EncodeToString(mac.Sum(nil)):
		return "another signature"
	}
	return ""
}
