//go:build sqlite_vtable

package agent

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPowerAt(t *testing.T) {
	t.Parallel()
	type supply = map[string]string
	for name, tt := range map[string]struct {
		supplies map[string]supply
		want     Power
	}{
		"none":                {nil, Mains},
		"on battery":          {map[string]supply{"AC": {"type": "Mains", "online": "0"}, "BAT0": {"type": "Battery", "status": "Discharging"}}, Battery},
		"on mains":            {map[string]supply{"AC": {"type": "Mains", "online": "1"}, "BAT0": {"type": "Battery", "status": "Charging"}}, Mains},
		"mains, and drained":  {map[string]supply{"AC": {"type": "Mains", "online": "1"}, "BAT0": {"type": "Battery", "status": "Discharging"}}, Mains},
		"over USB":            {map[string]supply{"BAT0": {"type": "Battery", "status": "Discharging"}, "ucsi": {"type": "USB", "online": "1"}}, Mains},
		"the second battery":  {map[string]supply{"BAT0": {"type": "Battery", "status": "Unknown"}, "BAT1": {"type": "Battery", "status": "Discharging"}}, Battery},
		"full":                {map[string]supply{"BAT0": {"type": "Battery", "status": "Full"}}, Mains},
		"a mouse":             {map[string]supply{"hidpp": {"type": "Battery", "status": "Discharging", "scope": "Device"}}, Mains},
		"a supply that is no": {map[string]supply{"x": {}}, Mains},
	} {
		dir := t.TempDir()
		for s, files := range tt.supplies {
			if err := os.Mkdir(filepath.Join(dir, s), 0o700); err != nil {
				t.Fatal(err)
			}
			for f, text := range files {
				if err := os.WriteFile(filepath.Join(dir, s, f), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := powerAt(dir); got != tt.want {
			t.Errorf("%s: %d instead of %d", name, got, tt.want)
		}
	}
	if powerAt(filepath.Join(t.TempDir(), "none")) != Mains {
		t.Error("no folder")
	}
}
