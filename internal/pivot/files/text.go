package files

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// csvDelimiter tells whether a line is the header of a CSV file, by the names in it, and what divides them.
func csvDelimiter(line string) (rune, bool) {
	for _, d := range []rune{',', ';', '\t', '|'} {
		fields := strings.Split(line, string(d))
		for _, f := range fields {
			name := strings.Trim(strings.TrimSpace(f), `"'`)
			if _, ok := indicator.KindOfName(name); ok && (len(fields) > 1 || !isHex(name)) {
				return d, true
			}
			if _, ok := indicator.RefusedName(name); ok {
				return d, true
			}
			if len(fields) > 1 && (strings.EqualFold(name, "indicator") || strings.EqualFold(name, "hash") || strings.EqualFold(name, "ioc")) {
				return d, true
			}
		}
	}
	return 0, false
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// csvColumns says what the columns of a CSV file hold; -1 is none.
type csvColumns struct {
	kinds                                       map[int]indicator.Kind
	refused                                     map[int]string
	size, confidence, tlp, report, typ, any, at int
}

func readHeader(header []string) csvColumns {
	c := csvColumns{kinds: map[int]indicator.Kind{}, refused: map[int]string{}, size: -1, confidence: -1, tlp: -1, report: -1, typ: -1, any: -1, at: -1}
	for i, h := range header {
		name := strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.Trim(strings.TrimSpace(h), `"'`)))
		if what, ok := indicator.RefusedName(h); ok {
			c.refused[i] = what
			continue
		}
		switch name {
		case "size", "filesize", "sizeinbytes", "bytes":
			c.size = i
			continue
		case "confidence", "score":
			c.confidence = i
			continue
		case "tlp":
			c.tlp = i
			continue
		case "report", "reportid", "reference", "campaign", "event", "eventid":
			c.report = i
			continue
		case "type", "indicatortype", "ioctype":
			c.typ = i
			continue
		case "value", "indicator", "hash", "ioc", "indicatorvalue":
			c.any = i
			continue
		case "firstseen", "date", "timestamp", "created", "time":
			c.at = i
			continue
		}
		if kind, ok := indicator.KindOfName(h); ok {
			c.kinds[i] = kind
		}
	}
	return c
}

// readCSV reads CSV with a header line. The digests, size and name of one line are one file object. Cells are data:
// nothing in them is ever evaluated.
func (p *parser) readCSV(in io.Reader, delimiter rune) error {
	p.format = "csv"
	cr := csv.NewReader(&lineGuard{r: in})
	cr.Comma, cr.FieldsPerRecord, cr.LazyQuotes, cr.ReuseRecord = delimiter, -1, true, true
	if delimiter != '#' {
		cr.Comment = '#'
	}
	header, err := cr.Read()
	if err != nil {
		return p.csvFault(cr, err)
	}
	if isNSRL(header) {
		return &Fault{File: p.name, Line: 1, Column: 1, Message: "NSRL lists known files, good ones above all: no intelligence"}
	}
	cols := readHeader(slices.Clone(header))
	if len(cols.kinds) == 0 && cols.any < 0 {
		for _, what := range cols.refused {
			return &Fault{File: p.name, Line: 1, Column: 1, Message: "its only digests are " + what + ", which is no file hash that endpoints can be asked for"}
		}
		return &Fault{File: p.name, Line: 1, Column: 1, Message: "no column holds a known kind of indicator"}
	}
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return p.listed()
		}
		if err != nil {
			return p.csvFault(cr, err)
		}
		line, _ := cr.FieldPos(0)
		if err := p.csvRecord(cols, rec, line); err != nil {
			return err
		}
	}
}

