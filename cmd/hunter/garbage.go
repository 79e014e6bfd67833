package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// garbageRoom is how much memory that is not needed any more a server lets gather before it is looked for: what 10,000
// agents' connections hold is 300 MB, and as much again in garbage would be Go's usual way.
const garbageRoom = 96 << 20

// garbagePercents bound what garbageRoom may come to. Below the least the looking itself would cost too much.
const (
	garbageLeast = 20
	garbageMost  = 100 // Go's own
)

// keepGarbageSmall fits the garbage collector to the memory in use, until ctx ends. Whoever sets GOGC or GOMEMLIMIT decides that.
func keepGarbageSmall(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	defer debug.SetGCPercent(garbageMost)
	now := garbageMost
	used := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(used)
		next := garbagePercent(used[0].Value.Uint64() + used[1].Value.Uint64())
		if next-now >= garbageStep || now-next >= garbageStep { // each change stops all work for a moment
			debug.SetGCPercent(next)
			now = next
		}
	}
}

const garbageStep = 4

// garbagePercent is how much garbage may gather beside so many bytes in use, in percent of these.
func garbagePercent(used uint64) int {
	return int(min(max(100*garbageRoom/max(used, 1), garbageLeast), garbageMost)) //nolint:gosec // at most garbageMost
}
