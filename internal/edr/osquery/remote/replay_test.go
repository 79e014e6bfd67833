package remote_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const madeKey = "tT3cY0Rk1eEXAMPLEnodekey0000000001"

// Every write that an agent was seen or read to make is taken, with its rows, statuses and messages as encoding/json reads
// them where it can.
func TestReplayWrites(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*/distributed_write*")
	if err != nil || len(names) < 16 {
		t.Fatalf("%d fixtures: %v", len(names), err)
	}
	for _, path := range names {
		name := filepath.ToSlash(strings.TrimPrefix(path, "testdata"+string(filepath.Separator)))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.node("one", ledger.AgentOsquery, "NK-1", madeKey)
			body := fixture(t, name)
			mustDo(t, b.post(apiWrite, bytes.NewReader(body)))
			var want struct {
				Queries  map[string]json.RawMessage
				Statuses map[string]json.Number
				Messages map[string]string
			}
			if err := json.Unmarshal(body, &want); err != nil {
				t.Fatal(err)
			}
			if len(b.got) != len(want.Queries) {
				t.Errorf("%d answers instead of %d", len(b.got), len(want.Queries))
			}
			for _, d := range b.got {
				var rows []ledger.Row
				_ = json.Unmarshal(want.Queries[d.Name], &rows) // "" in old versions
				for _, got := range d.Rows {                    // compare as encoding/json would have it
					for k, v := range got {
						got[k] = string([]rune(v))
					}
				}
				if diff := cmp.Diff(rows, d.Rows, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: %s", d.Name, diff)
				}
				if status := want.Statuses[d.Name].String(); (status == "0") != (d.Status == 0) || d.Message != want.Messages[d.Name] || d.Cut != "" || !d.ReceivedAt.Equal(b.now()) {
					t.Errorf("status %s: %+v", status, d)
				}
			}
		})
	}
}

// File names that are no UTF-8 are kept as they are on the disk.
func TestBytesAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1", madeKey)
	mustDo(t, b.post(apiWrite, bytes.NewReader(fixture(t, "made/distributed_write_bad_utf8.bin"))))
	mustDo(t, b.post(apiWrite, bytes.NewReader(fixture(t, "captured/distributed_write_edge_INVALID_UTF8.json"))))
	var paths []string
	for _, d := range b.got {
		for _, r := range d.Rows {
			if !utf8.ValidString(r["path"]) {
				paths = append(paths, r["path"])
			}
		}
	}
	for _, want := range []string{"/home/ana/caf\xe9", "/opt/trial/bh/bad\xff\xfename"} {
		if !strings.Contains(strings.Join(paths, "\n"), want) {
			t.Errorf("%q is not among %q", want, paths)
		}
	}
}

func TestReplayEnrolments(t *testing.T) {
	t.Parallel()
	debian := ledger.Host{
		Identifier: "7c83ac63-e37d-425f-9805-70a6790ed957", Hostname: "trial-host", Computer: "trial-host", UUID: "7c83ac63-e37d-425f-9805-70a6790ed957",
		Platform: "linux", OS: "Debian GNU/Linux 12 (bookworm)", Arch: "x86_64", CPUs: 2, Memory: 25276514304,
	}
	for name, want := range map[string]ledger.Enrolment{
		"captured/enroll.json":                          {Host: debian, Version: "5.23.0", Instance: "d9ce2ff6-ca20-45ac-b6eb-415c55becd98"},
		"captured/enroll_again_after_node_invalid.json": {Host: debian, Version: "5.23.0", Instance: "d9ce2ff6-ca20-45ac-b6eb-415c55becd98"},
		"made/enroll_request_linux.json": {Version: "5.23.0", Instance: "0d6f2c5e-3a6c-4c8e-9a53-7d2f3f1f7c11", Host: ledger.Host{
			Identifier: "4c4c4544-0042-3610-8052-b9c04f4e5131", Hostname: "web-01.example.test", Computer: "web-01", UUID: "4c4c4544-0042-3610-8052-b9c04f4e5131",
			Serial: "EX4MPL3", Platform: "linux", OS: "Debian GNU/Linux 12 (bookworm)", Arch: "x86_64", CPUs: 4, Memory: 8321499136,
		}},
		"made/enroll_request_windows.json": {Version: "5.20.0", Instance: "a1b2c3d4-0000-4000-8000-000000000001", Host: ledger.Host{
			Identifier: "9B1DEB4D-3B7D-4BAD-9BDD-2B0D7B3DCB6D", Hostname: "WIN-FILE01", Computer: "WIN-FILE01", UUID: "9B1DEB4D-3B7D-4BAD-9BDD-2B0D7B3DCB6D", Serial: "VM-1", Platform: "windows",
			OS: "Microsoft Windows Server 2022 Standard 10.0.20348", Arch: "64-bit", CPUs: 8, Memory: 17179332608,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			body := bytes.Replace(fixture(t, name), []byte(`"enroll_secret": ""`), []byte(`"enroll_secret": "sekret"`), 1)
			body = bytes.Replace(body, []byte("this_is_a_deployment_secret"), []byte("sekret"), 1)
			var reply struct {
				Key     string `json:"node_key"`
				Invalid *bool  `json:"node_invalid"`
			}
			if err := json.Unmarshal([]byte(mustDo(t, b.post(apiEnroll, bytes.NewReader(body)))), &reply); err != nil || len(reply.Key) != 43 || *reply.Invalid {
				t.Fatalf("%+v %v", reply, err)
			}
			want.Key, want.Agent, want.Secret, want.Address, want.At, want.Approved = remote.HashKey(reply.Key), ledger.AgentOsquery, "first", "192.0.2.1", b.now(), true
			want.Silent = 3 * remote.DefaultInterval
			if diff := cmp.Diff([]ledger.Enrolment{want}, b.enrols); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(b.logged(), reply.Key) || strings.Contains(b.logged(), "sekret") {
				t.Error("a secret in the log")
			}
			mustDo(t, b.post(apiRead, text(`{"node_key":%q}`, reply.Key)))
		})
	}
}

