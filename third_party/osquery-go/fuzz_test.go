package osquery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"

	gen "github.com/osquery/osquery-go/gen/osquery"
)

// small keeps what a message may claim of its sizes within what a test may
// take: thrift makes room for a claimed size before it reads.
func small() *thrift.TConfiguration {
	const most = 1 << 12
	return &thrift.TConfiguration{MaxMessageSize: most, MaxFrameSize: most}
}

// over gives a protocol that reads from text and writes into a buffer.
func over(text []byte) (in, out thrift.TProtocol, written *thrift.TMemoryBuffer) {
	source := thrift.NewTMemoryBuffer()
	source.Write(text)
	written = thrift.NewTMemoryBuffer()
	return thrift.NewTBinaryProtocolConf(source, small()), thrift.NewTBinaryProtocolConf(written, small()), written
}

// fixture gives osqueryd's whole answer to a query with the rows of a file of
// testdata, as bytes on the wire.
func fixture(f *testing.F, name string) []byte {
	f.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		f.Fatal(err)
	}
	var rows []map[string]string
	if err := json.Unmarshal(text, &rows); err != nil || len(rows) == 0 {
		f.Fatal(rows, err)
	}
	_, out, written := over(nil)
	message := gen.ExtensionManagerQueryResult{Success: &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Message: "OK"}}}
	for _, r := range rows {
		message.Success.Response = append(message.Success.Response, r)
	}
	background := context.Background()
	if err := errors.Join(out.WriteMessageBegin(background, "query", thrift.REPLY, 1), message.Write(background, out), out.WriteMessageEnd(background)); err != nil {
		f.Fatal(err)
	}
	return written.Bytes()
}

// FuzzAnswer reads bytes as osqueryd's answer to each call that a client makes.
// Whatever comes, nothing breaks, and what was understood is written and read
// as the same.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		replyBegin + statusOK + oneRow + replyEnd, replyBegin + oneRow + replyEnd, replyBegin + statusOK, "HTTP/1.1 400 Bad Request\r\n\r\n", "",
		replyBegin + "\x0b\x00\x02\x7f\xff\xff\xff", replyBegin + statusOK + "\x0f\x00\x02\x0d\x00\x00\x0f\xff",
		"\x80\x01\x00\x03\x00\x00\x00\x05query\x00\x00\x00\x01\x0b\x00\x01\x00\x00\x00\x04boom\x00",
		"\x80\x01\x00\x02\x00\x00\x00\x04ping\x00\x00\x00\x01\x0c\x00\x00" + statusOK[3:] + "\x00",
		"\x80\x01\x00\x02\x00\x00\x00\x07options\x00\x00\x00\x01\x0d\x00\x00\x0b\x0c\x00\x00\x00\x01\x00\x00\x00\x01x\x0b\x00\x01\x00\x00\x00\x01y\x00\x00",
	} {
		f.Add([]byte(s))
	}
	f.Add(fixture(f, "rows_hit.json"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ctx := context.Background()
		client := func() *gen.ExtensionManagerClient {
			in, out, _ := over(text)
			return gen.NewExtensionManagerClientProtocol(nil, in, out)
		}
		_, _ = client().Ping(ctx)
		_, _ = client().Options(ctx)
		_, _ = client().Extensions(ctx)
		res, err := client().Query(ctx, "SELECT 1")
		if err != nil || res.Status == nil || res.Response == nil { // left out, they are written as empty
			return
		}
		_, out, written := over(nil)
		if err := res.Write(ctx, out); err != nil {
			t.Fatal(err)
		}
		again, _, _ := over(written.Bytes())
		var back gen.ExtensionResponse
		if err := back.Read(ctx, again); err != nil || !reflect.DeepEqual(&back, res) {
			t.Errorf("%+v is read back as %+v, %v", res, &back, err)
		}
	})
}

// FuzzCall reads bytes as a call of osqueryd. Whatever comes, nothing breaks,
// and nothing but a message of thrift is answered.
func FuzzCall(f *testing.F) {
	for _, s := range []string{
		queryCall, "\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x01\x00", "\x80\x01\x00\x01\x00\x00\x00\x04none\x00\x00\x00\x01\x00", "GET / HTTP/1.1\r\n\r\n", "",
		"\x80\x01\x00\x01\x00\x00\x00\x11registerExtension\x00\x00\x00\x01\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x01n\x00\x0d\x00\x02\x0b\x0d\x00\x00\x00\x00\x00",
		"\x80\x01\x00\x01\x00\x00\x00\x04call\x00\x00\x00\x01\x0b\x00\x01\x00\x00\x00\x05table\x0b\x00\x02\x00\x00\x00\x01x\x0d\x00\x03\x0b\x0b\x00\x00\x00\x00\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in, out, written := over(text)
		daemon := gen.NewExtensionManagerProcessor(&osqueryd{query: func(context.Context, string) (*gen.ExtensionResponse, error) {
			return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{}}, nil
		}})
		_, _ = daemon.Process(context.Background(), in, out)
		if b := written.Bytes(); len(b) > 0 && !bytes.HasPrefix(b, []byte("\x80\x01")) {
			t.Errorf("answered %q", b)
		}
	})
}
