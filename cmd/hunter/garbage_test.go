package main

import "testing"

func TestGarbagePercent(t *testing.T) {
	t.Parallel()
	for used, want := range map[uint64]int{0: 100, 50 << 20: 100, 192 << 20: 50, 288 << 20: 33, 1 << 40: 20} {
		if got := garbagePercent(used); got != want {
			t.Errorf("%d bytes in use: %d, want %d", used, got, want)
		}
	}
}
