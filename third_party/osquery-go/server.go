package osquery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/transport"
)

const (
	defaultTimeout      = time.Second
	defaultPingInterval = 5 * time.Second

	// MaxSocketPathCharacters is how long osqueryd's socket path may be: the
	// system allows little more, and the extension's own path is longer by a
	// dot and its uuid.
	MaxSocketPathCharacters = 97
)

// registryNames are the registries that an extension announces, even empty.
func registryNames() []string { return []string{"table", "logger", "config", "distributed"} }

// ExtensionManagerServer is an extension: it registers its plugins with
// osqueryd and answers the calls for them.
type ExtensionManagerServer struct {
	name         string
	version      string
	sockPath     string
	timeout      time.Duration
	pingInterval time.Duration
	registry     map[string]map[string]OsqueryPlugin

	mu         sync.Mutex
	client     ExtensionManager // nil after Shutdown of an owned one
	ownsClient bool
	down       bool // Shutdown was called since the last start
	uuid       gen.ExtensionRouteUUID
	server     *thrift.TSimpleServer // nil unless serving
}

// ServerOption changes a server while it is made.
type ServerOption func(*ExtensionManagerServer)

// ExtensionVersion is the version told to osqueryd.
func ExtensionVersion(version string) ServerOption {
	return func(s *ExtensionManagerServer) { s.version = version }
}

// ServerTimeout bounds the connection to osqueryd as NewClient's
// socketOpenTimeout does. It is one second unless set.
func ServerTimeout(timeout time.Duration) ServerOption {
	return func(s *ExtensionManagerServer) { s.timeout = timeout }
}

// ServerPingInterval is how often Run asks whether osqueryd is still there. It
// is five seconds unless set.
func ServerPingInterval(interval time.Duration) ServerOption {
	return func(s *ExtensionManagerServer) { s.pingInterval = interval }
}

// WithClient gives the server a connection to osqueryd, which it does not
// close. Otherwise it opens its own.
func WithClient(client ExtensionManager) ServerOption {
	return func(s *ExtensionManagerServer) { s.client = client }
}

// NewExtensionManagerServer makes an extension for the osqueryd whose socket is
// at sockPath. Add plugins with RegisterPlugin, then call Run.
func NewExtensionManagerServer(name string, sockPath string, opts ...ServerOption) (*ExtensionManagerServer, error) {
	if len(sockPath) > MaxSocketPathCharacters {
		return nil, fmt.Errorf("socket path %s (%d characters) exceeded the maximum socket path character length of %d",
			sockPath, len(sockPath), MaxSocketPathCharacters)
	}
	s := &ExtensionManagerServer{
		name:         name,
		sockPath:     sockPath,
		timeout:      defaultTimeout,
		pingInterval: defaultPingInterval,
		registry:     make(map[string]map[string]OsqueryPlugin),
	}
	for _, reg := range registryNames() {
		s.registry[reg] = make(map[string]OsqueryPlugin)
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.client == nil {
		client, err := NewClient(sockPath, s.timeout)
		if err != nil {
			return nil, err
		}
		s.client, s.ownsClient = client, true
	}
	return s, nil
}

// RegisterPlugin adds plugins; of two with one name the later one wins. Call it
// before Start or Run. It panics on a registry that osquery does not have.
func (s *ExtensionManagerServer) RegisterPlugin(plugins ...OsqueryPlugin) {
	for _, p := range plugins {
		if !slices.Contains(registryNames(), p.RegistryName()) {
			panic("invalid registry name: " + p.RegistryName())
		}
		s.registry[p.RegistryName()][p.Name()] = p
	}
}

// Start registers the extension and serves it until Shutdown.
func (s *ExtensionManagerServer) Start() error {
	server, err := s.listen()
	if err != nil {
		return err
	}
	return server.AcceptLoop()
}

// listen registers the extension and opens its socket. The socket listens
// before the lock is given back, so that a Shutdown at any moment finds it.
func (s *ExtensionManagerServer) listen() (*thrift.TSimpleServer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		return nil, errors.New("cannot start, shutdown in progress")
	}
	stat, err := s.client.RegisterExtension(&gen.InternalExtensionInfo{Name: s.name, Version: s.version}, s.routes())
	if err != nil {
		return nil, fmt.Errorf("registering extension: %w", err)
	}
	if stat.Code != 0 {
		return nil, fmt.Errorf("status %d registering extension: %s", stat.Code, stat.Message)
	}
	s.uuid, s.down = stat.UUID, false

	path := fmt.Sprintf("%s.%d", s.sockPath, s.uuid)
	socket, err := transport.OpenServer(path, s.timeout)
	if err == nil {
		err = socket.Listen()
	}
	if err != nil {
		err = fmt.Errorf("opening server socket (%s): %w", path, err)
		if _, derr := s.client.DeregisterExtension(s.uuid); derr != nil {
			return nil, fmt.Errorf("deregistering extension - follows %w: %w", err, derr)
		}
		return nil, err
	}

	server := thrift.NewTSimpleServer4(gen.NewExtensionProcessor(s), socket,
		thrift.NewTTransportFactory(), thrift.NewTBinaryProtocolFactoryConf(nil))
	server.SetLogContext(context.Background())
	s.server = server
	return server, nil
}

