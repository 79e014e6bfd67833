package osquery_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// skeleton takes the text literals out of a statement, and gives both.
func skeleton(text string) (bones string, literals []string) {
	var b, lit strings.Builder
	inside := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inside && c == '\'' && i+1 < len(text) && text[i+1] == '\'':
			lit.WriteByte(c)
			i++
		case c == '\'':
			if inside {
				literals = append(literals, lit.String())
				lit.Reset()
			}
			inside = !inside
			b.WriteByte(c)
		case inside:
			lit.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), literals
}

// hostile draws texts that want out of their literal.
func hostile(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"'", "''", "\"", "\\", "--", "/*", "*/", ";", "\n", "%", "_", "\xff", " OR 1=1", "x", "ü", "/", "`", "]", "?1", ":a", "$b", "@c"}), 0, 12).Draw(t, "parts")
	return strings.Join(parts, "")
}

func question(platform, root string) osquery.Question {
	q := osquery.Question{Stage: ledger.Files, Platform: platform, Engine: ledger.EngineOsqueryd, Root: root, MaxSize: 1000, MaxDepth: 5, Sizes: []int64{1, 2}}
	q.Hashes = []indicator.Indicator{digest(indicator.SHA256, "a"), digest(indicator.MD5, "b")}
	return q
}

