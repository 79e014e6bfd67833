package transport

import (
	"errors"
	"fmt"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
)

// errNoPipes is why nothing can be opened: reads on a named pipe need
// deadlines, which the real module gets from a library of its own.
var errNoPipes = errors.New("named pipes are not part of this stand-in; build with the real github.com/osquery/osquery-go")

// Open always fails on Windows.
func Open(pipePath string, _ time.Duration) (*thrift.TSocket, error) {
	return nil, fmt.Errorf("dialing pipe '%s': %w", pipePath, errNoPipes)
}

// TServerPipe would be a listening pipe. There is none.
type TServerPipe struct{ thrift.TServerTransport }

// OpenServer always fails on Windows.
func OpenServer(pipePath string, _ time.Duration) (*TServerPipe, error) {
	return nil, fmt.Errorf("listening on pipe '%s': %w", pipePath, errNoPipes)
}
