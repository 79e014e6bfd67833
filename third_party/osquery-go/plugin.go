package osquery

import (
	"context"

	gen "github.com/osquery/osquery-go/gen/osquery"
)

// OsqueryPlugin is one thing that an extension offers, such as a table.
type OsqueryPlugin interface { //nolint:revive // the real module's name
	// Name is the plugin's name in its registry: for a table, the table's.
	Name() string
	// RegistryName is one of table, logger, config and distributed.
	RegistryName() string
	// Routes describes the plugin to osqueryd: for a table, its columns.
	Routes() gen.ExtensionPluginResponse
	// Ping says whether the plugin is well.
	Ping() gen.ExtensionStatus
	// Call does what the request's action says.
	Call(context.Context, gen.ExtensionPluginRequest) gen.ExtensionResponse
	// Shutdown tells the plugin that the extension ends.
	Shutdown()
}

// ExtensionManager is what an extension server asks of osqueryd.
// ExtensionManagerClient is one.
type ExtensionManager interface {
	Close()
	Ping() (*gen.ExtensionStatus, error)
	Call(registry, item string, req gen.ExtensionPluginRequest) (*gen.ExtensionResponse, error)
	Extensions() (gen.InternalExtensionList, error)
	RegisterExtension(info *gen.InternalExtensionInfo, registry gen.ExtensionRegistry) (*gen.ExtensionStatus, error)
	DeregisterExtension(uuid gen.ExtensionRouteUUID) (*gen.ExtensionStatus, error)
	Options() (gen.InternalOptionList, error)
	Query(sql string) (*gen.ExtensionResponse, error)
	GetQueryColumns(sql string) (*gen.ExtensionResponse, error)
}

var (
	_ ExtensionManager = (*ExtensionManagerClient)(nil)
	_ gen.Extension    = (*ExtensionManagerServer)(nil)
)
