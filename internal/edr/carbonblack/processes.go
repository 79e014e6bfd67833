package carbonblack

import (
	"context"
	"fmt"
	"slices"

	"github.com/hunter-project/hunter/internal/ledger"
)

// processes searches the records of processes. md5: matches any md5 in a record: of the program, of a file that it wrote,
// of a module that it loaded. So a record may match the control and a hunted digest at once, and a record does not say
// which digest it matched. Therefore the search is made twice: with the control, until that is found; and for the hunted
// digests alone, where every record counts, and is asked for in halves until it is known what it matched.
func (s *search) processes(ctx context.Context) error {
	err := controlled(ctx, s, processPath, processSearch, false, s.program)
	if err != nil {
		return err
	}
	matched := map[string]process{}
	err = s.narrow(ctx, s.md5s, matched)
	for id, p := range matched {
		if !s.explained[id] {
			s.gap(p.Sensor.id(), fmt.Sprintf("a record of %s matches, and it is not known which of the digests asked for", label(p)))
		}
	}
	return err
}

// program notes a record whose own program was asked for.
func (s *search) program(p process) {
	if m := p.MD5.md5(); s.asked[m] {
		s.hit(p, m)
	}
}

// narrow searches for md5s, and for the halves of them until each record's digest is known.
func (s *search) narrow(ctx context.Context, md5s []string, matched map[string]process) error {
	if len(md5s) == 0 {
		return nil
	}
	some := false
	err := through(ctx, s, processSearch, md5s, func(p process) bool {
		some = true
		matched[string(p.ID)] = p
		s.program(p)
		if len(md5s) == 1 {
			s.hit(p, md5s[0])
		}
		return false
	})
	if err != nil || !some || len(md5s) == 1 {
		return err
	}
	half := len(md5s) / 2
	if err := s.narrow(ctx, md5s[:half], matched); err != nil {
		return err
	}
	return s.narrow(ctx, md5s[half:], matched)
}

// hit makes the row of a record that has an md5: as its program, or in another way. Of the latter the record tells the
// process and not the place of the file.
func (s *search) hit(p process, md5 string) {
	if own := p.MD5.md5(); own != md5 && s.foreign[own] {
		return // the server answered another question than was put
	}
	s.explained[string(p.ID)] = true
	row := ledger.Row{
		"kind": "hit", "endpoint": p.Sensor.id(), "hostname": p.Host.text(), "md5": md5, "pid": p.PID.id(), "cmdline": p.Cmdline.text(),
		"owner": p.User.text(), "n": p.Start.unix(), "seen": p.Update.unix(),
	}
	if p.MD5.md5() == md5 {
		row["path"], row["name"], row["sha256"] = p.Path.text(), p.Name.text(), string(p.SHA256)
	} else {
		s.gap(p.Sensor.id(), fmt.Sprintf("md5:%s was written or loaded by %s; where that file lies is not in the record", md5, label(p)))
	}
	s.add(row, string(p.ID), md5)
}

// label names a process for people.
func label(p process) string {
	name := p.Path.text()
	if name == "" {
		name = p.Name.text()
	}
	if name == "" {
		name = "a process"
	}
	return fmt.Sprintf("%s (pid %s)", name, p.PID.text())
}

// control gives an md5 that the server itself listed: of a process of the last day, else of the window; or of the store
// of binaries. One that is not hunted is preferred. "" is none. remembered says that it was listed for an earlier search.
func (t *Tool) control(ctx context.Context, path string, w ledger.Window, asked map[string]bool) (md5 string, remembered bool, err error) {
	if list := t.controls[path]; len(list) > 0 {
		return pick(list, asked), true, nil
	}
	var questions []string
	list := listed[process]
	if path == binaryPath {
		list = listed[binary]
		questions = []string{request(binaryPath, "cb.urlver", "1", "facet", "false", "rows", "10", "start", "0", "q", "is_executable_image:true")}
	} else {
		days := int(w.To.Sub(w.From)/day) + 1
		if w.From.IsZero() {
			days = 30
		}
		for _, ago := range []int{1, days} {
			questions = append(questions, processes(w, fmt.Sprintf("last_update:-%dd", ago), "last_update desc", 10, 0))
		}
	}
	for _, q := range questions {
		found, err := list(ctx, t, q)
		if err != nil {
			return "", false, err
		}
		if len(found) > 0 {
			t.controls[path] = found
			return pick(found, asked), false, nil
		}
	}
	return "", false, nil
}

// pick takes the first that is not hunted, else the first.
func pick(list []string, asked map[string]bool) string {
	if i := slices.IndexFunc(list, func(m string) bool { return !asked[m] }); i >= 0 {
		return list[i]
	}
	return list[0]
}

// forget lets the control be chosen anew.
func (t *Tool) forget(path string) { delete(t.controls, path) }

// listed gives the md5s of a list that the server was asked for without naming any.
func listed[T record](ctx context.Context, t *Tool, request string) ([]string, error) {
	p, err := ask[T](ctx, t, request)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range p.Results {
		if m := r.image(); m != "" && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out, nil
}
