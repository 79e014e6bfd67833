package hunts

import (
	"reflect"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Status says how far a hunt can be relied on, in Sigma's words.
type Status string

// The statuses.
const (
	Stable       Status = "stable"
	Testing      Status = "test"
	Experimental Status = "experimental"
	Deprecated   Status = "deprecated"
)

// Platform is an operating system, in Go's and osquery's words.
type Platform string

// The platforms.
const (
	Linux   Platform = "linux"
	Darwin  Platform = "darwin"
	Windows Platform = "windows"
)

// Unsized says what the files stage does for a hash whose file size nobody knows.
type Unsized string

// The choices for unsized hashes.
const (
	UnsizedPlaces Unsized = "places" // every file up to max_size in the roots
	UnsizedFull   Unsized = "full"   // the same, without a budget
	UnsizedSkip   Unsized = "skip"   // running and autoruns alone: narrowed
)

// PivotRule says whether a pivot must be complete for a run to be proven.
type PivotRule string

// The pivot rules.
const (
	PivotComplete PivotRule = "complete"
	PivotAny      PivotRule = "any"
)

// AskRule says whether everything hunted must have been askable for a run to be proven.
type AskRule string

// The rules for what can not be asked.
const (
	UnaskableNone AskRule = "none"
	UnaskableAny  AskRule = "any"
)

// SeenRule says whether recorded tools that saw nothing are enough.
type SeenRule string

// The rules for recorded tools.
const (
	NotSeenRefuse SeenRule = "refuse"
	NotSeenAccept SeenRule = "accept"
)

// Format is the format of a report file.
type Format string

// The report formats.
const (
	FormatText      Format = "text"
	FormatMarkdown  Format = "md"
	FormatHTML      Format = "html"
	FormatCSV       Format = "csv"
	FormatJSON      Format = "json"
	FormatSTIX      Format = "stix"
	FormatNavigator Format = "navigator"
)

// Words is a list that may be written as one word.
type Words []string

// enumValues lists what a value of type t may be, nil when t is no enumeration.
func enumValues(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[Status]():
		return texts(Stable, Testing, Experimental, Deprecated)
	case reflect.TypeFor[Platform]():
		return texts(Linux, Darwin, Windows)
	case reflect.TypeFor[Unsized]():
		return texts(UnsizedPlaces, UnsizedFull, UnsizedSkip)
	case reflect.TypeFor[PivotRule]():
		return texts(PivotComplete, PivotAny)
	case reflect.TypeFor[AskRule]():
		return texts(UnaskableNone, UnaskableAny)
	case reflect.TypeFor[SeenRule]():
		return texts(NotSeenRefuse, NotSeenAccept)
	case reflect.TypeFor[Format]():
		return texts(FormatText, FormatMarkdown, FormatHTML, FormatCSV, FormatJSON, FormatSTIX, FormatNavigator)
	case reflect.TypeFor[indicator.TLP]():
		return texts(indicator.TLPs()...)
	case reflect.TypeFor[indicator.Kind]():
		return texts(indicator.Kinds()...)
	case reflect.TypeFor[indicator.Relation]():
		return texts(followable()...)
	default:
		return nil
	}
}

// followable lists the relations that follow may name: all but the two a run begins with.
func followable() []indicator.Relation {
	return []indicator.Relation{
		indicator.RelSibling, indicator.RelInReport, indicator.RelReportsOn, indicator.RelSameReport, indicator.RelDrops,
		indicator.RelDroppedBy, indicator.RelContains, indicator.RelContainedIn, indicator.RelDownloadsFrom, indicator.RelServes,
		indicator.RelCommunicates, indicator.RelContactedBy, indicator.RelExecutes, indicator.RelExecutedBy, indicator.RelSimilar,
		indicator.RelSameC2, indicator.RelRelatedReport, indicator.RelRelated,
	}
}

// enumNoun names what an enumeration is of, for messages.
func enumNoun(t reflect.Type, key string) string {
	switch t {
	case reflect.TypeFor[indicator.TLP]():
		return "TLP label"
	case reflect.TypeFor[indicator.Kind]():
		return "kind"
	case reflect.TypeFor[indicator.Relation]():
		return "relation"
	case reflect.TypeFor[Platform]():
		return "platform"
	case reflect.TypeFor[ledger.Stage]():
		return "stage"
	case reflect.TypeFor[Status](), reflect.TypeFor[Format]():
		return key
	default:
		return "choice for " + key
	}
}

// otherName gives the word of an enumeration for what people also call it, "" when there is none.
func otherName(t reflect.Type, word string) string {
	word = strings.ToLower(word)
	switch t {
	case reflect.TypeFor[indicator.TLP]():
		label, _ := indicator.ParseTLP(word)
		return string(label)
	case reflect.TypeFor[Platform]():
		return map[string]string{"macos": "darwin", "mac": "darwin", "osx": "darwin", "os x": "darwin", "win": "windows", "win32": "windows"}[word]
	case reflect.TypeFor[ledger.Stage]():
		return map[string]string{"processes": "running", "startup": "autoruns", "autostart": "autoruns", "disk": "files"}[word]
	default:
		return ""
	}
}

func enumValuesOf[T any]() []string { return enumValues(reflect.TypeFor[T]()) }

func texts[T ~string](values ...T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
