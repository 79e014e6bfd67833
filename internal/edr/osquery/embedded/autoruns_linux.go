//go:build sqlite_vtable

package embedded

import (
	"path"
	"strings"
)

func (e *Engine) startupItemsTable() *table {
	return &table{
		name: "startup_items", columns: columnsOf(`name:T path:T args:T type:T source:T status:T username:T`),
		open: list(func(q *query) ([][]any, error) {
			var out [][]any
			add := func(dir, user string) error {
				rows, err := e.autostart(q, dir, user)
				out = append(out, rows...)
				return err
			}
			if err := add("/etc/xdg/autostart", "root"); err != nil {
				return nil, err
			}
			for _, a := range e.accounts(q, "startup_items") {
				for _, sub := range []string{"/.config/autostart", "/.config/autostart-scripts"} {
					if a.Home == "" || a.Home == "/" || a.Home == "/nonexistent" {
						continue
					}
					if err := add(path.Clean(a.Home)+sub, a.Name); err != nil {
						return nil, err
					}
				}
			}
			units, err := e.systemdUnits(q)
			return append(out, units...), err
		}),
	}
}

// autostart reads the desktop entries of a folder (freedesktop.org's Desktop Application Autostart Specification), and
// the scripts of KDE's autostart-scripts.
func (e *Engine) autostart(q *query, dir, user string) ([][]any, error) {
	names, err := e.names(q, "startup_items", dir)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, n := range names {
		full := join(dir, n)
		if strings.HasSuffix(dir, "-scripts") {
			out = append(out, []any{n, full, "", "Startup Item", dir, "enabled", user})
			continue
		}
		if !strings.HasSuffix(n, ".desktop") {
			continue
		}
		for line := range strings.Lines(e.text(q, "startup_items", full)) {
			if cmd, ok := strings.CutPrefix(strings.TrimSpace(line), "Exec="); ok {
				out = append(out, []any{n, cmd, "", "Startup Item", full, "enabled", user})
			}
		}
	}
	return out, nil
}

// systemdUnits lists the units that are enabled: those in wants and requires folders (systemd.unit(5)).
func (e *Engine) systemdUnits(q *query) ([][]any, error) {
	const root = "/etc/systemd/system"
	targets, err := e.names(q, "startup_items", root)
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, t := range targets {
		if !strings.HasSuffix(t, ".wants") && !strings.HasSuffix(t, ".requires") {
			continue
		}
		units, err := e.names(q, "startup_items", join(root, t))
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			file := join(join(root, t), u)
			if target, err := e.opt.FS.Readlink(file); err == nil && strings.HasPrefix(target, "/") {
				file = target
			}
			out = append(out, []any{u, file, "", "systemd unit", file, "enabled", "root"})
			out = append(out, e.unitPrograms(q, u, file)...)
		}
	}
	return out, nil
}

// unitPrograms gives what a service runs (systemd.service(5)), in rows of a type of their own: osquery has the unit alone,
// and hunter hunts programs.
func (e *Engine) unitPrograms(q *query, name, file string) [][]any {
	if !strings.HasSuffix(name, ".service") {
		return nil
	}
	var out [][]any
	for line := range strings.Lines(e.text(q, "startup_items", file)) {
		key, cmd, ok := strings.Cut(strings.TrimSpace(line), "=")
		key, cmd = strings.TrimSpace(key), strings.TrimLeft(strings.TrimSpace(cmd), "-@:+!|")
		if ok && strings.HasPrefix(key, "Exec") && strings.HasPrefix(cmd, "/") {
			out = append(out, []any{name, cmd, "", "systemd program", file, "enabled", "root"})
		}
	}
	return out
}
