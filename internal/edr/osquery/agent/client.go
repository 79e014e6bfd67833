package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Where the server takes osquery's remote API.
const (
	enrollPath = "/api/osquery/enroll"
	configPath = "/api/osquery/config"
	readPath   = "/api/osquery/distributed/read"
	writePath  = "/api/osquery/distributed/write"
)

// Bounds of one exchange.
const (
	maxReply   = 16 << 20
	maxAck     = 1 << 20
	sendWithin = 10 * time.Minute // an answer of many MiB over a slow line
	askWithin  = time.Minute
)

// errNodeInvalid says that the server does not know our node key.
var errNodeInvalid = errors.New("the server does not know this node key")

// refusal is an exchange that reached the server, or something before it, and was not acknowledged.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("refused with status %d: %s", r.status, r.text) }

// object is a reply that was acknowledged.
type object map[string]json.RawMessage

type client struct {
	http  *http.Client
	base  string
	agent string
}

// newClient makes a client that trusts the given certificates alone, follows no redirect and uses no proxy.
func newClient(server, version string, roots *x509.CertPool) *client {
	return &client{
		base: "https://" + server, agent: "hunter/" + version,
		http: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout: 15 * time.Second,
				MaxIdleConns:        2,
				IdleConnTimeout:     3 * time.Minute,
				DisableCompression:  true,
			},
		},
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// post sends one body and judges the reply: only status 200 with a JSON object that has neither an error nor node_invalid
// is an acknowledgement. A reply of another sort is a *refusal or errNodeInvalid; any other error never reached the server.
func (c *client) post(ctx context.Context, path, key string, body []byte, within time.Duration, limit int64) (object, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	if key != "" {
		req.Header.Set("Authorization", "NodeKey "+key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the server: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read to its end, or is no use
	text, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read the reply of %s: %w", path, err)
	}
	if int64(len(text)) > limit {
		return nil, &refusal{res.StatusCode, fmt.Sprintf("the reply is longer than %d MiB", limit>>20)}
	}
	return judge(res.StatusCode, text)
}

// judge tells an acknowledgement from everything else.
func judge(status int, text []byte) (object, error) {
	var o object
	if err := json.Unmarshal(text, &o); err != nil || o == nil {
		return nil, &refusal{status, "the reply is no JSON object: " + excerpt(text)}
	}
	if raw, ok := o["node_invalid"]; ok && string(raw) != "false" {
		return nil, errNodeInvalid
	}
	if raw, ok := o["error"]; ok {
		return nil, &refusal{status, excerpt(raw)}
	}
	if status != http.StatusOK {
		return nil, &refusal{status, excerpt(text)}
	}
	return o, nil
}

// excerpt is the beginning of a text for a log.
func excerpt(text []byte) string {
	const most = 200
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
