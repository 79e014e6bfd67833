package host_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// shortcut makes a .lnk file with a local target.
func shortcut(target, folder, args string) []byte {
	le := binary.LittleEndian
	head := make([]byte, 0x4c)
	le.PutUint32(head, 0x4c)
	copy(head[4:], []byte{1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46})
	le.PutUint32(head[20:], 1<<0|1<<1|1<<4|1<<5|1<<7)
	le.PutUint32(head[60:], 3)
	out := append(head, 4, 0, 1, 2, 3, 4) // a list of ids
	wide := append(utf16File(target, le)[2:], 0, 0)
	info := make([]byte, 0x24)
	le.PutUint32(info[4:], 0x24)
	le.PutUint32(info[8:], 1)
	le.PutUint32(info[0x1c:], 0x24)
	info = append(info, wide...)
	le.PutUint32(info, uint32(len(info)))
	out = append(out, info...)
	for _, s := range []string{folder, args} {
		units := utf16File(s, le)[2:]
		out = append(le.AppendUint16(out, uint16(len(units)/2)), units...)
	}
	return out
}

func TestParseShortcut(t *testing.T) {
	t.Parallel()
	data := shortcut(`C:\évil dir\x.exe`, `C:\évil dir`, `-a b`)
	got, ok := host.ParseShortcut(data)
	want := host.Shortcut{Target: `C:\évil dir\x.exe`, Folder: `C:\évil dir`, Arguments: `-a b`, Run: "Maximized"}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("%t (-want +got):\n%s", ok, diff)
	}
	for n := range data { // cut anywhere: no panic, and never another target
		if got, _ := host.ParseShortcut(data[:n]); got.Target != "" && got.Target != want.Target {
			t.Errorf("cut at %d: %+v", n, got)
		}
	}
	if _, ok := host.ParseShortcut(bytes.Repeat([]byte("x"), 200)); ok {
		t.Error("a text passes for a shortcut")
	}
}

// smbios makes one structure.
func smbios(kind byte, body []byte, texts ...string) []byte {
	out := append([]byte{kind, byte(4 + len(body)), 0, 0}, body...)
	for _, s := range texts {
		out = append(append(out, s...), 0)
	}
	if len(texts) == 0 {
		out = append(out, 0)
	}
	return append(out, 0)
}

func TestParseSMBIOS(t *testing.T) {
	t.Parallel()
	id := []byte{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	table := append(smbios(0, []byte{0}), smbios(1, append([]byte{1, 2, 3, 4}, append(id, 6)...), "Maker ", "Model", "v1", "S1")...)
	table = append(table, smbios(2, []byte{1, 2, 0, 9}, "Board maker", "Board")...)
	table = append(table, smbios(127, nil)...)
	table = append(table, smbios(1, append([]byte{1, 1, 1, 1}, id...), "after the end")...)
	want := host.Firmware{
		UUID: "00112233-4455-6677-8899-AABBCCDDEEFF", Vendor: "Maker", Model: "Model", Version: "v1", Serial: "S1", BoardVendor: "Board maker", BoardModel: "Board",
	}
	if diff := cmp.Diff(want, host.ParseSMBIOS(table)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n := range table {
		host.ParseSMBIOS(table[:n])
	}
	if got := host.ParseSMBIOS(smbios(1, make([]byte, 24))); got.UUID != "" {
		t.Errorf("an id of zeros is %q", got.UUID)
	}
}

func TestParseArguments(t *testing.T) {
	t.Parallel()
	data := append([]byte{3, 0, 0, 0}, "/usr/bin/x\x00\x00\x00\x00x\x00-a\x00b c\x00HOME=/secret\x00"...)
	path, cmdline := host.ParseArguments(data)
	if path != "/usr/bin/x" || cmdline != "x -a b c" {
		t.Errorf("%q, %q", path, cmdline)
	}
	for _, bad := range [][]byte{nil, {1}, {255, 255, 255, 255}, {255, 255, 255, 127, 'x'}} {
		host.ParseArguments(bad)
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	for attributes, want := range map[uint32]string{
		0x20: "A", 0x27: "AHRS", 0x10: "", 0x80: "N", 0x420: "AL", 0x401020: "AOM", 0x40000: "M", 0x2000: "I",
	} {
		if got := host.Letters(attributes); got != want {
			t.Errorf("%#x: %q instead of %q", attributes, got, want)
		}
	}
	cloud := host.File{Attributes: 0x400420, Tag: 0x9000_001a} // a placeholder of a cloud folder
	if !cloud.Elsewhere() || cloud.Link() || !cloud.Mode().IsRegular() {
		t.Errorf("a placeholder: %t %t %s", cloud.Elsewhere(), cloud.Link(), cloud.Mode())
	}
	fetched := host.File{Attributes: 0x420, Tag: 0x9000_001a}
	if fetched.Elsewhere() || !fetched.Mode().IsRegular() {
		t.Error("a cloud file that is here can not be read")
	}
	junction := host.File{Attributes: 0x410, Tag: 0xa000_0003}
	if !junction.Link() || junction.Mode().IsDir() {
		t.Error("a junction passes for a folder")
	}
	if got := host.VolumeSerial(0x12ab34cd) + " " + host.FileID(255); got != "12ab-34cd 0x00000000000000ff" {
		t.Error(got)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for flags, want := range map[uint32]string{0: "", 0x8000: "HIDDEN", 0x80020: "COMPRESSED, SF_RESTRICTED, SF_SUPPORTED", 0x80000001: "NODUMP, 0x80000000"} {
		if got := host.Flags(flags); got != want {
			t.Errorf("%#x: %q instead of %q", flags, got, want)
		}
	}
}
