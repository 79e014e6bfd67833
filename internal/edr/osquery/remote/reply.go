package remote

import (
	"io"
	"net/http"
	"slices"

	"github.com/hunter-project/hunter/internal/ledger"
)

// reply is what an agent gets. The body is a JSON object, always.
type reply struct {
	status int
	body   string
	long   *[]byte // stands for body where that is a query: it goes back to Server.longs
	close  bool    // the connection can not be used again
}

// The replies that are always the same.
const (
	bodyDone    = `{}`
	bodyIdle    = `{"queries":{}}`
	bodySoon    = `{"queries":{},"accelerate":60}`
	bodyInvalid = `{"node_invalid":true}`
)

// accelerate is for how many seconds an agent polls every 5 s when more is due for it soon.
const accelerate = "60"

func done() reply { return reply{status: http.StatusOK, body: bodyDone} }

// invalid makes an agent enrol again; its results it keeps. It is for keys that are not known, and for nothing else.
func invalid() reply { return reply{status: http.StatusUnauthorized, body: bodyInvalid} }

// refuse makes an agent keep what it has, and try again.
func refuse(status int, why string) reply {
	body := appendString([]byte(`{"error":`), why)
	return reply{status: status, body: string(append(body, '}'))}
}

func (r reply) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if r.close {
		h.Set("Connection", "close")
	}
	if r.status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	w.WriteHeader(r.status)
	if r.long != nil {
		_, _ = w.Write(*r.long) // an agent that has gone asks again
		return
	}
	_, _ = io.WriteString(w, r.body)
}

// appendHandout words the reply to a poll that is given a query.
func appendHandout(b []byte, p ledger.Polled) []byte {
	q := p.Handout
	b = slices.Grow(b, len(q.Text)+len(q.Text)/8+2*len(q.Name)+128)
	b = append(b, `{"queries":{`...)
	b = appendString(b, q.Name)
	b = append(b, ':')
	b = appendString(b, q.Text)
	b = append(b, '}')
	if p.Soon {
		b = append(b, `,"accelerate":`+accelerate...)
	}
	if p.Node.Agent == ledger.AgentHunter && q.MaxSize > 0 {
		b = append(b, `,"hunter":{`...)
		b = appendString(b, q.Name)
		b = append(b, `:{"max_size":`...)
		b = appendInt(b, q.MaxSize)
		b = append(b, `}}`...)
	}
	return append(b, '}')
}
