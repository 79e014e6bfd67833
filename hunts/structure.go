package hunts

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkStructure reports what this format does not have, wherever it stands: aliases, merge keys, tags, keys that are no
// words, keys given twice, and sections nested too deep. It reports whether decoding makes sense.
func checkStructure(r *reporter, n *yaml.Node, depth int) bool {
	if depth > maxNesting {
		r.fault(n, fmt.Sprintf("nested more than %d deep", maxNesting), "a hunts file needs no such depth")
		return false
	}
	if n.Style&yaml.TaggedStyle != 0 {
		r.fault(n, "tag "+quote(n.Tag)+" is not read here", "write the value without the tag")
	}
	switch n.Kind {
	case yaml.AliasNode:
		r.fault(n, "alias "+quote("*"+n.Value)+" is not read here", "write the value out, or say it once under defaults")
		return true
	case yaml.MappingNode:
		checkKeys(r, n)
	}
	ok := true
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode || c.Style&yaml.TaggedStyle != 0 {
			ok = checkStructure(r, c, depth+1) && ok
		}
	}
	return ok
}

func checkKeys(r *reporter, n *yaml.Node) {
	first := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		switch {
		case k.Kind == yaml.AliasNode:
			continue // reported as an alias
		case k.Kind != yaml.ScalarNode:
			r.fault(k, "a key must be a word", "")
			continue
		case k.Value == "<<" && k.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0:
			r.fault(k, "the merge key << is not read here", "write the keys out, or say them once under defaults")
			continue
		}
		if before, twice := first[k.Value]; twice {
			r.fault(k, "key "+quote(k.Value)+" is given twice", "first on line "+strconv.Itoa(before.Line))
			continue
		}
		first[k.Value] = k
	}
}

// isNull reports whether a node is an empty value, null or ~.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// kindName names what a node is, for messages.
func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	default:
		return "a text"
	}
}

func child(path, key string) string {
	return strings.TrimPrefix(path+"."+key, ".")
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
