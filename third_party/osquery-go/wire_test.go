package osquery_test

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	osquery "github.com/osquery/osquery-go"
	gen "github.com/osquery/osquery-go/gen/osquery"
)

// serveRaw answers one connection's first call with bytes as they are and
// gives what the call was.
func serveRaw(t *testing.T, callLen int, answer string) (path string, call <-chan string) {
	t.Helper()
	path = filepath.Join(shortDir(t), "raw.em")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	got := make(chan string, 1)
	go func() {
		defer close(got)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		buf := make([]byte, callLen)
		for n := 0; n < callLen; {
			m, err := conn.Read(buf[n:])
			if err != nil {
				return
			}
			n += m
		}
		_, _ = conn.Write([]byte(answer))
		got <- string(buf)
	}()
	return path, got
}

// The bytes of a query and its answers, put together by hand from the thrift
// binary protocol: version and type, name, sequence number, fields, stop.
const (
	queryCall  = "\x80\x01\x00\x01" + "\x00\x00\x00\x05query" + "\x00\x00\x00\x01" + "\x0b\x00\x01\x00\x00\x00\x08SELECT 1" + "\x00"
	replyBegin = "\x80\x01\x00\x02" + "\x00\x00\x00\x05query" + "\x00\x00\x00\x01" + "\x0c\x00\x00"
	replyEnd   = "\x00\x00"
	statusOK   = "\x0c\x00\x01" + "\x08\x00\x01\x00\x00\x00\x00" + "\x0b\x00\x02\x00\x00\x00\x02OK" + "\x0a\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00"
	oneRow     = "\x0f\x00\x02" + "\x0d\x00\x00\x00\x01" + "\x0b\x0b\x00\x00\x00\x01" + "\x00\x00\x00\x011" + "\x00\x00\x00\x011"
)

func TestWire(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer string
		want   []map[string]string
		err    string
	}{
		"answer":    {replyBegin + statusOK + oneRow + replyEnd, []map[string]string{{"1": "1"}}, ""},
		"no status": {replyBegin + oneRow + replyEnd, nil, "query returned nil status"},
		"cut short": {replyBegin + statusOK, nil, "transport error in query: "},
		"no thrift": {"HTTP/1.1 400 Bad Request\r\n\r\n", nil, "transport error in query: "},
		"too large": {replyBegin + "\x0b\x00\x02\x7f\xff\xff\xff", nil, "transport error in query: "},
		"closed":    {"", nil, "transport error in query: "},
		"exception": {"\x80\x01\x00\x03\x00\x00\x00\x05query\x00\x00\x00\x01\x0b\x00\x01\x00\x00\x00\x04boom\x00", nil, "transport error in query: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, call := serveRaw(t, len(queryCall), tc.answer)
			c, err := osquery.NewClient(path, long)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			rows, err := c.QueryRowsContext(within(t, long), "SELECT 1")
			if tc.err != "" {
				wantErr(t, err, tc.err)
			} else if err != nil || !reflect.DeepEqual(rows, tc.want) {
				t.Errorf("rows = %v, %v, want %v", rows, err, tc.want)
			}
			if got := <-call; got != queryCall {
				t.Errorf("sent %q, want %q", got, queryCall)
			}
		})
	}
}

// TestRegisterWire holds the field numbers of registering against bytes made
// by hand.
func TestRegisterWire(t *testing.T) {
	t.Parallel()
	buf := thrift.NewTMemoryBuffer()
	args := gen.ExtensionManagerRegisterExtensionArgs{
		Info:     &gen.InternalExtensionInfo{Name: "n", Version: "1"},
		Registry: gen.ExtensionRegistry{"table": {"t": {{"id": "column"}}}},
	}
	proto := thrift.NewTBinaryProtocolConf(buf, nil)
	if err := args.Write(context.Background(), proto); err != nil {
		t.Fatal(err)
	}
	want := "\x0c\x00\x01" +
		"\x0b\x00\x01\x00\x00\x00\x01n" + "\x0b\x00\x02\x00\x00\x00\x011" + "\x0b\x00\x03\x00\x00\x00\x00" + "\x0b\x00\x04\x00\x00\x00\x00" + "\x00" +
		"\x0d\x00\x02" + "\x0b\x0d\x00\x00\x00\x01" + "\x00\x00\x00\x05table" + "\x0b\x0f\x00\x00\x00\x01" + "\x00\x00\x00\x01t" +
		"\x0d\x00\x00\x00\x01" + "\x0b\x0b\x00\x00\x00\x01" + "\x00\x00\x00\x02id" + "\x00\x00\x00\x06column" +
		"\x00"
	if got := buf.Bytes(); !bytes.Equal(got, []byte(want)) {
		t.Errorf("wrote %q\nwant  %q", got, want)
	}
	var back gen.ExtensionManagerRegisterExtensionArgs
	if err := back.Read(context.Background(), proto); err != nil || !reflect.DeepEqual(back, args) {
		t.Errorf("read back %+v, %v", back, err)
	}
}
