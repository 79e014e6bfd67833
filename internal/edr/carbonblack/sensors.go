package carbonblack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
)

// sensor is one sensor as the server lists it.
type sensor struct {
	ID          loose `json:"id"`
	Name        loose `json:"computer_name"`
	Status      loose `json:"status"`
	Checkin     loose `json:"last_checkin_time"`
	NextCheckin loose `json:"next_checkin_time"`
	System      loose `json:"os_environment_display_string"`
	SystemType  loose `json:"os_type"`
	Uninstall   loose `json:"uninstall"`
	Uninstalled loose `json:"uninstalled"`
	Waiting     loose `json:"num_eventlog_bytes"`
	FlushUntil  loose `json:"event_log_flush_time"`
	Health      loose `json:"sensor_health_status"`
	HealthText  loose `json:"sensor_health_message"`
}

const (
	// late is how long after its announced check-in a sensor is taken for behind; they check in every minute or so.
	late = 10 * time.Minute
	// backlog is how many bytes of records may wait on a sensor before its data counts as behind.
	backlog = 10 << 20
)

// Endpoints lists the sensors of the server. A list that is not whole is an error: nobody may be missing from the count.
func (t *Tool) Endpoints(ctx context.Context) ([]edr.Endpoint, error) {
	unlock, err := t.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	now := t.opt.Now()
	if age := now.Sub(t.listedAt); t.listed != nil && age >= 0 && age < t.opt.Config.Cache {
		return slices.Clone(t.listed), nil
	}
	sensors, err := t.sensors(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]edr.Endpoint, 0, len(sensors))
	for _, s := range sensors {
		out = append(out, s.endpoint(now))
	}
	t.listed, t.listedAt = out, now
	return slices.Clone(out), nil
}

// sensors pages through the list until all that the server counts are there. Older servers have one list without pages.
func (t *Tool) sensors(ctx context.Context) ([]sensor, error) {
	var out []sensor
	seen := map[string]bool{}
	for start := 0; ; {
		body, err := t.get(ctx, request(sensorPath, "start", strconv.Itoa(start), "rows", strconv.Itoa(perSensors), "sort.col", "id", "sort.dir", "asc"))
		if errors.Is(err, errNotThere) && start == 0 {
			return t.sensorsOld(ctx)
		}
		var p page[sensor]
		if err == nil {
			p, err = decodePage[sensor](body)
		}
		if err != nil {
			return nil, fmt.Errorf("sensors from %d on: %w", start, err)
		}
		fresh, err := added(&out, seen, p.Results)
		if err != nil {
			return nil, err
		}
		start += len(p.Results)
		total := int(p.Total.number())
		switch {
		case p.Total == "":
			return nil, errors.New("the list of sensors does not say how many there are")
		case len(out) >= total:
			return out, nil
		case fresh == 0:
			return nil, fmt.Errorf("the server counts %d sensors and lists %d: a part of them is no denominator", total, len(out))
		}
	}
}

// sensorsOld asks servers that have no paged list yet.
func (t *Tool) sensorsOld(ctx context.Context) ([]sensor, error) {
	body, err := t.get(ctx, sensorOldPath)
	if err != nil {
		return nil, err
	}
	var list, out []sensor
	if err := decode(body, &list); err != nil {
		return nil, fmt.Errorf("sensors: %w", err)
	}
	if list == nil {
		return nil, errors.New("sensors: the answer has no list")
	}
	_, err = added(&out, map[string]bool{}, list)
	return out, err
}

// added appends the sensors that are new, and says how many.
func added(out *[]sensor, seen map[string]bool, list []sensor) (int, error) {
	fresh := 0
	for _, s := range list {
		id := s.ID.id()
		if id == "" {
			return 0, fmt.Errorf("sensor %q has no id that could be asked for", s.Name.text())
		}
		if !seen[id] {
			seen[id] = true
			*out = append(*out, s)
			fresh++
		}
	}
	return fresh, nil
}

func (s sensor) endpoint(now time.Time) edr.Endpoint {
	ep := edr.Endpoint{ID: s.ID.id(), Hostname: s.Name.text(), Platform: s.platform(), LastSeen: s.Checkin.time(), Gone: s.gone(), Behind: s.behind(now)}
	if s.Health != "" && s.Health.number() < 100 {
		ep.Notes = append(ep.Notes, fmt.Sprintf("sensor health %d of 100: %s", s.Health.number(), s.HealthText.text()))
	}
	return ep
}

func (s sensor) platform() string {
	name := strings.ToLower(string(s.System))
	switch {
	case s.SystemType == "1", strings.HasPrefix(name, "windows"):
		return "windows"
	case s.SystemType == "2", strings.Contains(name, "mac os"), strings.Contains(name, "macos"), strings.Contains(name, "os x"):
		return "darwin"
	case s.SystemType == "3", name != "":
		return "linux"
	}
	return ""
}

func (s sensor) gone() string {
	switch {
	case s.Uninstalled.isTrue(), strings.HasPrefix(strings.ToLower(string(s.Status)), "uninstall"):
		return "uninstalled"
	case s.Uninstall.isTrue():
		return "marked to be uninstalled"
	}
	return ""
}

// behind says why what a sensor recorded last may not be on the server.
func (s sensor) behind(now time.Time) string {
	var why []string
	since := "its last check-in, of which no time is known"
	if at := s.Checkin.time(); !at.IsZero() {
		since = at.Format(time.RFC3339)
	}
	next := s.NextCheckin.time()
	switch {
	case !strings.EqualFold(string(s.Status), "online"):
		status := strings.ToLower(s.Status.text())
		if status == "" {
			status = "of unknown status"
		}
		why = append(why, status+" since "+since)
	case !next.IsZero() && now.Sub(next) > late:
		why = append(why, "not heard of since "+since)
	}
	if n := s.Waiting.number(); n > backlog {
		why = append(why, ledger.Size(n)+" of records wait on the sensor")
	}
	if until := s.FlushUntil.time(); until.After(now) {
		why = append(why, "its records are being collected until "+until.Format(time.RFC3339))
	}
	return strings.Join(why, "; ")
}
