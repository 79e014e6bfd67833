package table

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// QueryContext is what a query asks of a table.
type QueryContext struct {
	// Constraints are the conditions of WHERE by column name. A column may be
	// there with an empty list.
	Constraints map[string]ConstraintList
}

// ConstraintList is the conditions on one column.
type ConstraintList struct {
	Affinity    ColumnType
	Constraints []Constraint
}

// Constraint is one condition; Expression is the value as text.
type Constraint struct {
	Operator   Operator
	Expression string
}

// Operator is a comparison, numbered as by SQLite.
type Operator int

// The operators of constraints.
const (
	OperatorUnique                       = 1
	OperatorEquals              Operator = 2
	OperatorIn                           = 3
	OperatorGreaterThan                  = 4
	OperatorLessThanOrEquals             = 8
	OperatorLessThan                     = 16
	OperatorGreaterThanOrEquals          = 32
	OperatorMatch                        = 64
	OperatorLike                         = 65
	OperatorGlob                         = 66
	OperatorRegexp                       = 67
)

// wireContext is the context as osqueryd writes it.
type wireContext struct {
	Constraints []struct {
		Name     string          `json:"name"`
		Affinity ColumnType      `json:"affinity"`
		List     json.RawMessage `json:"list"`
	} `json:"constraints"`
}

// parseContext reads the context of a generate call. It ignores the names of
// the columns used, which osqueryd writes beside the constraints.
func parseContext(text string) (QueryContext, error) {
	var wire wireContext
	if err := json.Unmarshal([]byte(text), &wire); err != nil {
		return QueryContext{}, fmt.Errorf("unmarshaling context JSON: %w", err)
	}
	all := make(map[string]ConstraintList, len(wire.Constraints))
	for _, c := range wire.Constraints {
		list, err := parseList(c.List)
		if err != nil {
			return QueryContext{}, err
		}
		all[c.Name] = ConstraintList{Affinity: c.Affinity, Constraints: list}
	}
	return QueryContext{Constraints: all}, nil
}

// parseList reads the conditions of one column: a list, or a string, which
// osquery before 3.0 wrote for an empty list.
func parseList(raw json.RawMessage) ([]Constraint, error) {
	if len(raw) > 0 && raw[0] == '"' {
		return []Constraint{}, nil
	}
	var items []struct {
		Op   json.RawMessage `json:"op"`
		Expr json.RawMessage `json:"expr"`
	}
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, fmt.Errorf("unexpected context list: %s", raw)
	}
	list := make([]Constraint, 0, len(items))
	for _, item := range items {
		op, err := parseOperator(item.Op)
		if err != nil {
			return nil, err
		}
		var expr *string
		if err := json.Unmarshal(orNull(item.Expr), &expr); err != nil || expr == nil {
			return nil, fmt.Errorf("expr should be string: %s", orNull(item.Expr))
		}
		list = append(list, Constraint{Operator: op, Expression: *expr})
	}
	return list, nil
}

// parseOperator reads a number or, from osquery before 3.0, its decimal text.
func parseOperator(raw json.RawMessage) (Operator, error) {
	var text string
	if err := json.Unmarshal(orNull(raw), &text); err != nil || text == "" {
		text = string(raw)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("op should be a number: %s", orNull(raw))
	}
	return Operator(n), nil
}

// orNull is raw, or JSON's null for a key that is not there.
func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}
