package files

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ImportOptions say how files are read.
type ImportOptions struct {
	Confidence int  // of indicators that state none: plain lists and CSV; 0 is 50
	Force      bool // import again what has not changed
}

// FileResult is what became of one file.
type FileResult struct {
	Name       string    `json:"name"`
	Format     string    `json:"format,omitempty"`
	Digest     string    `json:"digest,omitempty"` // sha256 of the file as received
	Reports    int       `json:"reports"`
	Indicators int       `json:"indicators"`
	Refused    int       `json:"refused"`
	Refusals   []Refusal `json:"refusals,omitempty"` // at most 100
	Unchanged  bool      `json:"unchanged,omitempty"`
	Error      string    `json:"error,omitempty"` // the file was refused whole
}

// Summary is what an import brought.
type Summary struct {
	Files []FileResult `json:"files"`
}

// Failed counts the files that were refused.
func (s Summary) Failed() int {
	n := 0
	for _, f := range s.Files {
		if f.Error != "" {
			n++
		}
	}
	return n
}

// maxFiles bounds the files of one import.
const maxFiles = 100_000

// ImportPaths imports files, folders (recursively, in order) and "-" for standard input. A damaged file is refused
// whole; the others are still imported. The error is for what stops the import itself: the database, or ctx's end;
// then the summary is of what came before.
func (s *Store) ImportPaths(ctx context.Context, paths []string, stdin io.Reader, opt ImportOptions) (Summary, error) {
	if opt.Confidence <= 0 {
		opt.Confidence = 50
	}
	var sum Summary
	for _, p := range paths {
		if p == "-" {
			res, err := s.importOne(ctx, "-", stdin, nil, opt)
			if err != nil {
				return sum, err
			}
			sum.Files = append(sum.Files, res)
			continue
		}
		found, faults := expand(p)
		sum.Files = append(sum.Files, faults...)
		for _, f := range found {
			res, err := s.importFile(ctx, f, opt)
			if err != nil {
				return sum, err
			}
			sum.Files = append(sum.Files, res)
		}
	}
	return sum, nil
}

func (s *Store) importFile(ctx context.Context, path string, opt ImportOptions) (FileResult, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return unread(path, err), nil
	}
	info, err := os.Stat(abs)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return unread(path, err), nil
	}
	if !opt.Force {
		if res, same, err := s.unchanged(ctx, abs, path, info, opt); err != nil || same {
			return res, err
		}
	}
	f, err := os.Open(abs)
	if err != nil {
		return unread(path, err), nil
	}
	defer f.Close() // read-only
	return s.importOne(ctx, path, f, info, opt)
}

func settings(opt ImportOptions) string { return fmt.Sprintf("confidence=%d", opt.Confidence) }

// unchanged reports whether a file was imported before and is the same by size, time and settings.
func (s *Store) unchanged(ctx context.Context, abs, path string, info fs.FileInfo, opt ImportOptions) (FileResult, bool, error) {
	res := FileResult{Name: path, Unchanged: true}
	err := s.db.R.QueryRowContext(ctx, `SELECT s.format, s.digest, count(r.id), coalesce(sum(r.members), 0) FROM intel_source s
		LEFT JOIN intel_report r ON r.source = s.id WHERE s.name = ? AND s.size = ? AND s.mtime = ? AND s.settings = ? GROUP BY s.id`,
		abs, info.Size(), info.ModTime().UnixNano(), settings(opt)).Scan(&res.Format, &res.Digest, &res.Reports, &res.Indicators)
	if errors.Is(err, sql.ErrNoRows) {
		return FileResult{}, false, nil
	}
	if err != nil {
		return FileResult{Name: path}, false, fmt.Errorf("look for %s in the intelligence store: %w", path, err)
	}
	return res, true, nil
}

