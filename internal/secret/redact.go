package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Redactor takes known secrets out of text, such as the error of an HTTP client or a body that goes to a log. It is safe
// for use by several goroutines.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor makes a Redactor for the given secrets, in the forms in which they travel: as they are, escaped for URLs and
// JSON, and in base64. Empty secrets are ignored.
func NewRedactor(secrets ...String) *Redactor {
	var forms []string
	for _, s := range secrets {
		forms = append(forms, formsOf(s.Reveal())...)
	}
	// The longest first: a secret that is the beginning of another one must not leave the other's rest behind.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, f := range forms {
		pairs = append(pairs, f, Redacted)
	}
	return &Redactor{replacer: strings.NewReplacer(pairs...)}
}

// Redact gives text with every secret replaced by Redacted.
func (r *Redactor) Redact(text string) string { return r.replacer.Replace(text) }

// Redact gives text with the secrets replaced by Redacted.
func Redact(text string, secrets ...String) string { return NewRedactor(secrets...).Redact(text) }

func formsOf(value string) []string {
	if value == "" {
		return nil
	}
	forms := []string{
		value, url.QueryEscape(value), url.PathEscape(value),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
	if quoted, err := json.Marshal(value); err == nil {
		forms = append(forms, strings.Trim(string(quoted), `"`))
	}
	return slices.DeleteFunc(forms, func(f string) bool { return f == "" })
}
