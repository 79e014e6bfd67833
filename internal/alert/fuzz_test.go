package alert_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
)

// sound checks what must hold of alerts that were read from any input.
func sound(t *testing.T, input []byte, all []*alert.Alert, err error) {
	t.Helper()
	if err != nil {
		if all != nil || strings.ContainsAny(err.Error(), "\x1b\x00") {
			t.Fatalf("%v %q", all, err)
		}
		return
	}
	if len(all) == 0 || len(all[0].Seeds()) == 0 || all[0].ID == "" || all[0].Format == "" {
		t.Fatalf("nothing to hunt in %q", input)
	}
	for _, a := range all {
		seeds := map[string]bool{}
		for _, h := range a.Found {
			if h.Seed {
				seeds[h.Indicator.Value] = true
			}
		}
		for _, f := range a.Files {
			if f.Seed == strings.HasSuffix(f.Note, "no seed") {
				t.Fatalf("%+v of %q", f, input)
			}
		}
		for _, file := range a.Seeds() {
			for _, d := range file.Digests() {
				if got, err := indicator.ParseHash(d.Value); err != nil || got != d || !seeds[d.Value] {
					t.Fatalf("%q gives %v, of no field", input, d)
				}
			}
		}
		a.Taken()
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		ecs, `[{"md5":"MD5A"},{"hits":{"hits":[]}}]`, `{"a.b..c":{"":["MD5A"]},"_source":1}`, `{"Hashes":"MD5=MD5A,IMPHASH=MD5B"}`, `[[[["MD5A"]]]]`,
		`{"type":"md5","value":"MD5A"}`, "{\"md5\":\"MD5A\"}\n{", `{"file.hash":{"md5":"MD5A"},"file":{"size":1}}`, "\ufeff\"MD5A\"", `{"x":1,}`,
	} {
		f.Add([]byte(fill(s)))
	}
	for _, name := range fixtures(f) {
		f.Add(fixture(f, name))
	}
	f.Add(packed(f, fixture(f, "ocsf.json")))
	f.Fuzz(func(t *testing.T, input []byte) {
		all, err := alert.Read(bytes.NewReader(input), "fuzz")
		sound(t, input, all, err)
	})
}

// FuzzFormats asks the readers of formats alone, with keys of a format around anything.
func FuzzFormats(f *testing.F) {
	for _, name := range fixtures(f) {
		for line := range bytes.SplitSeq(bytes.TrimSpace(fixture(f, name)), []byte("\n{")) {
			f.Add(line)
		}
		f.Add(fixture(f, name))
	}
	for _, keys := range []string{
		`"type":"bundle","objects":[@]`, `"Event":{"uuid":"1","Object":[@],"Attribute":[@]}`, `"class_uid":1,"category_uid":1,"evidences":[@],"file":@`,
		`"evidence":[@],"serviceSource":"x"`, `"Entities":[@,{"$id":"1","Type":"file"}]`, `"event_type":"fileinfo","fileinfo":@`,
		`"rule":{"level":1},"agent":{},"manager":{},"syscheck":@,"data":@`, `"hostIdentifier":"h","columns":@,"snapshot":[@]`,
		`"observables":[@,{"dataType":"hash"}]`, `"sid":"1","result":@`,
		`"class_uid":1,"category_uid":1,"file":{"signature":{"digest":{}}}`,
	} {
		f.Add([]byte("{" + strings.ReplaceAll(keys, "@", fill(`{"md5":"MD5A","sha256":["SHA256A"],"hashes":{"MD5":"MD5A"}}`)) + "}"))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		all, err := alert.ReadNamed(bytes.NewReader(input), "fuzz")
		sound(t, input, all, err)
	})
}
