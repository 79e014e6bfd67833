package remote_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

func asks(secret, identifier string) string {
	body, err := json.Marshal(map[string]string{"enroll_secret": secret, "host_identifier": identifier, "platform_type": "9"})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// Several secrets hold at once, and can be exchanged while the server runs. Which one it was is kept, never what it is.
func TestSecrets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := []remote.Secret{{Name: "old", Value: secret.New("aaaa")}, {Name: "new", Value: secret.New("bbbb")}, {Name: "none"}}
	b := newBench(t, func(o *remote.Options) {
		o.Secrets = func() []remote.Secret { mu.Lock(); defer mu.Unlock(); return now }
	})
	for i, s := range []string{"aaaa", "bbbb"} {
		mustDo(t, b.post(apiEnroll, strings.NewReader(asks(s, fmt.Sprint(i)))))
		if got := b.enrols[i].Secret; got != now[i].Name {
			t.Errorf("%s is %q", s, got)
		}
	}
	mu.Lock()
	now = now[1:]
	mu.Unlock()
	for _, s := range []string{"aaaa", "bbb", "bbbbb", "BBBB", "", "bbbb\x00", strings.Repeat("b", 5000)} {
		mustKeep(t, b.post(apiEnroll, strings.NewReader(asks(s, "x"))))
	}
	mustDo(t, b.post(apiEnroll, strings.NewReader(asks("bbbb", "y"))))
	for _, word := range []string{"aaaa", "bbb", "BBBB"} {
		if strings.Contains(b.logged(), word) {
			t.Errorf("%s is in the log:\n%s", word, b.logged())
		}
	}
	if c := b.server.Counts(); c.Enrolled != 3 || c.WrongSecrets != 7 {
		t.Errorf("%+v", c)
	}
}

func TestKeysAreRandom(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	keys := map[string]bool{}
	for i := range 100 {
		var reply struct {
			Key string `json:"node_key"`
		}
		if err := json.Unmarshal([]byte(mustDo(t, b.post(apiEnroll, strings.NewReader(asks("sekret", fmt.Sprint(i)))))), &reply); err != nil {
			t.Fatal(err)
		}
		keys[reply.Key] = true
		if b.enrols[i].Key != remote.HashKey(reply.Key) {
			t.Error("another key was stored")
		}
	}
	if len(keys) != 100 {
		t.Error(len(keys))
	}
}

// Two thousand machines behind one address enrol at once.
func TestManyBehindOneAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 2000 {
		mustDo(t, b.post(apiEnroll, strings.NewReader(asks("sekret", fmt.Sprint("laptop ", i)))))
	}
	w := b.post(apiEnroll, strings.NewReader(asks("sekret", "one too many")))
	mustKeep(t, w)
	if w.Code != http.StatusServiceUnavailable {
		t.Error(w.Code)
	}
	b.move(time.Second) // what was refused comes again a second later
	mustDo(t, b.post(apiEnroll, strings.NewReader(asks("sekret", "one too many"))))
}

// Wrong secrets of one address stop being told and logged; right ones from the same address are good all the same, and
// other addresses notice nothing.
func TestWrongSecretsAreLimited(t *testing.T) {
	t.Parallel()
	from := "192.0.2.1"
	b := newBench(t, func(o *remote.Options) { o.Address = func(*http.Request) string { return from } })
	codes := map[int]int{}
	for range 500 {
		w := b.post(apiEnroll, strings.NewReader(asks("guess", "x\x1b[2J")))
		mustKeep(t, w)
		codes[w.Code]++
	}
	if codes[http.StatusUnauthorized] != 20 || codes[http.StatusTooManyRequests] != 480 || strings.Count(b.logged(), "secret is wrong") != 20 {
		t.Error(codes)
	}
	if strings.ContainsRune(b.logged(), 0x1b) {
		t.Error("an escape in the log")
	}
	mustDo(t, b.post(apiEnroll, strings.NewReader(asks("sekret", "y"))))
	from = "192.0.2.2"
	if w := b.post(apiEnroll, strings.NewReader(asks("guess", "x"))); w.Code != http.StatusUnauthorized {
		t.Error(w.Code)
	}
}

