//go:build !windows

package transport

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
)

// lookEvery is the pause between two looks for a socket that is not there yet.
const lookEvery = 200 * time.Millisecond

// Open connects to the unix socket at sockPath. It waits up to timeout for the
// socket to appear, looking every 200 ms, first after 200 ms. The timeout also
// bounds each later read and write.
func Open(sockPath string, timeout time.Duration) (*thrift.TSocket, error) {
	addr, err := net.ResolveUnixAddr("unix", sockPath)
	if err != nil {
		return nil, fmt.Errorf("resolving socket path '%s': %w", sockPath, err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := waitFor(ctx, sockPath); err != nil {
		return nil, fmt.Errorf("waiting for unix socket to be available: %s: %w", sockPath, err)
	}

	socket := thrift.NewTSocketFromAddrConf(addr, &thrift.TConfiguration{ConnectTimeout: timeout, SocketTimeout: timeout})
	if err := socket.Open(); err != nil {
		return nil, fmt.Errorf("opening socket transport: %w", err)
	}
	return socket, nil
}

// OpenServer gives a server socket for listenPath that does not listen yet. A
// connection may stay silent for as long as it likes: the timeout is not used.
func OpenServer(listenPath string, _ time.Duration) (*thrift.TServerSocket, error) {
	addr, err := net.ResolveUnixAddr("unix", listenPath)
	if err != nil {
		return nil, fmt.Errorf("resolving addr (%s): %w", listenPath, err)
	}
	return thrift.NewTServerSocketFromAddrTimeout(addr, 0), nil
}

// waitFor returns when there is a file at path, or with the context's error.
func waitFor(ctx context.Context, path string) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			if _, err := os.Stat(path); err == nil {
				return nil
			}
		}
	}
}