func TestRootsStayInTheirLiterals(t *testing.T) {
	t.Parallel()
	for platform, top := range map[string]string{"linux": "/", "darwin": "/", "windows": `C:\`} {
		plain, err := osquery.Text(question(platform, top+"x"))
		if err != nil {
			t.Fatal(err)
		}
		bones, literals := skeleton(plain)
		rapid.Check(t, func(t *rapid.T) {
			root := top + hostile(t)
			text, err := osquery.Text(question(platform, root))
			if err != nil {
				t.Fatal(err)
			}
			got, lits := skeleton(text)
			if diff := cmp.Diff(bones, got); diff != "" {
				t.Fatalf("root %q changes the words (-want +got):\n%s", root, diff)
			}
			want := slices.Clone(literals)
			for i, l := range want {
				switch l {
				case top + "x":
					want[i] = root
				case top + "x/":
					want[i] = strings.TrimSuffix(root, "/") + "/"
				}
			}
			if diff := cmp.Diff(want, lits); diff != "" {
				t.Fatalf("root %q: literals (-want +got):\n%s", root, diff)
			}
		})
	}
}

func TestRecheckedPathsStayInTheirLiterals(t *testing.T) {
	t.Parallel()
	for _, stage := range []ledger.Stage{ledger.Files, ledger.Running} {
		q := ledger.Query{ID: "q", Stage: stage, Platform: "linux", Hashes: []indicator.Indicator{digest(indicator.SHA256, "a")}}
		again, ok := osquery.Recheck(q, []string{"/x"})
		if !ok || again.ID != "q#recheck" {
			t.Fatalf("recheck %v %+v", ok, again)
		}
		bones, _ := skeleton(again.Text)
		rapid.Check(t, func(t *rapid.T) {
			path := "/" + hostile(t)
			again, _ := osquery.Recheck(q, []string{path})
			got, literals := skeleton(again.Text)
			if diff := cmp.Diff(bones, got); diff != "" || !slices.Contains(literals, path) {
				t.Fatalf("path %q changes the words (-want +got):\n%s", path, diff)
			}
		})
	}
	var many []string
	for range 300 {
		many = append(many, "/x")
	}
	again, ok := osquery.Recheck(ledger.Query{Stage: ledger.Files, Platform: "linux", Hashes: []indicator.Indicator{digest(indicator.MD5, "a")}}, many)
	if _, none := osquery.Recheck(ledger.Query{}, nil); !ok || none || len(again.Recheck) != 200 {
		t.Errorf("%d paths are asked again, %v %v", len(again.Recheck), ok, none)
	}
	again, _ = osquery.Recheck(ledger.Query{Stage: ledger.Running, Platform: "linux", Hashes: []indicator.Indicator{digest(indicator.MD5, "a")}}, []string{"/proc/12/exe", "/proc/1);--/exe", "/proc/-5/exe"})
	for _, want := range []string{"('/proc/12/exe',12)", "('/proc/1);--/exe',0)", "('/proc/-5/exe',0)"} {
		if !strings.Contains(again.Text, want) {
			t.Errorf("%s is not asked for:\n%s", want, again.Text)
		}
	}
}

func TestTextRefusesWhatItCanNotSay(t *testing.T) {
	t.Parallel()
	for words, change := range map[string]func(*osquery.Question){
		"no words for the platform":      func(q *osquery.Question) { q.Platform = "plan9" },
		"no hash to ask for":             func(q *osquery.Question) { q.Hashes = nil },
		"is no sha256 in lower case":     func(q *osquery.Question) { q.Hashes[0].Value = strings.Repeat("A", 64) },
		"is no md5 in lower case":        func(q *osquery.Question) { q.Hashes[1].Value = "' OR 1=1 --" + strings.Repeat("b", 21) },
		"is no sha1 in lower case":       func(q *osquery.Question) { q.Hashes[1].Kind = indicator.SHA1 },
		"is no imphash in lower case":    func(q *osquery.Question) { q.Hashes[1].Kind = "imphash" },
		"digest of every empty file":     func(q *osquery.Question) { q.Hashes[1].Value = "d41d8cd98f00b204e9800998ecf8427e" },
		"osquery has no stage":           func(q *osquery.Question) { q.Stage = "dreams" },
		"holds a zero byte":              func(q *osquery.Question) { q.Root = "/a\x00b" },
		`"home" is no absolute path`:     func(q *osquery.Question) { q.Root = "home" },
		`"" is no absolute path`:         func(q *osquery.Question) { q.Root = "" },
		`"C:\\" is no absolute path`:     func(q *osquery.Question) { q.Root = `C:\` },
		`"/home" is no absolute path on`: func(q *osquery.Question) { q.Platform, q.Root = "windows", "/home" },
		`"C:" is no absolute path on`:    func(q *osquery.Question) { q.Platform, q.Root = "windows", "C:" },
		`"drive roots" is no absolute`:   func(q *osquery.Question) { q.Root = osquery.DriveRoots },
		"no file is as small":            func(q *osquery.Question) { q.MaxSize = 0 },
		"a walk of depth 0 sees nothing": func(q *osquery.Question) { q.MaxDepth = 0 },
		"size 0 is no file's":            func(q *osquery.Question) { q.Sizes = []int64{5, 0} },
		"size -3 is no file's":           func(q *osquery.Question) { q.Sizes = []int64{-3} },
	} {
		q := question("linux", "/home")
		change(&q)
		text, err := osquery.Text(q)
		if err == nil || !strings.Contains(err.Error(), words) || text != "" {
			t.Errorf("%s: text %q error %v", words, text, err)
		}
	}
	for _, root := range []string{`C:\`, `z:\x`, `\\server\share`, osquery.DriveRoots} {
		if _, err := osquery.Text(question("windows", root)); err != nil {
			t.Errorf("%s: %v", root, err)
		}
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]ledger.State{
		"distributed query is denylisted": ledger.Denylisted, "query: no such table: logical_drives": ledger.Unsupported, "no such column: cgroup_path": ledger.Unsupported,
		"no such function: split": ledger.Unsupported, "disk I/O error": ledger.Error, "": ledger.Error,
	} {
		said := message
		if want == ledger.Denylisted { // osqueryd's words are for osqueryd
			said = "the agent refuses the question for a day: its worker died in it, or was ended with it (" + message + ")"
		}
		if got := osquery.Failure(message); got.State != want || got.Message != said {
			t.Errorf("%q: %+v", message, got)
		}
	}
}

func TestControlPath(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"linux", "darwin", "windows"} {
		for _, stage := range []ledger.Stage{ledger.Running, ledger.Autoruns, ledger.Files} {
			q := question(platform, map[string]string{"windows": `C:\x`}[platform]+map[string]string{"linux": "/x", "darwin": "/x"}[platform])
			q.Stage = stage
			text, err := osquery.Text(q)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(text, "\n")
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "UNION ALL SELECT 'control',") || !strings.HasSuffix(last, "'"+osquery.ControlPath(platform)+"'") {
				t.Errorf("%s %s: the control does not come last: %s", platform, stage, last)
			}
		}
	}
}
