package carbonblack_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/carbonblack"
	"github.com/hunter-project/hunter/internal/edr/carbonblack/carbonblacktest"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	eicar   = "44d88612fea8a8f36de82e1278abb02f"
	svchost = "6871516d8c965192d4f6291fb8344dac" // what the server lists as its control
	other   = "0123456789abcdef0123456789abcdef"
)

// clock is a little before the recorded answers' next check-in.
func clock() time.Time { return time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC) }

// connect makes the tool over a server.
func connect(t testing.TB, url string, change func(*carbonblack.Options)) *carbonblack.Tool {
	t.Helper()
	cfg := carbonblack.NewConfig()
	cfg.URL = url
	opt := carbonblack.Options{
		Config: *cfg, Now: clock, Token: func() (secret.String, error) { return secret.New(carbonblacktest.Token), nil },
		HTTP: httpx.Options{FirstWait: time.Millisecond, MaxWait: 2 * time.Second, Rate: rate.Inf},
	}
	if change != nil {
		change(&opt)
	}
	tool, err := carbonblack.New("plant-floor", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tool.Close(); err != nil {
			t.Error(err)
		}
	})
	return tool
}

// lab is a server with two sensors and what every machine has on it.
func lab(t testing.TB) *carbonblacktest.Server {
	s := carbonblacktest.New(t)
	s.Sensors = []carbonblacktest.Sensor{{ID: 1, Name: "LAB-WIN-01"}, {ID: 2, Name: "LAB-WIN-02"}}
	for _, sensor := range []int{1, 2} {
		s.Processes = append(s.Processes, carbonblacktest.Process{Sensor: sensor, MD5: svchost, Path: `c:\windows\system32\svchost.exe`})
	}
	s.Binaries = []carbonblacktest.Binary{{MD5: strings.ToUpper(svchost), Names: []string{`c:\windows\system32\svchost.exe`}, Seen: []string{"LAB-WIN-01|1", "LAB-WIN-02|2"}}}
	return s
}

func work(md5s ...string) edr.Work {
	w := edr.Work{Window: ledger.Window{From: clock().Add(-30 * 24 * time.Hour), To: clock()}, Chunks: 1}
	for _, m := range md5s {
		w.Targets = append(w.Targets, edr.Target{Ask: indicator.Indicator{Kind: indicator.MD5, Value: m}, File: indicator.File{MD5: m}})
	}
	return w
}

// searched puts the searches for some md5s, and gives the judged answers of the two.
func searched(t testing.TB, tool edr.Searcher, md5s ...string) (process, binary ledger.Search) {
	t.Helper()
	queries, err := tool.Searches(work(md5s...))
	if err != nil || len(queries) != 2 {
		t.Fatal(queries, err)
	}
	var out []ledger.Search
	for _, q := range queries {
		a, err := tool.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ledger.JudgeSearch(q, a))
	}
	return out[0], out[1]
}

// recorded gives one exchange of testdata.
func recorded(t testing.TB, name string) (status int, media, body string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var x struct {
		Response struct {
			Status  int
			Headers map[string]string
			Body    json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &x); err != nil {
		t.Fatal(err)
	}
	body = string(x.Response.Body)
	if strings.HasPrefix(body, `"`) {
		if err := json.Unmarshal(x.Response.Body, &body); err != nil {
			t.Fatal(err)
		}
	}
	return x.Response.Status, x.Response.Headers["content-type"], body
}

// replay answers with recorded exchanges: the first whose condition is in the question.
func replay(t testing.TB, script ...[2]string) *carbonblacktest.Server {
	s := lab(t)
	s.Intercept = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		question := r.URL.Path + "?" + r.URL.Query().Get("q")
		i := slices.IndexFunc(script, func(step [2]string) bool { return strings.Contains(question, step[0]) })
		if i < 0 {
			return false
		}
		status, media, body := recorded(t, script[i][1])
		if r.URL.Query().Get("start") != "0" && r.URL.Path == "/api/v1/process" {
			var page map[string]any
			if err := json.Unmarshal([]byte(body), &page); err == nil {
				page["results"] = []any{}
				text, _ := json.Marshal(page) // it was just read
				body = string(text)
			}
		}
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	}
	return s
}
