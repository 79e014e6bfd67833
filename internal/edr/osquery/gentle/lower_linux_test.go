package gentle_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
)

const childVar = "HUNTER_TEST_LOWER"

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// child lowers itself with some threads at work, and tells the priorities of all its threads.
func child() {
	for range 8 {
		go func() {
			for {
				time.Sleep(time.Millisecond)
				_ = os.Getpid()
			}
		}()
	}
	time.Sleep(20 * time.Millisecond)
	for range 2 { // again is no fault
		if err := gentle.Lower(); err != nil {
			fmt.Println(err)
		}
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		fmt.Println(err)
	}
	for _, task := range tasks {
		var tid int
		_, _ = fmt.Sscan(task.Name(), &tid)
		raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid)
		class, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, 1, uintptr(tid), 0)
		if err != nil || errno != 0 {
			continue // ended meanwhile
		}
		fmt.Printf("nice %d class %d\n", 20-raw, class>>13)
	}
}

// Every thread is lowered; this process is left as it is.
func TestLower(t *testing.T) {
	t.Parallel()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []int{0, 15} {
		want := fmt.Sprintf("nice %d class 3", max(10, min(20-raw+more, 19)))
		cmd := exec.CommandContext(t.Context(), "nice", "-n", fmt.Sprint(more), os.Args[0])
		cmd.Env = append(os.Environ(), childVar+"=1")
		out, err := cmd.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(lines) < 2 {
			t.Fatalf("%v: %s", err, out)
		}
		for _, line := range lines {
			if line != want {
				t.Errorf("started %d below this process: %q instead of %q", more, line, want)
			}
		}
	}
}