// importOne imports one stream in one transaction.
func (s *Store) importOne(ctx context.Context, name string, r io.Reader, info fs.FileInfo, opt ImportOptions) (res FileResult, err error) {
	res.Name = name
	tx, err := s.db.W.BeginTx(ctx, nil)
	if err != nil {
		return res, fmt.Errorf("import %s: %w", name, err)
	}
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback() // the error in hand says more
		}
	}()
	src := s.newSource(ctx, tx, name, info, opt)
	if err := src.open(); err != nil {
		return res, fmt.Errorf("import %s: %w", name, err)
	}
	p := &parser{k: src.sink, name: name, base: baseName(name), confidence: opt.Confidence}
	if err := src.parse(p, r); err != nil {
		if ctx.Err() != nil {
			return res, ctx.Err()
		}
		if fault, ok := errors.AsType[*Fault](err); ok {
			res.Error = fault.Error()
			return res, nil
		}
		return res, fmt.Errorf("import %s: %w", name, err)
	}
	if err := src.close(p.format); err != nil {
		return res, fmt.Errorf("import %s: %w", name, err)
	}
	if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(members), 0) FROM intel_report WHERE source = ?`, p.k.source).
		Scan(&res.Reports, &res.Indicators); err != nil {
		return res, fmt.Errorf("import %s: %w", name, err)
	}
	if err := tx.Commit(); err != nil {
		return res, fmt.Errorf("import %s: %w", name, err)
	}
	done = true
	res.Format, res.Digest = p.format, src.digest
	res.Refused, res.Refusals = p.k.nRefuse, p.k.refused
	return res, nil
}

func baseName(name string) string {
	if name == "-" {
		return "stdin"
	}
	return strings.TrimSuffix(filepath.Base(name), ".gz")
}

// incoming is one file on its way into the tables: its bytes are kept as they pass.
type incoming struct {
	store  *Store
	sink   *sink
	name   string
	info   fs.FileInfo
	opt    ImportOptions
	sum    hash.Hash
	size   int64
	seq    int
	buf    bytes.Buffer
	pack   *gzip.Writer
	temp   string
	digest string
}

func (s *Store) newSource(ctx context.Context, tx *sql.Tx, name string, info fs.FileInfo, opt ImportOptions) *incoming {
	return &incoming{
		store: s, name: name, info: info, opt: opt, sum: sha256.New(),
		sink: &sink{ctx: ctx, tx: tx, stmts: map[string]*sql.Stmt{}, reports: map[string]int64{}},
	}
}

// open replaces what an earlier import of the same file brought.
func (in *incoming) open() error {
	key := "stdin " + in.store.now().UTC().Format(timeText)
	if in.info != nil {
		abs, err := filepath.Abs(in.name)
		if err != nil {
			return err
		}
		key = abs
	}
	if err := in.sink.exec(`DELETE FROM intel_source WHERE name = ?`, key); err != nil {
		return err
	}
	id, err := in.sink.id(`INSERT INTO intel_source (name, digest, size, mtime, format, imported_at, settings) VALUES (?, '', 0, 0, '', ?, ?) RETURNING id`,
		key, stamp(in.store.now()), settings(in.opt))
	if err != nil {
		return err
	}
	in.sink.source, in.temp = id, fmt.Sprintf("incoming %d", id)
	return in.sink.exec(`INSERT INTO raw_body (digest, size, created_at) VALUES (?, 0, ?)`, in.temp, stamp(in.store.now()))
}

// parse reads the stream to its end, unpacking it when it is compressed.
func (in *incoming) parse(p *parser, r io.Reader) error {
	packed := &counter{r: r}
	kept := io.TeeReader(packed, in)
	buffered := bufio.NewReader(kept)
	var plain io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return &Fault{File: in.name, Message: "damaged gzip: " + err.Error()}
		}
		plain = &bounded{r: z, packed: func() int64 { return packed.n }}
	}
	if err := p.parse(plain); err != nil {
		if errors.Is(err, errBomb) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
			return &Fault{File: in.name, Message: readFault(err)}
		}
		return err
	}
	if _, err := io.Copy(io.Discard, buffered); err != nil {
		return &Fault{File: in.name, Message: readFault(err)}
	}
	return nil
}

// readFault says what stopped the reading of a file.
func readFault(err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "the compressed file is cut off; fetch it again"
	}
	return err.Error()
}

// rawChunk is how much of a file one row holds before compression.
const rawChunk = 1 << 20

// Write keeps the bytes of the file as received.
func (in *incoming) Write(p []byte) (int, error) {
	in.sum.Write(p)
	in.size += int64(len(p))
	in.buf.Write(p)
	for in.buf.Len() >= rawChunk {
		if err := in.flush(in.buf.Next(rawChunk)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (in *incoming) flush(part []byte) error {
	var b bytes.Buffer
	if in.pack == nil {
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err != nil {
			return err
		}
		in.pack = z
	}
	in.pack.Reset(&b)
	if _, err := in.pack.Write(part); err != nil {
		return err
	}
	if err := in.pack.Close(); err != nil {
		return err
	}
	in.seq++
	return in.sink.exec(`INSERT INTO raw_chunk (digest, seq, data) VALUES (?, ?, ?)`, in.temp, in.seq-1, b.Bytes())
}

// close names the kept bytes by their digest, and completes the source.
func (in *incoming) close(format string) error {
	if err := in.flush(in.buf.Bytes()); err != nil {
		return err
	}
	k := in.sink
	in.digest = hex.EncodeToString(in.sum.Sum(nil))
	var there int
	if err := k.tx.QueryRowContext(k.ctx, `SELECT count(*) FROM raw_body WHERE digest = ?`, in.digest).Scan(&there); err != nil {
		return err
	}
	steps := []string{}
	if there == 0 {
		if err := k.exec(`INSERT INTO raw_body (digest, size, created_at) VALUES (?, ?, ?)`, in.digest, in.size, stamp(in.store.now())); err != nil {
			return err
		}
		steps = append(steps, `UPDATE raw_chunk SET digest = ?1 WHERE digest = ?2`)
	}
	steps = append(steps, `DELETE FROM raw_body WHERE digest = ?2 AND ?1 <> ''`)
	for _, text := range steps {
		if err := k.exec(text, in.digest, in.temp); err != nil {
			return err
		}
	}
	size, mtime := in.size, int64(0)
	if in.info != nil {
		size, mtime = in.info.Size(), in.info.ModTime().UnixNano()
	}
	if err := k.exec(`UPDATE intel_source SET digest = ?, size = ?, mtime = ?, format = ? WHERE id = ?`, in.digest, size, mtime, format, k.source); err != nil {
		return err
	}
	return k.close()
}
