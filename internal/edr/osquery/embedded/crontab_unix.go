//go:build sqlite_vtable && (linux || darwin)

package embedded

import "strings"

func (e *Engine) crontabTable() *table {
	return &table{
		name: "crontab", columns: columnsOf(`event:T minute:T hour:T day_of_month:T month:T day_of_week:T command:T path:T ` + cronMore),
		open: list(func(q *query) ([][]any, error) {
			out := e.crontab(q, "/etc/crontab")
			for _, dir := range []string{"/etc/cron.d", "/var/at/tabs", "/var/spool/cron", "/var/spool/cron/crontabs"} {
				names, err := e.names(q, "crontab", dir)
				if err != nil {
					return nil, err
				}
				for _, n := range names {
					file := join(dir, n)
					switch st, err := e.opt.FS.Stat(file); {
					case err == nil && st.Mode.IsRegular():
						out = append(out, e.crontab(q, file)...)
					case err != nil && !nowhere(err):
						q.note("crontab", file, 0, reason(err))
					}
				}
			}
			return out, nil
		}),
	}
}

// crontab reads one file of cron (crontab(5)); system ones name a user before the command, which osquery leaves in.
func (e *Engine) crontab(q *query, file string) [][]any {
	var out [][]any
	for line := range strings.Lines(e.text(q, "crontab", file)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "@") {
			event, cmd, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
			out = append(out, []any{event, "", "", "", "", "", strings.TrimSpace(cmd), file, 0})
			continue
		}
		f := strings.Fields(line)
		if len(f) < 6 || !strings.ContainsAny(f[0][:1], "0123456789*") {
			continue
		}
		out = append(out, []any{"", f[0], f[1], f[2], f[3], f[4], strings.Join(f[5:], " "), file, 0})
	}
	return out
}

// text reads a small file; one that can't be read is noted and empty, one that is too long is noted and cut.
func (e *Engine) text(q *query, op, path string) string {
	s, err := slurp(e.opt.FS, path)
	if err != nil && !gone(err) {
		q.note(op, path, 0, reason(err))
	}
	return s
}
