package remote

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
)

// StatusLine is a line of an agent's own log.
type StatusLine struct {
	Severity string // 0 info, 1 warning, 2 error
	File     string // of osquery's source
	Message  string // as sent, bounded
}

const (
	maxLine   = 4096
	maxStatus = 32 // lines of one request that are passed on
)

// log takes an agent's log. Nothing of it is kept: hunter schedules no queries, so there are only lines about the agent
// itself. They are counted, and those about a stopped worker are passed on.
func (s *Server) log(r *http.Request, rc *http.ResponseController) reply {
	if !enter(s.bodies) {
		out := refuse(http.StatusServiceUnavailable, "busy; keep the lines")
		out.close = true
		return out
	}
	defer leave(s.bodies)
	if !plain(r) {
		if !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
			return refuse(http.StatusUnsupportedMediaType, "logs may be plain or gzip")
		}
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return s.unreadable(fmt.Errorf("%w: it is no gzip", errSyntax))
		}
		r.Body = unzipped // the connection's own is closed by the http.Server
	}
	sc := s.scanner(r, s.opt.Limits.LogBody)
	defer s.release(sc)
	body := logBody{sc: sc}
	if err := body.parse(); err != nil {
		return s.unreadable(err)
	}
	if len(body.node) == 0 {
		body.node = []byte(headerKey(r))
	}
	key, ok := keyOf(body.node)
	if !ok {
		return noKey()
	}
	n, out, ok := s.known(r, key)
	if !ok {
		return out
	}
	s.counts.logLines.Add(body.lines)
	if s.opt.OnStatus != nil {
		for _, l := range body.status {
			s.opt.OnStatus(n, l)
		}
	}
	return done()
}

// logBody is what is taken of a log request.
type logBody struct {
	sc     *scanner
	node   []byte
	lines  int64
	status []StatusLine
	value  []byte
}

func (b *logBody) parse() error {
	if err := b.sc.take('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		name, ok, err := b.sc.key(nil, first, 16)
		if err != nil || !ok {
			return err
		}
		switch string(name) {
		case "node_key":
			b.node, _, _, err = b.sc.scalar(nil, maxKey)
		case "data":
			err = b.data()
		default:
			err = b.sc.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (b *logBody) data() error {
	c, err := b.sc.peek()
	if err != nil {
		return err
	}
	if c != '[' {
		return b.sc.skip()
	}
	b.sc.pos++
	for first := true; ; first = false {
		ok, err := b.sc.more(']', first)
		if err != nil || !ok {
			return err
		}
		b.lines++
		if err := b.line(); err != nil {
			return err
		}
	}
}

func (b *logBody) line() error {
	var l StatusLine
	err := b.sc.members(func(name string) error {
		var to *string
		switch name {
		case "message":
			to = &l.Message
		case "severity":
			to = &l.Severity
		case "filename":
			to = &l.File
		default:
			return b.sc.skip()
		}
		raw, _, _, err := b.sc.scalar(b.value[:0], maxLine)
		b.value = raw
		if name == "message" && !tellsOfWorker(raw) {
			return err
		}
		*to = string(raw)
		return err
	})
	if l.Message != "" && len(b.status) < maxStatus {
		b.status = append(b.status, l)
	}
	return err
}

// tellsOfWorker reports whether a line is the watchdog's about a worker that it stops, such as "osqueryd worker (1423)
// stopping: Memory limits exceeded".
func tellsOfWorker(message []byte) bool {
	return bytes.Contains(message, []byte("worker")) && (bytes.Contains(message, []byte("stopping")) || bytes.Contains(message, []byte("limits exceeded")) ||
		bytes.Contains(message, []byte("could not be stopped")))
}
