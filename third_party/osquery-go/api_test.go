//go:build !windows

// Compile-time list of the part of github.com/osquery/osquery-go that hunter may use.
// Compiled against the real module at eb39ad3 (2026-06-30) with apache/thrift v0.25.0: it holds.
// Use it as an external test of the stand-in (third_party/osquery-go), so that both stay the same.
package osquery_test

import (
	"context"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	osquery "github.com/osquery/osquery-go"
	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/plugin/table"
	"github.com/osquery/osquery-go/transport"
)

type (
	client = *osquery.ExtensionManagerClient
	server = *osquery.ExtensionManagerServer
)

var (
	_ func(string, time.Duration, ...osquery.ClientOption) (client, error) = osquery.NewClient
	_ func(time.Duration) osquery.ClientOption                             = osquery.DefaultWaitTime
	_ func(time.Duration) osquery.ClientOption                             = osquery.MaxWaitTime

	_ func(client)                                                                        = client.Close
	_ func(client) (*gen.ExtensionStatus, error)                                          = client.Ping
	_ func(client, context.Context) (*gen.ExtensionStatus, error)                         = client.PingContext
	_ func(client, string) (*gen.ExtensionResponse, error)                                = client.Query
	_ func(client, context.Context, string) (*gen.ExtensionResponse, error)               = client.QueryContext
	_ func(client, string) ([]map[string]string, error)                                   = client.QueryRows
	_ func(client, context.Context, string) ([]map[string]string, error)                  = client.QueryRowsContext
	_ func(client, string) (map[string]string, error)                                     = client.QueryRow
	_ func(client, context.Context, string) (map[string]string, error)                    = client.QueryRowContext
	_ func(client, string) (*gen.ExtensionResponse, error)                                = client.GetQueryColumns
	_ func(client, context.Context, string) (*gen.ExtensionResponse, error)               = client.GetQueryColumnsContext
	_ func(client) (gen.InternalOptionList, error)                                        = client.Options
	_ func(client, context.Context) (gen.InternalOptionList, error)                       = client.OptionsContext
	_ func(client) (gen.InternalExtensionList, error)                                     = client.Extensions
	_ func(client, context.Context) (gen.InternalExtensionList, error)                    = client.ExtensionsContext
	_ func(client, context.Context, gen.ExtensionRouteUUID) (*gen.ExtensionStatus, error) = client.DeregisterExtensionContext

	_ func(client, context.Context, *gen.InternalExtensionInfo, gen.ExtensionRegistry) (*gen.ExtensionStatus, error) = client.RegisterExtensionContext
	_ func(client, context.Context, string, string, gen.ExtensionPluginRequest) (*gen.ExtensionResponse, error)      = client.CallContext
	_ func(string, string, ...osquery.ServerOption) (server, error)                                                  = osquery.NewExtensionManagerServer

	_ func(string) osquery.ServerOption                   = osquery.ExtensionVersion
	_ func(time.Duration) osquery.ServerOption            = osquery.ServerTimeout
	_ func(time.Duration) osquery.ServerOption            = osquery.ServerPingInterval
	_ func(osquery.ExtensionManager) osquery.ServerOption = osquery.WithClient
	_ func(server, ...osquery.OsqueryPlugin)              = server.RegisterPlugin
	_ func(server) error                                  = server.Start
	_ func(server) error                                  = server.Run
	_ func(server, context.Context) error                 = server.Shutdown
	_ osquery.ExtensionManager                            = client(nil)
	_ gen.Extension                                       = server(nil)
	_ osquery.OsqueryPlugin                               = (*table.Plugin)(nil)

	_ func(string, []table.ColumnDefinition, table.GenerateFunc, ...table.TableOpt) *table.Plugin = table.NewPlugin
	_ func(string, ...table.ColumnOpt) table.ColumnDefinition                                     = table.TextColumn
	_ func(string, ...table.ColumnOpt) table.ColumnDefinition                                     = table.IntegerColumn
	_ func(string, ...table.ColumnOpt) table.ColumnDefinition                                     = table.BigIntColumn
	_ func(string, ...table.ColumnOpt) table.ColumnDefinition                                     = table.DoubleColumn
	_ func(string, table.ColumnType, ...table.ColumnOpt) table.ColumnDefinition                   = table.NewColumn
	_ func(*table.ColumnDefinition) uint8                                                         = (*table.ColumnDefinition).Options
	_ table.Operator                                                                              = table.OperatorEquals
	_ int                                                                                         = table.OperatorLike

	_ func(thrift.TTransport, thrift.TProtocolFactory) *gen.ExtensionManagerClient = gen.NewExtensionManagerClientFactory
	_ func(gen.ExtensionManager) *gen.ExtensionManagerProcessor                    = gen.NewExtensionManagerProcessor
	_ func(gen.Extension) *gen.ExtensionProcessor                                  = gen.NewExtensionProcessor
)

// Not on Windows: there OpenServer returns *transport.TServerPipe.
var (
	_ func(string, time.Duration) (*thrift.TSocket, error)       = transport.Open
	_ func(string, time.Duration) (*thrift.TServerSocket, error) = transport.OpenServer
)