// routes describes all plugins to osqueryd.
func (s *ExtensionManagerServer) routes() gen.ExtensionRegistry {
	all := make(gen.ExtensionRegistry, len(s.registry))
	for reg, plugins := range s.registry {
		all[reg] = make(gen.ExtensionRouteTable, len(plugins))
		for name, p := range plugins {
			all[reg][name] = p.Routes()
		}
	}
	return all
}

// Run is Start while osqueryd answers pings. It ends with Shutdown, or with the
// first error, after which the server is shut down.
func (s *ExtensionManagerServer) Run() error {
	stop := make(chan struct{})
	defer close(stop)
	ended := make(chan error, 2)
	go func() { ended <- s.Start() }()
	go func() {
		if err := s.pingUntil(stop); err != nil {
			ended <- err
		}
	}()

	err := <-ended
	_ = s.Shutdown(context.Background()) // the first error is the one to tell
	return err
}

// pingUntil asks for osqueryd at every interval until it fails or stop closes.
func (s *ExtensionManagerServer) pingUntil(stop <-chan struct{}) error {
	ticker := time.NewTicker(s.pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return nil
		case <-ticker.C:
		}
		client, _ := s.peer()
		if client == nil {
			return nil
		}
		status, err := client.Ping()
		if _, down := s.peer(); down {
			return nil // the ping met the end of the connection
		}
		if err != nil {
			return fmt.Errorf("extension ping failed: %w", err)
		}
		if status.Code != 0 {
			return fmt.Errorf("ping returned status %d", status.Code)
		}
	}
}

// peer gives the connection to osqueryd and whether the server was shut down.
func (s *ExtensionManagerServer) peer() (client ExtensionManager, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client, s.down
}

// Ping answers osqueryd's question whether the extension is well.
func (s *ExtensionManagerServer) Ping(context.Context) (*gen.ExtensionStatus, error) {
	return &gen.ExtensionStatus{Code: 0, Message: "OK"}, nil
}

// Call hands osqueryd's request to the plugin that it names.
func (s *ExtensionManagerServer) Call(ctx context.Context, registry string, item string, request gen.ExtensionPluginRequest) (*gen.ExtensionResponse, error) {
	plugins, ok := s.registry[registry]
	if !ok {
		return refuse("Unknown registry: " + registry), nil
	}
	plugin, ok := plugins[item]
	if !ok {
		return refuse("Unknown registry item: " + item), nil
	}
	res := plugin.Call(ctx, request)
	return &res, nil
}

// refuse is the answer to a call that can't be done.
func refuse(message string) *gen.ExtensionResponse {
	return &gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 1, Message: message}}
}

// Shutdown takes the extension back from osqueryd, stops serving and closes the
// server's own connection. It may be called again. osqueryd calls it too. The
// error is osqueryd's refusal; everything is freed all the same.
func (s *ExtensionManagerServer) Shutdown(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true

	var err error
	if s.client != nil {
		err = s.deregister()
	}
	if server := s.server; server != nil {
		s.server = nil
		// Not here: Stop waits for the running calls, and this may be one.
		go func() { _ = server.Stop() }()
	}
	if s.ownsClient && s.client != nil {
		s.client.Close()
		s.client = nil
	}
	return err
}

// deregister takes the extension back from osqueryd.
func (s *ExtensionManagerServer) deregister() error {
	stat, err := s.client.DeregisterExtension(s.uuid)
	if err != nil {
		return fmt.Errorf("deregistering extension: %w", err)
	}
	if stat.Code != 0 {
		return fmt.Errorf("status %d deregistering extension: %s", stat.Code, stat.Message)
	}
	return nil
}
