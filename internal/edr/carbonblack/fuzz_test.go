package carbonblack

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzAnswers reads bytes as each of the answers that the server gives. Whatever comes, nothing breaks, no md5 is wrong
// and no endpoint without an id comes out.
func FuzzAnswers(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{
		``, `<html>`, `[]`, `null`, `{"results":null}`, `{"results":[{"id":{},"sensor_id":"1 OR 2","process_md5":[1],"cmdline":"\ud800"}],"filtered":[[]]}`,
		`{"results":[{"endpoint":["a|1","|"],"observed_filename":[null,1]}],"terms":[1,null],"total_results":1e99}`, `{"a":{"status":1,"info":[]}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if p, err := decodePage[process](text); err == nil {
			_, _, _ = p.incomplete(), p.hides(), p.lacks([]string{"md5:x"})
			s := &search{asked: map[string]bool{}, said: map[string]bool{}, explained: map[string]bool{}, foreign: map[string]bool{}}
			for _, m := range p.foreign(nil) {
				s.foreign[m] = true
			}
			for _, r := range p.Results {
				if m := r.image(); m != "" && !md5Form.MatchString(m) {
					t.Errorf("%q", m)
				}
				s.hit(r, "44d88612fea8a8f36de82e1278abb02f")
			}
			check(t, s)
		}
		if p, err := decodePage[binary](text); err == nil {
			s := &search{said: map[string]bool{}}
			for _, r := range p.Results {
				s.stored(r, r.image())
			}
			check(t, s)
		}
		if p, err := decodePage[sensor](text); err == nil {
			var out []sensor
			if _, err := added(&out, map[string]bool{}, p.Results); err == nil {
				for _, s := range out {
					if ep := s.endpoint(time.Unix(1e9, 0)); !sensorForm.MatchString(ep.ID) {
						t.Errorf("%+v", ep)
					}
				}
			}
		}
		if parts, err := decodePartitions(text); err == nil {
			_ = oldestSearched(parts)
		}
	})
}

func check(t *testing.T, s *search) {
	t.Helper()
	for _, r := range s.rows {
		for k, v := range r {
			if !utf8.ValidString(v) || len(v) > maxText+1000 {
				t.Errorf("%s: %.100q", k, v)
			}
		}
		if id := r["endpoint"]; id != "" && !sensorForm.MatchString(id) {
			t.Errorf("%q", id)
		}
	}
}
