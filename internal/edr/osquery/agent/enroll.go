package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/secret"
)

// identity is who the agent is, as it is kept in its state folder.
type identity struct {
	Machine  string `json:"machine"`  // a folder that was copied to another machine is not that machine's
	Instance string `json:"instance"` // of this installation
	Key      string `json:"node_key,omitempty"`
}

// controls are the files that are read each time: they prove that files can be read now.
func controls() []string { return []string{osquery.ControlPath(runtime.GOOS)} }

// identify reads who the agent is, or makes it someone.
func (a *Agent) identify() error {
	machine := embedded.MachineID()
	known, err := a.state.load(identityFile, &a.self)
	if err != nil {
		a.log.LogAttrs(context.Background(), slog.LevelWarn, "the node's identity can not be read; the agent enrols anew", slog.String("error", err.Error()))
	}
	if known && a.self.Machine == machine && a.self.Instance != "" {
		a.key, a.self.Key = a.self.Key, ""
		return nil
	}
	if known && a.self.Machine != machine {
		a.log.LogAttrs(context.Background(), slog.LevelWarn, "the state folder is a copy of another machine's; the agent enrols anew")
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return fmt.Errorf("make an id for this installation: %w", err)
	}
	a.self = identity{Machine: machine, Instance: id.String()}
	return a.state.save(identityFile, a.self)
}

// ensure gives the node key, and enrols for one where there is none.
func (a *Agent) ensure(ctx context.Context) (string, error) {
	a.keyed.Lock()
	defer a.keyed.Unlock()
	if a.key != "" {
		return a.key, nil
	}
	key, err := a.enroll(ctx)
	if err != nil {
		return "", fmt.Errorf("enrol: %w", err)
	}
	a.key = key
	with := a.self
	with.Key = key
	if err := a.state.save(identityFile, with); err != nil { // it works until the next start, which enrols again
		a.log.LogAttrs(ctx, slog.LevelError, "the node key could not be kept", slog.String("error", err.Error()))
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "enrolled", slog.String("server", a.cfg.Server))
	return key, nil
}

func (a *Agent) enrolled() bool {
	a.keyed.Lock()
	defer a.keyed.Unlock()
	return a.key != ""
}

// forget drops a node key that the server does not know, unless another one has taken its place.
func (a *Agent) forget(ctx context.Context, key string) {
	a.keyed.Lock()
	defer a.keyed.Unlock()
	if a.key != key {
		return
	}
	a.key = ""
	a.log.LogAttrs(ctx, slog.LevelWarn, "the server does not know the node key; the agent enrols again")
}

func (a *Agent) enroll(ctx context.Context) (string, error) {
	pass, err := a.cfg.Secret.For("the enrol secret").Resolve()
	if err != nil {
		return "", err
	}
	body := append(append(appendText([]byte(`{"enroll_secret":`), pass.Reveal()), ','), a.about...)
	o, err := a.client.post(ctx, enrollPath, "", body, askWithin, maxAck)
	if errors.Is(err, errNodeInvalid) {
		return "", errors.New("the server refuses the enrol secret")
	}
	if err != nil {
		return "", errors.New(secret.Redact(err.Error(), pass))
	}
	var key string
	if json.Unmarshal(o["node_key"], &key) != nil || key == "" || len(key) > 4096 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return "", errors.New("the server's reply holds no node key")
	}
	return key, nil
}

// describe is the body of an enrolment after the secret: osquery's, and that it is hunter's own agent.
func (a *Agent) describe(ctx context.Context) ([]byte, error) {
	b := appendText([]byte(`"host_identifier":`), a.self.Machine)
	b = appendText(append(b, `,"platform_type":`...), map[string]string{"linux": "9", "darwin": "21", "windows": "2"}[runtime.GOOS])
	b = append(b, `,"host_details":{`...)
	first := true
	for _, table := range []string{"os_version", "osquery_info", "system_info"} {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		res, err := a.engine.Query(ctx, "SELECT * FROM "+table)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("look at this machine: %s: %w", table, err)
		}
		if len(res.Rows) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendText(b, table)
		columns := slices.DeleteFunc(res.Columns, func(c string) bool { return res.Rows[0][c] == "" })
		b = appendRow(append(b, ':'), columns, res.Rows[0])
	}
	return append(appendText(append(b, `},"hunter":`...), a.cfg.Version), '}'), nil
}

// redact takes the credentials out of an error for a log.
func (a *Agent) redact(err error) string {
	a.keyed.Lock()
	key := a.key
	a.keyed.Unlock()
	text := err.Error()
	if key != "" {
		text = secret.Redact(text, secret.New(key))
	}
	return text
}

// call sends the body for a node key, and enrols anew once where the server does not know it.
func (a *Agent) call(ctx context.Context, path string, body func(key string) []byte, within time.Duration, limit int64) (object, error) {
	for again := false; ; again = true {
		key, err := a.ensure(ctx)
		if err != nil {
			return nil, err
		}
		o, err := a.client.post(ctx, path, key, body(key), within, limit)
		if errors.Is(err, errNodeInvalid) {
			a.forget(ctx, key)
			if !again {
				continue
			}
		}
		return o, err
	}
}
