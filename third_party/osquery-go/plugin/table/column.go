package table

import (
	"encoding/json"
	"strconv"
	"strings"
)

// ColumnType is a column's type in the words of osquery.
type ColumnType string

// The types of columns.
const (
	ColumnTypeUnknown        ColumnType = "UNKNOWN"
	ColumnTypeText           ColumnType = "TEXT"
	ColumnTypeInteger        ColumnType = "INTEGER"
	ColumnTypeBigInt         ColumnType = "BIGINT"
	ColumnTypeUnsignedBigInt ColumnType = "UNSIGNED BIGINT"
	ColumnTypeDouble         ColumnType = "DOUBLE"
	ColumnTypeBlob           ColumnType = "BLOB"
)

// MarshalJSON writes the type in the form of osquery's table specifications:
// lower case, with underscores for spaces.
func (c ColumnType) MarshalJSON() ([]byte, error) {
	return json.Marshal(strings.ReplaceAll(strings.ToLower(string(c)), " ", "_"))
}

// ColumnDefinition is one column of a table.
type ColumnDefinition struct {
	Name        string     `json:"name"`
	Type        ColumnType `json:"type"`
	Description string     `json:"description,omitempty"`
	Notes       string     `json:"notes,omitempty"`

	// What osquery is to know of the column when it plans a query.
	Index      bool `json:"index"`      // a constraint on it narrows the rows
	Required   bool `json:"required"`   // a query must constrain it
	Additional bool `json:"additional"` // a constraint on it changes the rows
	Optimized  bool `json:"optimized"`  // takes all values of an IN at once
	Hidden     bool `json:"hidden"`     // not part of SELECT *
}

// ColumnOpt changes a column while it is made.
type ColumnOpt func(*ColumnDefinition)

// NewColumn makes a column of any type.
func NewColumn(name string, ctype ColumnType, opts ...ColumnOpt) ColumnDefinition {
	c := ColumnDefinition{Name: name, Type: ctype}
	for _, opt := range opts {
		opt(&c)
	}
	return c
}

// TextColumn makes a column of text.
func TextColumn(name string, opts ...ColumnOpt) ColumnDefinition {
	return NewColumn(name, ColumnTypeText, opts...)
}

// IntegerColumn makes a column of integers of 32 bits.
func IntegerColumn(name string, opts ...ColumnOpt) ColumnDefinition {
	return NewColumn(name, ColumnTypeInteger, opts...)
}

// BigIntColumn makes a column of integers of 64 bits.
func BigIntColumn(name string, opts ...ColumnOpt) ColumnDefinition {
	return NewColumn(name, ColumnTypeBigInt, opts...)
}

// DoubleColumn makes a column of floating point numbers.
func DoubleColumn(name string, opts ...ColumnOpt) ColumnDefinition {
	return NewColumn(name, ColumnTypeDouble, opts...)
}

// IndexColumn marks a column as an index.
func IndexColumn() ColumnOpt { return func(c *ColumnDefinition) { c.Index = true } }

// RequiredColumn marks a column that a query must constrain.
func RequiredColumn() ColumnOpt { return func(c *ColumnDefinition) { c.Required = true } }

// AdditionalColumn marks a column whose constraint changes the rows.
func AdditionalColumn() ColumnOpt { return func(c *ColumnDefinition) { c.Additional = true } }

// OptimizedColumn marks a column that takes all values of an IN at once.
func OptimizedColumn() ColumnOpt { return func(c *ColumnDefinition) { c.Optimized = true } }

// HiddenColumn leaves a column out of SELECT *.
func HiddenColumn() ColumnOpt { return func(c *ColumnDefinition) { c.Hidden = true } }

// ColumnDescription says what a column holds.
func ColumnDescription(text string) ColumnOpt {
	return func(c *ColumnDefinition) { c.Description = text }
}

// Options is the column's marks as osquery's bit mask.
func (c *ColumnDefinition) Options() uint8 {
	var mask uint8
	for bit, set := range []bool{c.Index, c.Required, c.Additional, c.Optimized, c.Hidden} {
		if set {
			mask |= 1 << bit
		}
	}
	return mask
}

// route is the column as a row of the answer to "columns".
func (c *ColumnDefinition) route() map[string]string {
	return map[string]string{
		"id":   "column",
		"name": c.Name,
		"type": string(c.Type),
		"op":   strconv.Itoa(int(c.Options())),
	}
}
