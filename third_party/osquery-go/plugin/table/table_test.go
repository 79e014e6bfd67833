package table_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	gen "github.com/osquery/osquery-go/gen/osquery"
	"github.com/osquery/osquery-go/plugin/table"
)

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// generate calls a table with a context and gives what its function was told;
// told is nil when it was not called.
func generate(text string) (told *table.QueryContext, res gen.ExtensionResponse) {
	p := table.NewPlugin("t", nil, func(_ context.Context, q table.QueryContext) ([]map[string]string, error) {
		told = &q
		return []map[string]string{{"a": "b"}}, nil
	})
	res = p.Call(context.Background(), gen.ExtensionPluginRequest{"action": "generate", "context": text})
	return told, res
}

func TestGenerateContext(t *testing.T) {
	t.Parallel()
	fixture := table.QueryContext{Constraints: map[string]table.ConstraintList{
		"path": {Affinity: table.ColumnTypeText, Constraints: []table.Constraint{{Operator: table.OperatorEquals, Expression: "/bin/ls"}}},
		"size": {Affinity: table.ColumnTypeBigInt, Constraints: []table.Constraint{}},
	}}
	for name, tc := range map[string]struct {
		text string
		want table.QueryContext
	}{
		"since 3.0":  {read(t, "generate_context.json"), fixture},
		"before 3.0": {read(t, "generate_context_before_3.json"), fixture},
		"empty":      {`{}`, table.QueryContext{Constraints: map[string]table.ConstraintList{}}},
		"null": {
			`{"constraints":[{"name":"p","list":null}]}`,
			table.QueryContext{Constraints: map[string]table.ConstraintList{"p": {Constraints: []table.Constraint{}}}},
		},
		"several": {
			`{"constraints":[{"name":"p","list":[{"op":2,"expr":"1"},{"op":"65","expr":"a%"}],"affinity":"UNSIGNED BIGINT"}]}`,
			table.QueryContext{Constraints: map[string]table.ConstraintList{"p": {
				Affinity:    table.ColumnTypeUnsignedBigInt,
				Constraints: []table.Constraint{{Operator: table.OperatorEquals, Expression: "1"}, {Operator: table.OperatorLike, Expression: "a%"}},
			}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			told, res := generate(tc.text)
			if told == nil || !reflect.DeepEqual(*told, tc.want) {
				t.Errorf("told %+v, want %+v", told, tc.want)
			}
			want := gen.ExtensionResponse{Status: &gen.ExtensionStatus{Message: "OK"}, Response: gen.ExtensionPluginResponse{{"a": "b"}}}
			if !reflect.DeepEqual(res, want) {
				t.Errorf("answer %+v, want %+v", res, want)
			}
		})
	}
}

func TestGenerateBadContext(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{``, ""},
		{`{`, "unmarshaling context JSON: "},
		{`[]`, "unmarshaling context JSON: "},
		{`{"constraints":[{"name":"p"}]}`, "unexpected context list: "},
		{`{"constraints":[{"name":"p","list":5}]}`, "unexpected context list: 5"},
		{`{"constraints":[{"name":"p","list":[5]}]}`, "unexpected context list: [5]"},
		{`{"constraints":[{"name":"p","list":[{"op":2,"expr":5}]}]}`, "expr should be string: 5"},
		{`{"constraints":[{"name":"p","list":[{"op":2,"expr":null}]}]}`, "expr should be string: null"},
		{`{"constraints":[{"name":"p","list":[{"op":2}]}]}`, "expr should be string: null"},
		{`{"constraints":[{"name":"p","list":[{"op":"x","expr":"a"}]}]}`, `op should be a number: "x"`},
		{`{"constraints":[{"name":"p","list":[{"expr":"a"}]}]}`, "op should be a number: null"},
		{`{"constraints":[{"name":"p","list":[{"op":{},"expr":"a"}]}]}`, "op should be a number: {}"},
	} {
		told, res := generate(tc.text)
		if told != nil {
			t.Errorf("%s: the table was asked", tc.text)
		}
		if res.Status.Code != 1 || !strings.HasPrefix(res.Status.Message, "error parsing context JSON: "+tc.want) {
			t.Errorf("%s: %v", tc.text, res.Status)
		}
	}
}

