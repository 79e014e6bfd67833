package remote

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// enrols are the limits on enrolments. Those of one address are wide, as thousands of machines may come from behind one;
// what is too fast is spread: an agent that is refused waits 1, 4, 9 … 600 s.
type enrols struct {
	address, name, wrong *keyed
	all                  *rate.Limiter
}

func newEnrols(l Limits) enrols {
	return enrols{
		address: newKeyed(l.AddressRate, l.AddressBurst), name: newKeyed(l.NameRate, l.NameBurst), wrong: newKeyed(rate.Every(10*time.Second), l.WrongBurst),
		all: rate.NewLimiter(l.EnrolRate, l.EnrolBurst),
	}
}

func (s *Server) enroll(r *http.Request, _ *http.ResponseController) reply {
	now, address := s.opt.Now(), s.opt.Address(r)
	group := network(address)
	if !s.enrols.address.allow(group, now) {
		return refuse(http.StatusTooManyRequests, "too many enrolments from this address; try again later")
	}
	sc := s.scanner(r, s.opt.Limits.SmallBody)
	defer s.release(sc)
	body, err := sc.enrolment()
	if err != nil {
		return s.unreadable(err)
	}
	name, ok := s.secretName(body.secret)
	if !ok {
		return s.wrongSecret(group, address, body, now)
	}
	switch {
	case body.host.Identifier == "":
		return refuse(http.StatusBadRequest, "the host has no host_identifier; set --host_identifier=uuid")
	case body.longName:
		return refuse(http.StatusBadRequest, "the host_identifier is too long")
	case !s.enrols.name.allow(body.host.Identifier, now):
		return refuse(http.StatusTooManyRequests, "this host_identifier enrols too often: do two machines share it, or is the agent's database lost at each start?")
	case !s.enrols.all.AllowN(now, 1):
		return refuse(http.StatusServiceUnavailable, "too many machines enrol at once; try again")
	}
	key := newKey()
	hash, _ := keyOf([]byte(key))
	e := ledger.Enrolment{
		Key: hash, Host: body.host, Agent: ledger.AgentOsquery, Version: body.version, Instance: body.instance, Secret: name,
		Address: clean([]byte(address), maxText), At: now, Silent: ledger.Silence(s.opt.Interval),
	}
	if v, ok := hunterAgent(r, body); ok {
		e.Agent, e.Version = ledger.AgentHunter, v
	}
	e.Approved = s.opt.Approve == nil || s.opt.Approve(e)
	n, err := s.opt.Nodes.Enroll(r.Context(), e)
	if err != nil {
		return s.trouble("enrol the machine", err)
	}
	s.counts.enrolled.Add(1)
	s.opt.Log.Info("a machine enrolled", slog.String("node", n.ID), slog.String("host", diag.Escape(n.Hostname)),
		slog.String("identifier", diag.Escape(n.Identifier)), slog.String("secret", name), slog.String("address", diag.Escape(e.Address)))
	return reply{status: http.StatusOK, body: `{"node_key":"` + key + `","node_invalid":false}`}
}

// secretName gives the name of an enroll secret. All are compared, and as digests, so that the time tells nothing.
func (s *Server) secretName(sent []byte) (name string, ok bool) {
	digest := sha256.Sum256(sent)
	found := -1
	secrets := s.opt.Secrets()
	for i, known := range secrets {
		value := sha256.Sum256([]byte(known.Value.Reveal()))
		if subtle.ConstantTimeCompare(digest[:], value[:]) == 1 && !known.Value.IsZero() {
			found = i
		}
	}
	if found < 0 {
		return "", false
	}
	return secrets[found].Name, true
}

func (s *Server) wrongSecret(group, address string, body enrolBody, now time.Time) reply {
	s.counts.wrongSecrets.Add(1)
	if !s.enrols.wrong.allow(group, now) {
		return refuse(http.StatusTooManyRequests, "too many wrong enroll secrets from this address")
	}
	s.opt.Log.Warn("a machine could not enrol: its secret is wrong", slog.String("address", diag.Escape(address)),
		slog.String("host", diag.Escape(body.host.Hostname)), slog.Bool("empty", len(body.secret) == 0))
	return refuse(http.StatusUnauthorized, "the enroll secret is wrong; `hunter enroll-kit` writes the right one")
}

// newKey makes a node key: 256 random bits.
func newKey() string {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(fmt.Errorf("no random bytes: %w", err)) // does not happen: Read itself ends the process
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}
