package remotetest

import (
	"maps"
	"slices"
	"strconv"
)

// Result is what a query gave.
type Result struct {
	Rows    []map[string]string
	Status  int
	Message string
	// Beside is JSON that hunter's own agent sends beside the rows, "" for none.
	Beside string

	noStats bool
}

// quote appends a JSON string as osqueryd does: bytes above ASCII go out as they are, UTF-8 or not.
func quote(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// object appends a member for each name, in their order by bytes.
func object[V any](dst []byte, of map[string]V, value func(dst []byte, v V) []byte) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(of)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(quote(dst, name), ':')
		dst = value(dst, of[name])
	}
	return append(dst, '}')
}

// WriteBody is the body of a distributed write as an agent sends it. Agents before 3.0 are legacy: "" for no rows, statuses
// as text, and neither messages nor statistics.
func WriteBody(results map[string]Result, nodeKey string, legacy bool) []byte {
	b := append([]byte(nil), `{"queries":`...)
	b = object(b, results, func(b []byte, r Result) []byte {
		if len(r.Rows) == 0 && legacy {
			return append(b, `""`...)
		}
		b = append(b, '[')
		for i, row := range r.Rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = object(b, row, quote)
		}
		return append(b, ']')
	})
	b = append(b, `,"statuses":`...)
	b = object(b, results, func(b []byte, r Result) []byte {
		if legacy {
			return quote(b, strconv.Itoa(r.Status))
		}
		return strconv.AppendInt(b, int64(r.Status), 10)
	})
	if !legacy {
		b = append(b, `,"messages":`...)
		b = object(b, results, func(b []byte, r Result) []byte { return quote(b, r.Message) })
		b = append(b, `,"stats":`...)
		b = object(b, results, func(b []byte, r Result) []byte {
			if r.noStats {
				return append(b, `{}`...)
			}
			return append(b, `{"wall_time_ms":0,"user_time":0,"system_time":0,"memory":0}`...)
		})
	}
	beside := maps.Clone(results)
	maps.DeleteFunc(beside, func(_ string, r Result) bool { return r.Beside == "" })
	if len(beside) > 0 {
		b = append(b, `,"hunter":`...)
		b = object(b, beside, func(b []byte, r Result) []byte { return append(b, r.Beside...) })
	}
	b = append(b, `,"node_key":`...)
	return append(quote(b, nodeKey), '}')
}

// enrolBody is the body of an enrolment.
func (a *Agent) enrolBody() []byte {
	b := append([]byte(nil), `{"enroll_secret":`...)
	b = append(quote(b, a.opt.Secret), `,"host_identifier":`...)
	b = append(quote(b, a.opt.Identifier), `,"platform_type":`...)
	b = append(quote(b, a.opt.mask()), `,"host_details":`...)
	b = object(b, a.opt.details(), func(b []byte, row map[string]string) []byte { return object(b, row, quote) })
	return append(b, '}')
}

func (o Options) mask() string {
	switch o.Platform {
	case "windows":
		return "2"
	case "darwin":
		return "21"
	}
	return "9"
}

func (o Options) details() map[string]map[string]string {
	return map[string]map[string]string{
		"os_version":   {"name": "Debian GNU/Linux", "version": "12 (bookworm)", "platform": "debian", "arch": "x86_64"},
		"osquery_info": {"version": o.Version, "instance_id": o.Instance, "build_platform": o.Platform, "platform_mask": o.mask()},
		"system_info": {
			"hostname": o.Hostname, "computer_name": o.Hostname, "uuid": o.Identifier, "cpu_logical_cores": "4", "physical_memory": "8321499136",
			"cpu_brand": "AMD EPYC\x00\x00\x00", "hardware_serial": "S-" + o.Identifier,
		},
	}
}
