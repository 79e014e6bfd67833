package osquery

import (
	"context"
	"errors"
	"fmt"

	gen "github.com/osquery/osquery-go/gen/osquery"
)

// Query is QueryContext without a deadline.
func (c *ExtensionManagerClient) Query(sql string) (*gen.ExtensionResponse, error) {
	return c.QueryContext(context.Background(), sql)
}

// QueryContext runs sql. The error tells of the connection alone: a query that
// osquery refuses is told by the code and message of the answer's status.
func (c *ExtensionManagerClient) QueryContext(ctx context.Context, sql string) (*gen.ExtensionResponse, error) {
	return locked(ctx, c, func() (*gen.ExtensionResponse, error) { return c.calls.Query(ctx, sql) })
}

// QueryRows is QueryRowsContext without a deadline.
func (c *ExtensionManagerClient) QueryRows(sql string) ([]map[string]string, error) {
	return c.QueryRowsContext(context.Background(), sql)
}

// QueryRowsContext runs sql and gives its rows; a failure of the connection
// and one of the query are both errors.
func (c *ExtensionManagerClient) QueryRowsContext(ctx context.Context, sql string) ([]map[string]string, error) {
	res, err := c.QueryContext(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("transport error in query: %w", err)
	}
	if res.Status == nil {
		return nil, errors.New("query returned nil status")
	}
	if res.Status.Code != 0 {
		return nil, fmt.Errorf("query returned error: %s", res.Status.Message)
	}
	return res.Response, nil
}

// QueryRow is QueryRowContext without a deadline.
func (c *ExtensionManagerClient) QueryRow(sql string) (map[string]string, error) {
	return c.QueryRowContext(context.Background(), sql)
}

// QueryRowContext runs sql, which must give exactly one row.
func (c *ExtensionManagerClient) QueryRowContext(ctx context.Context, sql string) (map[string]string, error) {
	rows, err := c.QueryRowsContext(ctx, sql)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("expected 1 row, got %d", len(rows))
	}
	return rows[0], nil
}

// GetQueryColumns is GetQueryColumnsContext without a deadline.
func (c *ExtensionManagerClient) GetQueryColumns(sql string) (*gen.ExtensionResponse, error) {
	return c.GetQueryColumnsContext(context.Background(), sql)
}

// GetQueryColumnsContext asks for the columns of sql without running it: one
// map of name to type for each, in the order of the select list.
func (c *ExtensionManagerClient) GetQueryColumnsContext(ctx context.Context, sql string) (*gen.ExtensionResponse, error) {
	return locked(ctx, c, func() (*gen.ExtensionResponse, error) { return c.calls.GetQueryColumns(ctx, sql) })
}