func TestCallActions(t *testing.T) {
	t.Parallel()
	p := table.NewPlugin("sizes", []table.ColumnDefinition{
		table.TextColumn("path", table.IndexColumn(), table.RequiredColumn(), table.OptimizedColumn()),
		table.BigIntColumn("size"),
	}, func(context.Context, table.QueryContext) ([]map[string]string, error) {
		return nil, errors.New("no disk")
	})

	if p.Name() != "sizes" || p.RegistryName() != "table" || p.Ping() != (gen.ExtensionStatus{Message: "OK"}) {
		t.Errorf("plugin is %s in %s, ping %v", p.Name(), p.RegistryName(), p.Ping())
	}
	var routes gen.ExtensionPluginResponse
	if err := json.Unmarshal([]byte(read(t, "routes.json")), &routes); err != nil {
		t.Fatal(err)
	}
	if got := p.Routes(); !reflect.DeepEqual(got, routes) {
		t.Errorf("Routes = %v, want %v", got, routes)
	}
	for _, tc := range []struct {
		request gen.ExtensionPluginRequest
		want    gen.ExtensionResponse
	}{
		{gen.ExtensionPluginRequest{"action": "columns"}, gen.ExtensionResponse{Status: &gen.ExtensionStatus{Message: "OK"}, Response: routes}},
		{gen.ExtensionPluginRequest{"action": "generate", "context": "{}"}, refused("error generating table: no disk")},
		{gen.ExtensionPluginRequest{"action": "delete"}, refused("unknown action: delete")},
		{nil, refused("unknown action: ")},
	} {
		if got := p.Call(context.Background(), tc.request); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("Call(%v) = %v, want %v", tc.request, got, tc.want)
		}
	}
	p.Shutdown()
}

func refused(message string) gen.ExtensionResponse {
	return gen.ExtensionResponse{Status: &gen.ExtensionStatus{Code: 1, Message: message}}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		column table.ColumnDefinition
		kind   table.ColumnType
		json   string
		mask   uint8
	}{
		{table.TextColumn("c"), "TEXT", `"text"`, 0},
		{table.IntegerColumn("c", table.IndexColumn()), "INTEGER", `"integer"`, 1},
		{table.BigIntColumn("c", table.RequiredColumn()), "BIGINT", `"bigint"`, 2},
		{table.DoubleColumn("c", table.AdditionalColumn()), "DOUBLE", `"double"`, 4},
		{table.NewColumn("c", table.ColumnTypeUnsignedBigInt, table.OptimizedColumn()), "UNSIGNED BIGINT", `"unsigned_bigint"`, 8},
		{table.NewColumn("c", table.ColumnTypeBlob, table.HiddenColumn()), "BLOB", `"blob"`, 16},
		{table.NewColumn("c", table.ColumnTypeUnknown, table.IndexColumn(), table.HiddenColumn(), table.ColumnDescription("d")), "UNKNOWN", `"unknown"`, 17},
	} {
		if tc.column.Name != "c" || tc.column.Type != tc.kind || tc.column.Options() != tc.mask {
			t.Errorf("%+v: want type %s, options %d", tc.column, tc.kind, tc.mask)
		}
		if got, err := json.Marshal(tc.column.Type); err != nil || string(got) != tc.json {
			t.Errorf("%s as JSON: %s, %v", tc.kind, got, err)
		}
	}
	if d := table.TextColumn("c", table.ColumnDescription("d")).Description; d != "d" {
		t.Errorf("description %q", d)
	}
}

// FuzzGenerate feeds contexts of any kind: each is answered, and the table is
// asked only when the answer is good.
func FuzzGenerate(f *testing.F) {
	f.Add(read(f, "generate_context.json"))
	f.Add(read(f, "generate_context_before_3.json"))
	f.Add(`{"constraints":[{"name":"p","list":null}]}`)
	f.Add(`{"constraints":[{"list":[{"op":"","expr":"\ud800"}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		told, res := generate(text)
		if (told != nil) != (res.Status.Code == 0) {
			t.Errorf("told %v, answer %v", told, res)
		}
	})
}
