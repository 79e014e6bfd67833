package socket_test

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/socket"
)

// The bytes of osqueryd's answers in thrift's binary protocol: version and type, name, sequence number, fields, stop.
const (
	pong       = "\x80\x01\x00\x02\x00\x00\x00\x04ping\x00\x00\x00\x01" + "\x0c\x00\x00" + status + "\x00\x00"
	status     = "\x08\x00\x01\x00\x00\x00\x00\x0b\x00\x02\x00\x00\x00\x02OK\x0a\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00"
	queryReply = "\x80\x01\x00\x02\x00\x00\x00\x05query\x00\x00\x00\x02" + "\x0c\x00\x00"
	oneRow     = "\x0f\x00\x02\x0d\x00\x00\x00\x01\x0b\x0b\x00\x00\x00\x01\x00\x00\x00\x011\x00\x00\x00\x011"
)

// scripted is a daemon that answers a ping, and any other call with the bytes of the moment.
type scripted struct {
	mu     sync.Mutex
	answer []byte
}

func (s *scripted) serve(l net.Listener, done *sync.WaitGroup) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		done.Go(func() {
			defer conn.Close() // all has been said
			for _, turn := range []struct {
				call   int // bytes
				answer []byte
			}{{17, []byte(pong)}, {33, s.now()}} {
				if _, err := io.ReadFull(conn, make([]byte, turn.call)); err != nil {
					return
				}
				if _, err := conn.Write(turn.answer); err != nil {
					return
				}
			}
		})
	}
}

func (s *scripted) now() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer
}

func (s *scripted) set(answer []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// FuzzWire answers a query with any bytes over a socket. The call ends in time, with rows or with an error, and leaves
// nothing behind. It is slow: osquery-go waits before it looks at a socket. The bytes alone are tried faster beside
// osquery-go itself.
func FuzzWire(f *testing.F) {
	for _, s := range []string{
		queryReply + "\x0c\x00\x01" + status + "\x00" + oneRow + "\x00\x00", queryReply + oneRow + "\x00\x00", queryReply + "\x0c\x00\x01" + status, "", "HTTP/1.1 400 Bad Request\r\n\r\n",
		queryReply + "\x0b\x00\x02\x7f\xff\xff\xff", pong,
	} {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		f.Skip("a path that is too long for a socket here: ", err)
	}
	s := &scripted{}
	var done sync.WaitGroup
	done.Go(func() { s.serve(l, &done) })
	f.Cleanup(func() {
		_ = l.Close() // the daemon ends
		done.Wait()
	})
	f.Fuzz(func(t *testing.T, answer []byte) {
		const most = 1 << 12
		s.set(answer[:min(len(answer), most)])
		c, err := socket.Dial(t.Context(), path, socket.Options{QueryTimeout: 5 * time.Second, SocketTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := c.Query(t.Context(), "SELECT 1")
		if (err == nil) != (rows != nil) {
			t.Errorf("%v with %v", rows, err)
		}
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	})
}
