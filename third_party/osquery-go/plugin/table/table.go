// Package table makes an osquery table out of a Go function.
package table

import (
	"context"

	gen "github.com/osquery/osquery-go/gen/osquery"
)

const registryName = "table"

// GenerateFunc gives a table's rows. It may use the constraints to do less;
// osquery filters the rows again. An error makes the whole query fail.
type GenerateFunc func(ctx context.Context, queryContext QueryContext) ([]map[string]string, error)

// Plugin is a table for an osquery.ExtensionManagerServer.
type Plugin struct {
	name     string
	columns  []ColumnDefinition
	generate GenerateFunc
}

// TableOpt changes a table while it is made.
type TableOpt func(*Plugin) //nolint:revive // the real module's name

// NewPlugin makes a table of a name, its columns and what gives its rows.
func NewPlugin(name string, columns []ColumnDefinition, gen GenerateFunc, opts ...TableOpt) *Plugin {
	t := &Plugin{name: name, columns: columns, generate: gen}
	for _, opt := range opts {
		opt(t)
	}
	return t
}

// Name is the table's name.
func (t *Plugin) Name() string { return t.name }

// RegistryName is "table".
func (t *Plugin) RegistryName() string { return registryName }

// Routes describes the columns to osqueryd, in their order.
func (t *Plugin) Routes() gen.ExtensionPluginResponse {
	routes := make(gen.ExtensionPluginResponse, 0, len(t.columns))
	for _, c := range t.columns {
		routes = append(routes, c.route())
	}
	return routes
}

// Call does what the request's action says: generate rows or list the columns.
func (t *Plugin) Call(ctx context.Context, request gen.ExtensionPluginRequest) gen.ExtensionResponse {
	switch action := request["action"]; action {
	case "generate":
		return t.rows(ctx, request["context"])
	case "columns":
		return succeed(t.Routes())
	default:
		return fail("unknown action: " + action)
	}
}

// rows gives the rows for the constraints that osqueryd wrote as JSON.
func (t *Plugin) rows(ctx context.Context, constraints string) gen.ExtensionResponse {
	queryContext, err := parseContext(constraints)
	if err != nil {
		return fail("error parsing context JSON: " + err.Error())
	}
	rows, err := t.generate(ctx, queryContext)
	if err != nil {
		return fail("error generating table: " + err.Error())
	}
	return succeed(rows)
}

// Ping says that the table is well.
func (t *Plugin) Ping() gen.ExtensionStatus {
	return gen.ExtensionStatus{Code: 0, Message: "OK"}
}

// Shutdown does nothing.
func (t *Plugin) Shutdown() {}

func succeed(rows gen.ExtensionPluginResponse) gen.ExtensionResponse {
	return gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 0, Message: "OK"}, Response: rows}
}

func fail(message string) gen.ExtensionResponse {
	return gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 1, Message: message}}
}
