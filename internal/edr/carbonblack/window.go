package carbonblack

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/ledger"
)

// partition is one part of the server's records. Only warm and hot ones are searched.
type partition struct {
	Status loose `json:"status"`
	Info   struct {
		Start loose `json:"startDate"`
		Docs  loose `json:"numDocs"`
	} `json:"info"`
}

// Window gives the days that a search covers: those of the configuration, or fewer where the server keeps fewer.
func (t *Tool) Window(ctx context.Context) (ledger.Window, error) {
	unlock, err := t.lock(ctx)
	if err != nil {
		return ledger.Window{}, err
	}
	defer unlock()
	now := t.opt.Now().UTC().Truncate(time.Second)
	w := ledger.Window{From: now.Add(-t.opt.Config.Window), To: now}
	body, err := t.get(ctx, partitionPath)
	if err == nil {
		var parts map[string]partition
		if parts, err = decodePartitions(body); err == nil {
			if oldest := oldestSearched(parts); oldest.After(w.From) {
				w.From = oldest.Truncate(time.Second)
				w.Note = "the server has no older records that are searched"
			}
			return w, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return ledger.Window{}, ctx.Err()
	case isUnable(err) && !errors.Is(err, httpx.ErrForbidden):
		return ledger.Window{}, err
	}
	// The list wants more rights than a search does.
	w.Note = "as configured; the server does not say how far its records go back: " + err.Error()
	return w, nil
}

func decodePartitions(body []byte) (map[string]partition, error) {
	var parts map[string]json.RawMessage
	if err := decode(body, &parts); err != nil {
		return nil, err
	}
	out := map[string]partition{}
	for name, raw := range parts {
		var p partition
		if err := decode(raw, &p); err != nil {
			return nil, err
		}
		out[name] = p
	}
	return out, nil
}

// oldestSearched gives the day from which on all records are searched: partitions are gone through from the newest
// back to the first one that is not mounted. It is zero when nothing is known.
func oldestSearched(parts map[string]partition) time.Time {
	type dated struct {
		at       time.Time
		searched bool
	}
	var all []dated
	for name, p := range parts {
		searched := strings.EqualFold(string(p.Status), "warm") || strings.EqualFold(string(p.Status), "hot")
		if searched && p.Info.Docs == "0" {
			continue
		}
		at := p.Info.Start.time()
		if at.IsZero() {
			at = dateOf(name)
		}
		if !at.IsZero() && !strings.EqualFold(string(p.Status), "deleted") {
			all = append(all, dated{at, searched})
		}
	}
	slices.SortFunc(all, func(a, b dated) int { return b.at.Compare(a.at) })
	var oldest time.Time
	for _, d := range all {
		if !d.searched {
			break
		}
		oldest = d.at
	}
	return oldest
}

// dateOf reads the day out of a partition's name: cbevents_2016_06_11_1351, with anything behind it.
func dateOf(name string) time.Time {
	const form = "cbevents_2006_01_02_1504"
	if len(name) < len(form) {
		return time.Time{}
	}
	at, err := time.Parse(form, name[:len(form)])
	if err != nil {
		return time.Time{}
	}
	return at
}
