package hunts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// minEvery is the shortest interval of @every.
const minEvery = time.Minute

// Schedule tells when a hunt runs next; the zero time is never.
type Schedule interface {
	Next(after time.Time) time.Time
}

// ParseSchedule reads five cron fields, a descriptor such as @daily, or @every 6h, with CRON_TZ=Zone in front or not; times
// without a zone are those of the machine. It refuses what the parser underneath takes or dies of: a zone alone, an
// interval under a minute, a date that never comes.
func ParseSchedule(spec string) (s Schedule, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, errors.New("not a schedule")
		}
	}()
	spec = strings.TrimSpace(spec)
	if len(spec) > 200 {
		return nil, errors.New("the schedule is too long")
	}
	if strings.HasPrefix(spec, "TZ=") {
		return nil, errors.New("TZ= is not read here; write CRON_TZ=Zone and then the five fields")
	}
	if rest, ok := strings.CutPrefix(spec, "CRON_TZ="); ok {
		zone, fields, _ := strings.Cut(rest, " ")
		if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
			return nil, fmt.Errorf("unknown time zone %s; zones are named as in Europe/Berlin or UTC", quote(zone))
		}
		if strings.TrimSpace(fields) == "" {
			return nil, errors.New("a time zone and no schedule; write the five fields behind it: CRON_TZ=" + zone + " 17 3 * * *")
		}
	}
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("%w; five fields are due (minute hour day month weekday), @daily and the like, or @every 6h", err)
	}
	if every, ok := parsed.(cron.ConstantDelaySchedule); ok && every.Delay < minEvery {
		return nil, errors.New("less than a minute; write @every 1m or more")
	}
	// Any fixed day will do: what does not come within five years of it never comes. 2024 has a 29 February.
	if parsed.Next(time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("this date never comes; look at day and month")
	}
	return parsed, nil
}
