//go:build !windows

package app_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// digestHex is an invented digest, the same for the same number.
func digestHex(i, length int) string {
	sum := sha256.Sum256(strconv.AppendInt(nil, int64(i), 10))
	return hex.EncodeToString(sum[:])[:length]
}

func uuidOf(i int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", i, i)
}

// written makes a file of what fill writes.
func written(path string, fill func(w *bufio.Writer)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fill(w)
	return errors.Join(w.Flush(), f.Close())
}

// writeList writes n digests, one a line.
func writeList(path string, n int) error {
	return written(path, func(w *bufio.Writer) {
		for i := range n {
			fmt.Fprintln(w, digestHex(i, 64))
		}
	})
}

// writeCSV writes lines of a file with two digests and a name: 3 indicators each.
func writeCSV(path string, n int) error {
	return written(path, func(w *bufio.Writer) {
		fmt.Fprintln(w, "sha256,md5,filename,size,report")
		for i := 0; i < n; i += 3 {
			row := []string{digestHex(i, 64), digestHex(i+1, 32), fmt.Sprintf("file-%d.exe", i)}
			for len(row) > n-i {
				row[n-i] = ""
				row = row[:n-i]
			}
			fmt.Fprintf(w, "%s%s,%d,report-%d\n", strings.Join(row, ","), strings.Repeat(",", 3-len(row)), 1000+i, csvReport(i))
		}
	})
}

// csvReport puts the lines of a CSV file into reports of 3 to 99 indicators.
func csvReport(i int) int {
	line := i / 3
	block, at := line/561, line%561 // 1 + 2 + … + 33
	report := 0
	for size := 1; at >= size; size++ {
		at -= size
		report++
	}
	return block*33 + report
}

// writeMISP writes one event: n attributes, three of four in file objects of two digests and a name.
func writeMISP(path string, n int) error {
	return written(path, func(w *bufio.Writer) {
		attribute := func(i int, typ, value string) string {
			return fmt.Sprintf(`{"id":"%d","type":%q,"category":"Payload delivery","to_ids":true,"uuid":%q,"event_id":"7","distribution":"5","timestamp":"1769000000",`+
				`"comment":"","sharing_group_id":"0","deleted":false,"disable_correlation":false,"object_id":"%d","object_relation":%q,"first_seen":null,`+
				`"last_seen":null,"value":%q,"Galaxy":[],"ShadowAttribute":[]}`, i, typ, uuidOf(i), i/4, typ, value)
		}
		fmt.Fprintf(w, `{"Event":{"info":"invented","uuid":%q,"date":"2026-01-02","Tag":[{"name":"tlp:green"}],"Attribute":[`, uuidOf(n))
		for i := 3; i < n; i += 4 {
			if i > 3 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprint(w, attribute(i, "domain", fmt.Sprintf("host-%d.example", i)))
		}
		fmt.Fprint(w, `],"Object":[`)
		for i := 0; i < n; i += 4 {
			parts := []string{attribute(i, "sha256", digestHex(i, 64)), attribute(i+1, "md5", digestHex(i+1, 32)), attribute(i+2, "filename", fmt.Sprintf("file-%d.exe", i))}
			parts = parts[:min(3, n-i)]
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"id":"%d","name":"file","meta-category":"file","uuid":%q,"timestamp":"1769000000","deleted":false,"ObjectReference":[%s],"Attribute":[%s]}`,
				i, uuidOf(n+1+i), mispReference(n, i), strings.Join(parts, ","))
		}
		fmt.Fprint(w, `]}}`)
	})
}

// mispReference relates every tenth object to the one before.
func mispReference(n, i int) string {
	if i == 0 || i%40 != 0 {
		return ""
	}
	return fmt.Sprintf(`{"referenced_uuid":%q,"relationship_type":"drops"}`, uuidOf(n+1+i-4))
}

// writeSTIX writes a bundle of indicators with patterns and of files, 1,000 to a report, and a relationship for every ten.
func writeSTIX(path string, n int) error {
	return written(path, func(w *bufio.Writer) {
		fmt.Fprint(w, `{"type":"bundle","id":"bundle--`+uuidOf(0)+`","objects":[`)
		const common = `"spec_version":"2.1","created":"2026-01-02T03:04:05.000Z","modified":"2026-01-02T03:04:05.000Z"`
		var refs []string
		last := ""
		for i, made := 0, 0; i < n; made++ {
			if i > 0 {
				fmt.Fprint(w, ",\n")
			}
			ref := "indicator--" + uuidOf(i)
			if made%3 == 0 && n-i >= 3 {
				ref = "file--" + uuidOf(i)
				fmt.Fprintf(w, `{"type":"file","spec_version":"2.1","id":%q,"hashes":{"SHA-256":%q,"MD5":%q},"name":"file-%d.exe","size":%d}`, ref, digestHex(i, 64), digestHex(i+1, 32), i, 1000+i)
				i += 3
			} else {
				fmt.Fprintf(w, `{"type":"indicator","id":%q,%s,"name":"invented","pattern":"[file:hashes.'SHA-256' = '%s']","pattern_type":"stix","valid_from":"2026-01-02T03:04:05Z","indicator_types":["malicious-activity"]}`,
					ref, common, digestHex(i, 64))
				i++
			}
			if made%10 == 9 {
				fmt.Fprintf(w, `,{"type":"relationship","id":"relationship--%s",%s,"relationship_type":"related-to","source_ref":%q,"target_ref":%q}`, uuidOf(i), common, ref, last)
			}
			if refs, last = append(refs, `"`+ref+`"`), ref; len(refs) == 1000 || i >= n {
				fmt.Fprintf(w, `,{"type":"report","id":"report--%s",%s,"name":"invented","published":"2026-01-02T03:04:05Z","object_refs":[%s]}`, uuidOf(i), common, strings.Join(refs, ","))
				refs = nil
			}
		}
		fmt.Fprint(w, `]}`)
	})
}