func TestReplayLogs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ lines, told int }{
		"captured/logger_result.json": {3, 0}, "captured/logger_snapshot.json": {1, 0}, "captured/logger_status.json": {15, 0},
		"captured/logger_status_after_watchdog_kill.json": {10, 0}, "made/log_request_result.json": {2, 0}, "made/log_request_status.json": {1, 1},
	} {
		for _, gzipped := range []bool{false, true} {
			var told []remote.StatusLine
			b := newBench(t, func(o *remote.Options) {
				o.OnStatus = func(n ledger.Node, l remote.StatusLine) {
					if told = append(told, l); n.ID != "one" {
						t.Error(n)
					}
				}
			})
			b.node("one", ledger.AgentOsquery, "NK-1", "NK-2", madeKey)
			if body := fixture(t, name); gzipped {
				mustDo(t, b.post(apiLog, zipped(string(body)), "Content-Encoding", "gzip"))
			} else {
				mustDo(t, b.post(apiLog, bytes.NewReader(body)))
			}
			if got := b.server.Counts().LogLines; int(got) != want.lines || len(told) != want.told {
				t.Errorf("%s: %d lines, told %+v", name, got, told)
			}
			for _, l := range told {
				if l.Severity != "1" || l.File != "watcher.cpp" || !strings.HasPrefix(l.Message, "osqueryd worker (1423) stopping: Memory limits exceeded") {
					t.Errorf("%+v", l)
				}
			}
		}
	}
}

// What is polled with the captured bodies: config and read, under both paths.
func TestReplayReads(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.node("one", ledger.AgentOsquery, "NK-1", madeKey)
	for _, prefix := range []string{"/api/osquery/", "/api/v1/osquery/"} {
		if got := mustDo(t, b.post(prefix+"distributed/read", bytes.NewReader(fixture(t, "captured/distributed_read.json")))); got != `{"queries":{}}` {
			t.Error(got)
		}
		mustDo(t, b.post(prefix+"distributed/read", bytes.NewReader(fixture(t, "made/node_key_request.json"))))
		var config struct {
			Options  map[string]any
			Schedule map[string]any
		}
		if err := json.Unmarshal([]byte(mustDo(t, b.post(prefix+"config", bytes.NewReader(fixture(t, "captured/config.json"))))), &config); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"disable_distributed": false, "distributed_plugin": "tls", "distributed_interval": 60.0, "distributed_tls_max_attempts": 3.0}
		if diff := cmp.Diff(want, config.Options); diff != "" || len(config.Schedule) != 0 {
			t.Error(diff, config.Schedule)
		}
	}
	if c := b.server.Counts(); c.Polls != 4 || c.Configs != 2 {
		t.Errorf("%+v", c)
	}
}
