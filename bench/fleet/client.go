package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// line is one agent's kept connection. It writes requests as they are, since a client that costs as much as the server
// would be what is measured. It is used by one goroutine at a time.
type line struct {
	address string
	conf    *tls.Config
	conn    *tls.Conn
	in      *bufio.Reader
	key     string
	poll    []byte // the whole request of an idle poll
}

// trust makes the TLS settings of agents from the server's CA file.
func trust(caFile string) (*tls.Config, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, ServerName: "localhost"}, nil
}

const (
	pathEnroll = "/api/osquery/enroll"
	pathRead   = "/api/osquery/distributed/read"
	pathWrite  = "/api/osquery/distributed/write"
)

// dial opens the connection anew.
func (l *line) dial(ctx context.Context) error {
	l.hangUp()
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: 30 * time.Second}, Config: l.conf}
	conn, err := d.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return err
	}
	l.conn = conn.(*tls.Conn) //nolint:errcheck,forcetypeassert // what a tls.Dialer gives is one
	l.in = bufio.NewReaderSize(conn, 2048)
	return nil
}

func (l *line) hangUp() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing is owed on it
		l.conn = nil
	}
}

// known makes the request of an idle poll for a node key.
func (l *line) known(key string) {
	l.key = key
	l.poll = request(pathRead, []byte(`{"node_key":"`+key+`"}`))
}

// request writes a POST as osqueryd does.
func request(path string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: osquery/5.23.0\r\nAccept: application/json\r\n"+
		"Content-Type: application/json\r\nContent-Length: %s\r\n\r\n", path, strconv.Itoa(len(body)))
	b.Write(body)
	return b.Bytes()
}

// roundTrip sends a request as it is and gives the body of the answer.
func (l *line) roundTrip(raw []byte) ([]byte, error) {
	if err := l.conn.SetDeadline(time.Now().Add(16 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := l.conn.Write(raw); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	return body, res.Body.Close()
}

// enroll gets a node key for a host.
func (l *line) enroll(secret, host string) error {
	body, err := json.Marshal(map[string]any{
		"enroll_secret": secret, "host_identifier": host, "platform_type": "9",
		"host_details": map[string]any{
			"os_version":   map[string]string{"name": "Debian GNU/Linux", "version": "12 (bookworm)", "platform": "debian", "arch": "x86_64"},
			"osquery_info": map[string]string{"version": "5.23.0", "instance_id": "instance-" + host, "uuid": host, "platform_mask": "9"},
			"system_info":  map[string]string{"hostname": host, "computer_name": host, "uuid": host, "cpu_logical_cores": "2", "physical_memory": "8589934592"},
		},
	})
	if err != nil {
		return err
	}
	answer, err := l.roundTrip(request(pathEnroll, body))
	if err != nil {
		return err
	}
	var got struct {
		NodeKey string `json:"node_key"`
		Error   string `json:"error"`
	}
	if err := json.Unmarshal(answer, &got); err != nil || got.NodeKey == "" {
		return fmt.Errorf("enroll %s: %s", host, answer)
	}
	l.known(got.NodeKey)
	return nil
}
