//go:build !windows

package app_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
)

// peakChild is set in the child process that does one work alone, so that its memory can be measured: "work:count:path".
const peakChild = "HUNTER_BENCH_PEAK"

// peakOf is the most memory in MiB that a process took which does nothing but one work; 0 where that is not told.
// What the system tells of a child's end would count this process too, which it was before it became another program.
func peakOf(b *testing.B, work, arg string) float64 {
	b.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), exe, "-test.run", "^TestPeakChild$", "-test.v")
	cmd.Env = append(os.Environ(), peakChild+"="+work+":"+arg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("the child: %v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib / 1024
}

func TestPeakChild(t *testing.T) {
	work, arg, ok := strings.Cut(os.Getenv(peakChild), ":")
	if !ok {
		t.Skip("runs in a child of a benchmark")
	}
	count, path, _ := strings.Cut(arg, ":")
	n, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(err)
	}
	switch work {
	case "sweep":
		err = sweep(local.Options{}, path, seen{int64(n), -1, 0}, invented(100, hundredSizes, indicator.SHA256))
	case "pivot":
		err = pivots(path, n)
	case "import":
		err = importInto(filepath.Join(t.TempDir(), "hunter.db"), path, n)
	default:
		t.Fatalf("%q is no work", work)
	}
	if err != nil {
		t.Fatal(err)
	}
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		t.Logf("%s", status)
	}
}
