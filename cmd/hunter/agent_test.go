package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every fault of a command line is told at once, and no secret that was written out.
func TestAgentFaults(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	args := []string{
		"agent", "--enroll-secret", "sekret", "--interval", "x", "--query-timeout", "-1s", "--memory", "1MiB", "--on-battery", "panic", "--cpu-share", "x",
	}
	if code := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != 2 || out.Len() > 0 {
		t.Errorf("%d, %s", code, out.String())
	}
	for _, want := range []string{"--server is due", "--ca is due", "--enroll-secret", "--interval", "--query-timeout", "--memory", "--on-battery", "--cpu-share"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("no word of %s: %s", want, errs.String())
		}
	}
	if strings.Contains(errs.String(), "sekret") {
		t.Errorf("the secret is told: %s", errs.String())
	}
}

// A process of its own enrols, answers what is due, and ends.
func TestAgentOnce(t *testing.T) {
	t.Parallel()
	var writes []string
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.TrimPrefix(r.URL.Path, "/api/osquery/") {
		case "enroll":
			fmt.Fprint(w, `{"node_key":"the-key-of-this-node"}`)
		case "distributed/read":
			fmt.Fprint(w, `{"queries":{"q":"SELECT version AS v FROM osquery_info"}}`)
		case "distributed/write":
			text, _ := io.ReadAll(r.Body)
			writes = append(writes, string(text))
			fmt.Fprint(w, "{}")
		default:
			fmt.Fprint(w, `{"node_invalid":false}`)
		}
	}))
	defer web.Close()
	dir := t.TempDir()
	ca, pass := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "secret")
	for path, text := range map[string]string{ca: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})), pass: "open-sesame"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := hunterCommand(t, filepath.Join(dir, "h.db"), "agent", "--once", "--json", "--server", web.Listener.Addr().String(),
		"--ca", ca, "--enroll-secret", "file:"+pass, "--state", filepath.Join(dir, "state"))
	cmd.Env = append(cmd.Env, "HUNTER_QUIET=false")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	if len(writes) != 1 || !strings.Contains(writes[0], `{"queries":{"q":[{"v":"`+versionNumber()+`"}]},"statuses":{"q":0}`) {
		t.Errorf("%q", writes)
	}
	for line := range strings.Lines(errs.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	for _, word := range []string{"open-sesame", "the-key-of-this-node"} {
		if strings.Contains(errs.String(), word) {
			t.Errorf("the log holds %s: %s", word, errs.String())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "h.db")); !os.IsNotExist(err) {
		t.Errorf("an agent has no database: %v", err)
	}
}