// One address can not try more than its share of secrets, whatever they are. Of IPv6 a /64 is one address.
func TestAddressIsLimited(t *testing.T) {
	t.Parallel()
	from := ""
	b := newBench(t, func(o *remote.Options) {
		o.Address, o.Limits.AddressBurst = func(*http.Request) string { return from }, 10
	})
	for prefix, want := range map[string]int{"2001:db8::%d": 10, "192.0.2.%d": 30, "no address": 10} {
		good := 0
		for i := range 30 {
			from = prefix
			if strings.Contains(prefix, "%d") {
				from = fmt.Sprintf(prefix, i+1)
			}
			if w := b.post(apiEnroll, strings.NewReader(asks("sekret", fmt.Sprint(prefix, i)))); w.Code == http.StatusOK {
				good++
			} else {
				mustKeep(t, w)
			}
		}
		if good != want {
			t.Errorf("%s: %d", prefix, good)
		}
	}
}

// An agent that loses its database at each start does not fill the list of nodes.
func TestIdentifierIsLimited(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := 0
	for range 200 {
		if w := b.post(apiEnroll, strings.NewReader(asks("sekret", "clone"))); w.Code == http.StatusOK {
			good++
		} else {
			mustKeep(t, w)
		}
	}
	if good != 50 {
		t.Error(good)
	}
	mustDo(t, b.post(apiEnroll, strings.NewReader(asks("sekret", "another"))))
}

// Hostile names are kept as they are, bounded, without NULs, and never reach the log as they are.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	name := "\xff<script>alert(1)</script>\x1b]0;x\x07\r\n=cmd|' /C calc'!A0"
	quoted := strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`, "\r", `\r`, "\n", `\n`).Replace(name)
	body := `{"enroll_secret":"sekret","host_identifier":"` + quoted + `\u0000","host_details":{"system_info":{"hostname":"` + quoted + `","computer_name":"` + strings.Repeat("c", 5000) +
		`","physical_memory":"-7","cpu_logical_cores":"many","uuid":["x"],"hardware_serial":7},"os_version":"none","osquery_info":{"version":"5.23.0","x":{"y":{}}},"z":[[[]]]},"platform_type":9}`
	mustDo(t, b.post(apiEnroll, strings.NewReader(body)))
	e := b.enrols[0]
	if e.Host.Identifier != name || e.Host.Hostname != name || len(e.Host.Computer) != 256 || e.Host.Memory != 0 || e.Host.CPUs != 0 || e.Host.UUID != "" || e.Host.Serial != "7" || e.Host.Platform != "linux" {
		t.Errorf("%+v", e.Host)
	}
	if strings.ContainsAny(b.logged(), "\x1b\x07\r") || strings.Contains(b.logged(), "\xff") || strings.Count(b.logged(), "\n") != 1 {
		t.Errorf("%q", b.logged())
	}
}

func TestAgentsAndPlatforms(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		more, userAgent          string
		agent, version, platform string
	}{
		"osqueryd":           {`"platform_type":"9","host_details":{"osquery_info":{"version":"5.23.0"}}`, "osquery/5.23.0", ledger.AgentOsquery, "5.23.0", "linux"},
		"hunter":             {`"platform_type":"21"`, "hunter/1.2.3 (darwin)", ledger.AgentHunter, "1.2.3", "darwin"},
		"hunter, by a field": {`"platform_type":"2","hunter":"1.2.4"`, "", ledger.AgentHunter, "1.2.4", "windows"},
		"hunter, no version": {`"platform_type":2`, "hunter/", ledger.AgentHunter, "unknown", "windows"},
		"like hunter":        {`"platform_type":"37"`, "ghunter/1", ledger.AgentOsquery, "", "freebsd"},
		"by its words":       {`"host_details":{"os_version":{"platform":"Ubuntu"}}`, "", ledger.AgentOsquery, "", "linux"},
		"by its build":       {`"platform_type":"x","host_details":{"osquery_info":{"build_platform":"darwin"},"os_version":{"platform":"rhel"}}`, "", ledger.AgentOsquery, "", "darwin"},
		"another":            {`"host_details":{"os_version":{"platform":"Plan9"}}`, "", ledger.AgentOsquery, "", "plan9"},
	} {
		b := newBench(t, func(o *remote.Options) {
			o.Approve = func(e ledger.Enrolment) bool { return e.Agent == ledger.AgentHunter }
		})
		mustDo(t, b.post(apiEnroll, text(`{"enroll_secret":"sekret","host_identifier":"x",%s}`, tc.more), "User-Agent", tc.userAgent))
		e := b.enrols[0]
		if e.Agent != tc.agent || e.Version != tc.version || e.Host.Platform != tc.platform || e.Approved != (tc.agent == ledger.AgentHunter) || e.Host.Hostname != "x" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
