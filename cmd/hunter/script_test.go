package main

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// asCommand is the variable that makes the test binary be hunter.
const asCommand = "HUNTER_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	command := func() {
		dropRights()
		os.Exit(run(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
	}
	if os.Getenv(asCommand) != "" {
		command()
	}
	testscript.Main(waited{m}, map[string]func(){"hunter": command})
}

// waited fails the tests when one of them left a goroutine behind.
type waited struct{ m *testing.M }

func (w waited) Run() int {
	code := w.m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// TestScripts runs the command line as a person does. A script has the examples at $EXAMPLES and a database of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("HUNTER_DB", filepath.Join(e.WorkDir, "hunter.db"))
			e.Setenv("NO_COLOR", "1")
			e.Setenv("GORACE", "atexit_sleep_ms=0") // a race build waits a second before each end
			replayed(e)
			plant(t, e)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code, "json": jsonField, "digest": digest, "subst": subst, "asked": asked,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no condition %q", cond)
		},
		RequireExplicitExec: true,
	})
}

// code runs hunter and wants an exit code: code N ARG...
func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N ARG...")
	}
	err := ts.Exec("hunter", args[1:]...)
	got := 0
	if err != nil {
		got = -1
		if x, ok := err.(interface{ ExitCode() int }); ok {
			got = x.ExitCode()
		}
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("hunter %s: exit code %d instead of %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// jsonField compares a field of the last line of JSON: json FILE a.0.b VALUE. VALUE is as JSON prints it, "#N" is a length.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH VALUE")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	var v any
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &v))
	for part := range strings.SplitSeq(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[part]; !ok {
				ts.Fatalf("there is no field %s", args[1])
			}
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(x) {
				ts.Fatalf("%s: an index below %d is due", args[1], len(x))
			}
			v = x[i]
		default:
			ts.Fatalf("%s: nothing below %s", args[1], part)
		}
	}
	got := text(v)
	if strings.HasPrefix(args[2], "#") {
		if list, ok := v.([]any); ok {
			got = fmt.Sprintf("#%d", len(list))
		}
	}
	if (got == args[2]) == neg {
		ts.Fatalf("%s is %s, not %s", args[1], got, args[2])
	}
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// digest sets a variable to a file's digest: digest VAR sha256|md5 FILE.
func digest(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: digest VAR sha256|md5 FILE")
	}
	data := []byte(ts.ReadFile(args[2]))
	switch args[1] {
	case "sha256":
		sum := sha256.Sum256(data)
		ts.Setenv(args[0], hex.EncodeToString(sum[:]))
	case "md5":
		sum := md5.Sum(data)
		ts.Setenv(args[0], hex.EncodeToString(sum[:]))
	default:
		ts.Fatalf("no digest %s", args[1])
	}
}
