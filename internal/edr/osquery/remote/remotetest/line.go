package remotetest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// attemptTime is all the time that one request may take, from the connection to the last byte of the reply.
const attemptTime = 16 * time.Second

// Line is an agent's connection to its server: one, kept, and used by the goroutine that calls Post.
type Line struct {
	Address string      // host:port
	TLS     *tls.Config // nil: no TLS
	conn    net.Conn
	reader  *bufio.Reader
}

// Post sends one request and gives the body of the reply, whatever its status. A request that fails for any reason but its
// time is sent once more, on a new connection, and at once.
func (l *Line) Post(ctx context.Context, path string, header http.Header, body []byte) ([]byte, error) {
	out, err := l.once(ctx, path, header, body)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
		out, err = l.once(ctx, path, header, body)
	}
	return out, err
}

func (l *Line) once(ctx context.Context, path string, header http.Header, body []byte) (out []byte, err error) {
	deadline := time.Now().Add(attemptTime)
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	if l.conn == nil {
		if err := l.dial(ctx, deadline); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, l.interrupt(l.conn))
	defer stop()
	if err := l.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+l.Address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if err := req.Write(l.conn); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	resp, err := http.ReadResponse(l.reader, req)
	if err != nil {
		return nil, fmt.Errorf("read the reply: %w", err)
	}
	defer resp.Body.Close()
	if out, err = io.ReadAll(io.LimitReader(resp.Body, 8<<20)); err != nil {
		return nil, fmt.Errorf("read the reply: %w", err)
	}
	if resp.Close {
		l.Close()
	}
	return out, nil
}

func (l *Line) dial(ctx context.Context, deadline time.Time) error {
	d := net.Dialer{Deadline: deadline}
	conn, err := d.DialContext(ctx, "tcp", l.Address)
	if err != nil {
		return err
	}
	if l.TLS != nil {
		secured := tls.Client(conn, l.TLS)
		if err := errors.Join(conn.SetDeadline(deadline), secured.HandshakeContext(ctx)); err != nil {
			_ = conn.Close()
			return err
		}
		conn = secured
	}
	l.conn, l.reader = conn, bufio.NewReaderSize(conn, 1024)
	return nil
}

// interrupt ends what a connection waits for.
func (l *Line) interrupt(conn net.Conn) func() {
	return func() { _ = conn.SetDeadline(time.Unix(1, 0)) }
}

// Close closes the connection; the next Post makes a new one.
func (l *Line) Close() {
	if l.conn != nil {
		_ = l.conn.Close()
	}
	l.conn, l.reader = nil, nil
}