// feedLine is a line of a MISP feed's index: md5 of an attribute's value, uuid of its event.
var feedLine = regexp.MustCompile(`^[0-9a-f]{32},[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// feedLength is the length of such a line.
const feedLength = 32 + 1 + 36

// isNSRL tells the header of NSRL's reference data set (NSRLFile.txt).
func isNSRL(header []string) bool {
	return slices.Contains(header, "CRC32") && slices.Contains(header, "ProductCode")
}

func (p *parser) csvFault(cr *csv.Reader, err error) error {
	if pe, ok := errors.AsType[*csv.ParseError](err); ok {
		return &Fault{File: p.name, Line: pe.Line, Column: pe.Column, Message: "damaged CSV: " + pe.Err.Error()}
	}
	line, _ := cr.FieldPos(0)
	return &Fault{File: p.name, Line: line, Column: 1, Message: "damaged CSV: " + err.Error()}
}

func (p *parser) csvRecord(c csvColumns, rec []string, line int) error {
	get := func(i int) string {
		if i < 0 || i >= len(rec) {
			return ""
		}
		return strings.TrimSpace(strings.TrimPrefix(rec[i], "'"))
	}
	confidence := p.confidence
	if n, err := strconv.Atoi(get(c.confidence)); err == nil && n >= 0 && n <= 100 {
		confidence = n
	}
	tlp, _ := indicator.ParseTLP(get(c.tlp))
	var at time.Time
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if c.at < 0 {
			break
		}
		if t, err := time.Parse(layout, strings.TrimSuffix(get(c.at), " UTC")); err == nil {
			at = t
			break
		}
	}
	file := indicator.File{}
	if n, err := strconv.ParseInt(get(c.size), 10, 64); err == nil && n > 0 {
		file.Size = n
	}
	var inds []indicator.Indicator
	take := func(kind indicator.Kind, value string) {
		ind, err := indicator.Parse(kind, value)
		if err != nil {
			p.k.refuse(line, valid(value), err.Error())
			return
		}
		if ind.Kind.IsDigest() {
			file.SetDigest(ind.Kind, ind.Value)
		}
		if ind.Kind == indicator.Filename {
			file.Names = append(file.Names, ind.Value)
		}
		inds = append(inds, ind)
	}
	for i := range rec {
		switch kind, ok := c.kinds[i]; {
		case get(i) == "":
		case ok:
			take(kind, valid(get(i)))
		case c.refused[i] != "":
			p.k.refuse(line, valid(get(i)), c.refused[i]+" is no file hash that endpoints can be asked for")
		case i == c.any:
			p.anyValue(valid(get(c.typ)), valid(get(i)), line, take)
		}
	}
	if len(inds) == 0 {
		return nil
	}
	report := p.base
	if r := valid(get(c.report)); r != "" {
		report = r
	}
	return p.row(report, file, inds, confidence, at, tlp)
}

// anyValue takes a cell whose kind another cell names, or that is told by its form.
func (p *parser) anyValue(typ, value string, line int, take func(indicator.Kind, string)) {
	if what, refused := indicator.RefusedName(typ); refused {
		p.k.refuse(line, value, what+" is no file hash")
		return
	}
	if kind, ok := indicator.KindOfName(typ); ok {
		take(kind, value)
		return
	}
	ind, err := indicator.Detect(value)
	if err != nil {
		p.k.refuse(line, value, err.Error())
		return
	}
	take(ind.Kind, ind.Value)
}

// row stores one line of a list: its file object and its indicators.
func (p *parser) row(report string, file indicator.File, inds []indicator.Indicator, confidence int, at time.Time, tlp indicator.TLP) error {
	id, err := p.k.report(report)
	if err != nil {
		return err
	}
	for _, ind := range inds {
		if err := p.k.member(id, member{ind: ind, confidence: confidence, time: at, tlp: tlp}); err != nil {
			return err
		}
	}
	return p.k.object(file)
}

var (
	coreutilsLine = regexp.MustCompile(`^\\?([0-9A-Fa-f]{32,128})[ \t]+\*?(\S.*)$`)
	bsdLine       = regexp.MustCompile(`^(MD5|SHA1|SHA256|SHA512|SHA384|SHA224) ?\((.*)\) ?= ?([0-9A-Fa-f]+)$`)
)

// readList reads a plain list: a digest a line, or the lines of md5sum, sha256sum and BSD's sha256, with comments. The
// whole list is one report, named by its file.
func (p *parser) readList(in *bufio.Reader) error {
	p.format = "list"
	line, taken := 0, 0
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 0, 64<<10), maxLine)
	for sc.Scan() {
		line++
		text := strings.TrimSpace(sc.Text())
		if text == "" || isComment(text) {
			continue
		}
		if strings.IndexByte(text, 0) >= 0 {
			return &Fault{File: p.name, Line: line, Column: strings.IndexByte(text, 0) + 1, Message: "a zero byte: this is no text file"}
		}
		ind, name, err := listLine(text)
		if len(text) == feedLength && feedLine.MatchString(text) {
			return &Fault{File: p.name, Line: line, Column: 1, Message: "the hashes.csv of a MISP feed holds the md5 of values, no file hashes; import the events"}
		}
		if err != nil {
			p.k.refuse(line, valid(text), err.Error())
			continue
		}
		taken++
		file := indicator.File{}
		file.SetDigest(ind.Kind, ind.Value)
		if name != "" {
			file.Names = []string{valid(name)}
		}
		if err := p.row(p.base, file, []indicator.Indicator{ind}, p.confidence, time.Time{}, ""); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return &Fault{File: p.name, Line: line + 1, Column: 1, Message: fmt.Sprintf("a line of over %d MiB", maxLine>>20)}
		}
		return &Fault{File: p.name, Line: line + 1, Column: 1, Message: readFault(err)}
	}
	if taken == 0 {
		return &Fault{File: p.name, Line: 1, Column: 1, Message: "no line holds a digest; give MISP JSON, STIX 2.1, CSV with a header or a plain list of hashes"}
	}
	return p.listed()
}

// listLine reads one line of a list.
func listLine(text string) (ind indicator.Indicator, name string, err error) {
	if strings.ContainsAny(text, " \t(") {
		if ind, name, ok, err := namedLine(text); ok {
			return ind, name, err
		}
	}
	first := text
	if i := strings.IndexAny(text, ",\t"); i > 0 {
		first = text[:i]
	} else if i := strings.IndexAny(text, "#;"); i > 0 {
		first = strings.TrimSpace(text[:i])
	}
	if ind, err = indicator.ParseHash(first); err == nil {
		return ind, "", nil
	}
	if other, e := indicator.Detect(first); e == nil {
		return other, "", nil
	}
	return ind, "", err
}

// namedLine reads a line that names the digest's file; ok is false when it is none.
func namedLine(text string) (ind indicator.Indicator, name string, ok bool, err error) {
	if m := bsdLine.FindStringSubmatch(text); m != nil {
		ind, err = indicator.ParseHash(m[1] + ":" + m[3])
		return ind, m[2], true, err
	}
	m := coreutilsLine.FindStringSubmatch(text)
	if m == nil {
		return ind, "", false, nil
	}
	ind, err = indicator.ParseHash(m[1])
	if name = m[2]; isComment(name) {
		name = ""
	}
	return ind, name, true, err
}

// listed gives the reports of a list their names. A list states no TLP.
func (p *parser) listed() error {
	return p.k.exec(`UPDATE intel_report SET title = uid, tlp = ?, tlp_assumed = 1 WHERE source = ?`, string(indicator.TLPAmber), p.k.source)
}

// lineGuard refuses a line that would be held in memory without bound.
type lineGuard struct {
	r      io.Reader
	length int
}

var errLine = errors.New("a line of over 1 MiB")

func (g *lineGuard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	for _, c := range p[:n] {
		if g.length++; c == '\n' {
			g.length = 0
		}
		if g.length > maxLine {
			return 0, errLine
		}
	}
	return n, err
}
