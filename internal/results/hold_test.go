package results_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hunter-project/hunter/internal/results"
)

// asHolder is the variable that makes the test binary hold the database that it names.
const asHolder = "HUNTER_TEST_RESULTS_HOLDER"

func TestHold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "hunter.db")
	held := func(want bool) {
		t.Helper()
		if got, err := results.IsHeld(path); err != nil || got != want {
			t.Errorf("held: %v, %v", got, err)
		}
	}
	held(false)
	first, err := results.HoldDatabase(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	held(true)
	if _, err := results.HoldDatabase(t.Context(), path); !errors.Is(err, results.ErrHeld) {
		t.Error(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	held(false)
	second, err := results.HoldDatabase(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestHolder is the other process of TestHoldOfAKilledProcess.
func TestHolder(t *testing.T) {
	path := os.Getenv(asHolder)
	if path == "" {
		t.Skip("a part of another test")
	}
	if _, err := results.HoldDatabase(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	select {}
}

func TestHoldOfAKilledProcess(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hunter.db")
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestHolder$")
	cmd.Env = append(os.Environ(), asHolder+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "held" {
		t.Fatalf("it said %q", lines.Text())
	}
	if _, err := results.HoldDatabase(t.Context(), path); !errors.Is(err, results.ErrHeld) {
		t.Error(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	hold, err := results.HoldDatabase(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := hold.Close(); err != nil {
		t.Fatal(err)
	}
}
