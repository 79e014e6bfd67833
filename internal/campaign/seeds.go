package campaign

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

// Bounds of a list of digests.
const (
	maxListBytes = 64 << 20
	maxListLine  = 64 << 10
	maxSeeds     = 100_000
	maxFaults    = 100
)

// ReadSeeds makes the arguments of a sweep the seed: digests as they are, "-" for standard input, and files, which hold
// an alert in JSON or digests, one a line. Every fault is told at once, as a diag.List.
func (s *Spec) ReadSeeds(args []string, stdin io.Reader) error {
	r := seedReader{spec: s}
	for i, arg := range args {
		r.argument(i+1, arg, stdin)
	}
	switch {
	case len(r.faults) > 0:
		return r.faults
	case s.Seed.IsEmpty():
		return errors.New("no hash is given; name a sha256, sha1 or md5, a file of them, an alert, or - for standard input")
	}
	return nil
}

// seedReader collects seeds and faults.
type seedReader struct {
	spec   *Spec
	faults diag.List
}

func (r *seedReader) fault(file string, line int, what, hint string) {
	if len(r.faults) < maxFaults {
		column := min(line, 1)
		r.faults = append(r.faults, diag.Diagnostic{File: file, Line: line, Column: column, Message: what, Hint: hint})
	}
}

func (r *seedReader) argument(n int, arg string, stdin io.Reader) {
	if arg == "-" {
		r.list(stdin, "-")
		return
	}
	if strings.Contains(arg, "=") && r.sysmon(fmt.Sprintf("argument %d", n), 0, arg) {
		return
	}
	ind, err := indicator.ParseHash(arg)
	if err == nil {
		r.digests(ind)
		return
	}
	info, statErr := os.Stat(arg)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		r.fault(fmt.Sprintf("argument %d", n), 0, err.Error(), "nor is there a file of that name")
	case statErr != nil:
		r.fault(arg, 0, statErr.Error(), "")
	case info.IsDir():
		r.fault(arg, 0, "this is a folder", "name a file of digests, or hunter sweep HASH --path FOLDER to look into it")
	case info.Mode()&(fs.ModeDevice|fs.ModeSocket) != 0:
		r.fault(arg, 0, "this is no file", "")
	default:
		r.file(arg)
	}
}

func (r *seedReader) file(path string) {
	f, err := os.Open(path)
	if err != nil {
		r.fault(path, 0, err.Error(), "")
		return
	}
	defer f.Close() // read-only
	r.list(f, path)
}

// digests adds one file object.
func (r *seedReader) digests(inds ...indicator.Indicator) {
	var f indicator.File
	for _, i := range inds {
		f.SetDigest(i.Kind, i.Value)
	}
	r.spec.Seed.Files = append(r.spec.Seed.Files, f)
}

// sysmon takes a Hashes string: several digests of one file. What stands beside them and is known to be no file hash,
// such as an imphash, is refused by name; what is broken is a fault. ok is false when no digest is in it.
func (r *seedReader) sysmon(file string, line int, text string) (ok bool) {
	found, refused, err := indicator.ParseSysmon(text)
	if err != nil || len(found) == 0 {
		return false
	}
	for _, x := range refused {
		if x.Name == "" {
			r.fault(file, line, x.Error(), "")
			continue
		}
		value := x.Value
		if _, v, cut := strings.Cut(value, "="); cut {
			value = strings.ToLower(strings.TrimSpace(v))
		}
		r.spec.Refused = append(r.spec.Refused, Refused{Value: value, Kind: indicator.Kind(x.Name), Reason: x.Error()})
	}
	r.digests(found...)
	return true
}

// list reads an alert or a list of digests.
func (r *seedReader) list(in io.Reader, name string) {
	if in == nil {
		r.fault(name, 0, "standard input can not be read here", "")
		return
	}
	buffered := bufio.NewReaderSize(in, maxListLine)
	head, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		r.fault(name, 0, err.Error(), "")
		return
	}
	switch {
	case bytes.HasPrefix(head, []byte(gzipMagic)):
		r.packed(buffered, name)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		r.fault(name, 1, "this is UTF-16", "save it as UTF-8")
	case isJSON(head):
		r.alert(buffered, name)
	default:
		r.lines(io.LimitReader(buffered, maxListBytes+1), name)
	}
}

const gzipMagic = "\x1f\x8b"

// packed reads what a gzip holds. The bounds of what is read are those of a list or alert that is not packed.
func (r *seedReader) packed(in io.Reader, name string) {
	z, err := gzip.NewReader(in)
	if err != nil {
		r.fault(name, 0, "the gzip is damaged: "+err.Error(), "")
		return
	}
	head := bufio.NewReaderSize(z, maxListLine)
	if start, _ := head.Peek(len(gzipMagic)); string(start) == gzipMagic { // a fault comes again when it is read
		r.fault(name, 0, "this is compressed twice", "unpack it first")
		return
	}
	r.list(head, name)
}

func isJSON(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[')
}

func (r *seedReader) alert(in io.Reader, name string) {
	alerts, err := alert.Read(in, name)
	var list diag.List
	switch {
	case errors.As(err, &list):
		r.faults = append(r.faults, list...)
	case err != nil:
		r.fault(name, 0, err.Error(), "")
	default:
		r.spec.seedAlerts(alerts)
	}
}

// lines reads one file object a line: a digest, what sha256sum prints, the first column of a table, or Sysmon's Hashes.
// Empty lines and those that begin with # are comments.
func (r *seedReader) lines(in io.Reader, name string) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 4096), maxListLine)
	n, size, data := 0, 0, 0
	for lines.Scan() {
		n++
		size += len(lines.Bytes()) + 1
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		data++
		if len(r.spec.Seed.Files) >= maxSeeds {
			r.fault(name, n, fmt.Sprintf("over %d hashes", maxSeeds), "sweep for them in parts")
			return
		}
		r.line(name, n, text, data == 1)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		r.fault(name, n+1, fmt.Sprintf("a line of over %d bytes", maxListLine), "one hash a line is due")
	case err != nil:
		r.fault(name, n+1, err.Error(), "")
	case size > maxListBytes:
		r.fault(name, n, fmt.Sprintf("over %d MiB", maxListBytes>>20), "sweep for them in parts")
	}
}

func (r *seedReader) line(name string, n int, text string, first bool) {
	if strings.Contains(text, "=") && r.sysmon(name, n, text) {
		return
	}
	word := text
	if i := strings.IndexAny(text, " \t,;"); i >= 0 {
		word = text[:i]
	}
	word = strings.Trim(cmp.Or(word, text), `"'`)
	ind, err := indicator.ParseHash(word)
	if err == nil {
		r.digests(ind)
		return
	}
	if _, header := indicator.KindOfName(word); header && first {
		return // the head of a table
	}
	r.fault(name, n, err.Error(), "")
}
