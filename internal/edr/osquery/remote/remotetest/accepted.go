package remotetest

import (
	"encoding/json"
	"errors"
	"fmt"
)

// What an agent makes of a reply. The status code is not among what it looks at.
var (
	// ErrNodeInvalid makes an agent drop its key and enrol again.
	ErrNodeInvalid = errors.New("request failed: invalid node key")
	// ErrUndefined is a reply that is JSON and no object, or has a node_invalid that is no boolean: what a real agent does
	// then nobody can say.
	ErrUndefined = errors.New("a reply that no agent is made for")
)

// Accepted gives the members of a reply that an agent takes for success. Anything else is an error: then it tries again.
func Accepted(body []byte) (map[string]json.RawMessage, error) {
	if len(body) == 0 {
		return map[string]json.RawMessage{}, nil
	}
	if !json.Valid(body) {
		return nil, fmt.Errorf("cannot parse JSON: %.80q", body)
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(body, &out); err != nil || out == nil {
		return nil, fmt.Errorf("%w: %.80q", ErrUndefined, body)
	}
	if raw, ok := out["node_invalid"]; ok {
		var invalid bool
		if err := json.Unmarshal(raw, &invalid); err != nil {
			return nil, fmt.Errorf("%w: node_invalid is %.80q", ErrUndefined, raw)
		}
		if invalid {
			return nil, ErrNodeInvalid
		}
	}
	if raw, ok := out["error"]; ok {
		return nil, fmt.Errorf("request failed: %.200s", raw)
	}
	return out, nil
}
