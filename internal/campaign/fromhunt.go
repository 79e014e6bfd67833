package campaign

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// FromHunt turns a hunt into what a run does. It reads the alert file that the hunt names, unless other seeds are given.
func FromHunt(set *hunts.Set, h hunts.Hunt, seeded bool) (Spec, error) {
	s := h.Settled()
	spec := Spec{
		Hunt: h.Name, Title: h.Title, TLP: h.TLP, Case: h.Case, MaxAge: s.DeltaMaxAge, HuntsFiles: Absolute(set.Files),
		Providers: h.Pivot.Providers, Tools: h.Targets.Tools,
		Pivot: pivot.Options{
			Limits: pivot.Limits{Depth: s.Depth, MaxIndicators: s.MaxIndicators, PerReport: s.MaxPerReport, PerIndicator: s.MaxReports},
			Kinds:  h.Pivot.Kinds, MinConfidence: s.MinConfidence, Follow: h.Pivot.Follow, TLP: h.TLP,
		},
		Refresh: s.Refresh,
		Select:  edr.Selection{Hosts: h.Targets.Hosts, Labels: h.Targets.Labels, Exclude: h.Targets.Exclude},
		Search:  edr.Search{Where: s.Where, Unsized: edr.Unsized(s.Unsized), MaxSize: s.MaxSize, Paths: pathsOf(h)},
		DoneWhen: DoneWhen{
			Verified: s.Verified, AnyPivot: s.AnyPivot, AnyUnaskable: s.AnyUnaskable, NotSeen: s.AcceptNotSeen,
		},
	}
	spec.Fleet = Fleet{
		Canary: s.Canary, Rate: Rate{Count: s.Rate.Count, Per: s.Rate.Per}, Late: s.Late,
		StopIf: StopIf{Errors: s.Errors, Denylisted: s.Denylisted, Timeout: s.Timeouts, Prevalence: s.Prevalence},
	}
	spec.Gentle = hunts.Or(h.Run.Gentle, false)
	if h.Run.Timeout != nil { // this machine may take as long as it needs unless the hunt says otherwise
		spec.Timeout = s.Timeout
	}
	for _, p := range h.Targets.Platforms {
		spec.Select.Platforms = append(spec.Select.Platforms, string(p))
	}
	for _, n := range h.Never { // those of the set are among them
		spec.Never = append(spec.Never, n.Path.Abs)
	}
	if h.Pivot.Providers != nil && len(h.Pivot.Providers) == 0 {
		spec.NoPivot = true
	}
	if seeded {
		return spec, nil
	}
	return spec, spec.seedFrom(h)
}

// pathsOf gives the hunt's roots by platform; ./x is beside the hunts file.
func pathsOf(h hunts.Hunt) map[string][]string {
	if len(h.Search.Paths) == 0 {
		return nil
	}
	out := map[string][]string{}
	for platform, roots := range h.Search.Paths {
		for _, r := range roots {
			if len(r) > 1 && r[0] == '.' {
				r = filepath.Join(h.Dir, r)
			}
			out[string(platform)] = append(out[string(platform)], r)
		}
	}
	return out
}

func (s *Spec) seedFrom(h hunts.Hunt) error {
	switch {
	case !h.Seed.Alert.IsZero():
		return s.SeedAlert(h.Seed.Alert.Abs)
	case len(h.Seed.Hashes) > 0:
		s.SeedHashes(h.Seed.Hashes)
	case h.Seed.Report != "":
		s.Seed = pivot.Seed{Report: h.Seed.Report}
	default:
		return errors.New("it has no seed of its own; give --seed HASH")
	}
	return nil
}

// Absolute gives the files of a set so that a resumed run finds them from any folder. "-" stays: it can't be read again.
func Absolute(files []string) []string {
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f
		if abs, err := filepath.Abs(f); err == nil && f != "-" {
			out[i] = abs
		}
	}
	return out
}

// SeedHashes makes digests the seed; each is a file of its own, since nothing says that they are siblings.
func (s *Spec) SeedHashes(hashes []indicator.Indicator) {
	s.Seed = pivot.Seed{}
	for _, i := range hashes {
		var f indicator.File
		f.SetDigest(i.Kind, i.Value)
		s.Seed.Files = append(s.Seed.Files, f)
	}
}

// SeedAlert makes the digests of an alert file the seed.
func (s *Spec) SeedAlert(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the alert: %w", err)
	}
	defer f.Close() // read-only
	alerts, err := alert.Read(f, path)
	if err != nil {
		return err
	}
	s.seedAlerts(alerts)
	return nil
}

// seedAlerts adds the alerts of one file to the seed. The run has one name and one body for all its alerts: of several, the
// first names them, and the bodies of several files stand one after another.
func (s *Spec) seedAlerts(alerts []*alert.Alert) {
	const others = " and others"
	for i, a := range alerts {
		seeds := a.Seeds()
		switch {
		case len(seeds) == 0:
		case s.Seed.Alert == "":
			s.Seed.Alert, s.Seed.Time = a.ID, a.Time
		case !strings.HasSuffix(s.Seed.Alert, others) && s.Seed.Alert != a.ID:
			s.Seed.Alert += others
		}
		if i == 0 {
			s.keepRaw(a)
		}
		s.Seed.Files = append(s.Seed.Files, seeds...)
		s.lookFirst(a)
		if len(s.Alerts) < alert.MaxTakenAlerts {
			s.Alerts = append(s.Alerts, a.Taken())
		} else {
			s.MoreAlerts++
		}
		for _, r := range a.Refused {
			s.Refused = append(s.Refused, Refused{Value: r.Value, Kind: indicator.Kind(r.What), Reason: r.Error()})
		}
	}
}

// lookFirst remembers where an alert saw its files.
func (s *Spec) lookFirst(a *alert.Alert) {
	for _, f := range a.Files {
		place := edr.Place{Host: cmp.Or(f.Host, a.Host), Path: f.Path}
		if f.Seed && place.Path != "" && place.Host != "" && len(s.Search.First) < maxFirst && !slices.Contains(s.Search.First, place) {
			s.Search.First = append(s.Search.First, place)
		}
	}
}

// maxFirst bounds how many places of alerts a run looks at first, over all hosts.
const maxFirst = 1000

// keepRaw keeps the body of the file that an alert came in.
func (s *Spec) keepRaw(a *alert.Alert) {
	if s.Seed.Raw == nil {
		s.Seed.Raw = &pivot.Raw{Digest: a.Digest, Body: a.Raw}
		return
	}
	body := slices.Concat(s.Seed.Raw.Body, []byte("\n"), a.Raw)
	sum := sha256.Sum256(body)
	s.Seed.Raw = &pivot.Raw{Digest: hex.EncodeToString(sum[:]), Body: body}
}
