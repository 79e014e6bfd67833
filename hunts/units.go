package hunts

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The patterns of values with units, as the schema gives them.
const (
	percentPattern  = `^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$`
	bytesPattern    = `^[0-9]+(\.[0-9]+)? ?([KMGT]i?)?B$`
	durationPattern = `^([0-9]+(\.[0-9]+)?(w|d|h|m|s|ms))+$`
	ratePattern     = `^[0-9]+/(s|sec|min|h|hour)$`
)

var (
	percentText  = regexp.MustCompile(percentPattern)
	bytesText    = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?((?:[KMGT]i?)?B)$`)
	durationText = regexp.MustCompile(durationPattern)
	durationPart = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(w|d|h|ms|m|s)`)
	rateText     = regexp.MustCompile(`^([0-9]+)/(s|sec|min|h|hour)$`)
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// Percent is a share, 0 to 100.
type Percent float64

// ParsePercent reads "20%".
func ParsePercent(s string) (Percent, error) {
	if !percentText.MatchString(s) {
		return 0, errors.New("a percentage is due, from 0% to 100%, such as 20%")
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil {
		return 0, errors.New("a percentage is due, such as 20%")
	}
	return Percent(v), nil
}

// Ratio is p as a fraction, 0 to 1.
func (p Percent) Ratio() float64 { return float64(p) / 100 }

// String gives "20%".
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }

// MarshalText gives "20%".
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads "20%".
func (p *Percent) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePercent(string(text))
	return err
}

// ByteSize is a number of bytes.
type ByteSize int64

// ParseByteSize reads "50MiB", "1.5 GB" or a plain number of bytes. KiB, MiB, … are powers of 1024, KB, MB, … of 1000.
func ParseByteSize(s string) (ByteSize, error) {
	due := errors.New("a size with a unit is due, such as 50MiB")
	number, unit := s, "B"
	if m := bytesText.FindStringSubmatch(s); m != nil {
		number, unit = m[1], m[2]
	} else if !isDigits(s) {
		return 0, due
	}
	v, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, due
	}
	base, prefix := 1000.0, strings.TrimSuffix(unit, "B")
	if strings.HasSuffix(prefix, "i") {
		base, prefix = 1024.0, prefix[:1]
	}
	v *= math.Pow(base, float64(strings.Index("KMGT", prefix)+1)*boolFloat(prefix != ""))
	if v > 1<<50 {
		return 0, errors.New("a size of at most 1024TiB is due")
	}
	return ByteSize(v), nil
}

func boolFloat(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func isDigits(s string) bool {
	return s != "" && len(s) <= 18 && strings.Trim(s, "0123456789") == ""
}

// String gives the size with the largest unit that leaves a whole number: "50 MiB", "84480 B".
func (b ByteSize) String() string {
	v, unit := int64(b), 0
	for unit < 4 && v != 0 && v%1024 == 0 {
		v /= 1024
		unit++
	}
	return strconv.FormatInt(v, 10) + " " + [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// MarshalText gives "50MiB".
func (b ByteSize) MarshalText() ([]byte, error) {
	return []byte(strings.ReplaceAll(b.String(), " ", "")), nil
}

// UnmarshalText reads what ParseByteSize reads.
func (b *ByteSize) UnmarshalText(text []byte) (err error) {
	*b, err = ParseByteSize(string(text))
	return err
}

// Duration is a length of time that may be written with days and weeks.
type Duration time.Duration

// ParseDuration reads "15m", "1h30m", "14d", "2w".
func ParseDuration(s string) (Duration, error) {
	due := errors.New("a length of time is due, such as 15m, 6h or 14d")
	if len(s) > 64 || !durationText.MatchString(s) {
		return 0, due
	}
	total := 0.0
	for _, m := range durationPart.FindAllStringSubmatch(s, -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, due
		}
		total += v * float64(unitOf(m[2]))
	}
	if total > float64(100*365*day) {
		return 0, errors.New("a length of time of at most 100 years is due")
	}
	return Duration(total), nil
}

func unitOf(s string) time.Duration {
	switch s {
	case "w":
		return week
	case "d":
		return day
	case "h":
		return time.Hour
	case "m":
		return time.Minute
	case "s":
		return time.Second
	default:
		return time.Millisecond
	}
}

// Std is d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String gives the shortest of the forms that ParseDuration reads: "14d", "1h30m", "0s". Less than a millisecond is lost.
func (d Duration) String() string {
	rest := time.Duration(d).Truncate(time.Millisecond)
	if rest <= 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []string{"d", "h", "m", "s", "ms"} {
		if n := rest / unitOf(u); n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u)
			rest -= n * unitOf(u)
		}
	}
	return b.String()
}

// MarshalText gives what String gives.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

// Rate is a number of things in a time.
type Rate struct {
	Count int           // at least 1
	Per   time.Duration // a second, a minute or an hour
}

// ParseRate reads "3000/min", "10/s" or "500/h".
func ParseRate(s string) (Rate, error) {
	due := errors.New("a rate is due, such as 3000/min, 10/s or 500/h")
	m := rateText.FindStringSubmatch(s)
	if m == nil {
		return Rate{}, due
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n < 1 || n > 100_000_000 {
		return Rate{}, errors.New("a rate from 1 to 100000000 is due")
	}
	per := map[string]time.Duration{"s": time.Second, "sec": time.Second, "min": time.Minute, "h": time.Hour, "hour": time.Hour}
	return Rate{Count: n, Per: per[m[2]]}, nil
}

// PerSecond is the rate in things a second.
func (r Rate) PerSecond() float64 {
	if r.Per <= 0 {
		return 0
	}
	return float64(r.Count) / r.Per.Seconds()
}

// String gives "3000/min".
func (r Rate) String() string {
	unit := "min"
	switch r.Per {
	case time.Second:
		unit = "s"
	case time.Hour:
		unit = "h"
	}
	return strconv.Itoa(r.Count) + "/" + unit
}

// MarshalText gives "3000/min".
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what ParseRate reads.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRate(string(text))
	return err
}
