package threatscape

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// answer is a decoded answer; without rows nothing is known.
type answer struct {
	rows []row
	raw  pivot.Raw
	age  time.Duration
}

// errNoPath says that the service has no such path: the address is wrong, or something on the way refuses the value.
var errNoPath = errors.New("the service knows no such path; look at url and api_version")

// pivot asks for the rows of every report that holds an indicator.
func (p *Provider) pivot(ctx context.Context, ind indicator.Indicator) (answer, error) {
	path, err := pivotPath(ind)
	if err != nil {
		return answer{}, err
	}
	got, err := p.rowsOf(ctx, path, false)
	if err == nil {
		p.stated.keep(got, p.now())
	}
	return got, err
}

// pivotPath gives the path of the indicator pivot. A URL goes into the query, where slashes are safe.
func pivotPath(ind indicator.Indicator) (string, error) {
	kind, value := "", ind.Value
	switch ind.Kind {
	case indicator.MD5, indicator.SHA1, indicator.SHA256, indicator.Domain:
		kind = string(ind.Kind)
	case indicator.IPv4, indicator.IPv6:
		kind = "ip"
	case indicator.URL:
		return "/pivot/indicator/url?value=" + queryEscape(value), nil
	case indicator.Email:
		kind = "emailName"
	case indicator.RegistryKey:
		kind = "registryKey"
	case indicator.Filename: // names are compared in lower case, and a path by its last part
		kind = "fileName"
		if last := lastPart(value); last != value {
			kind, value = "filePath", last
		}
		if utf8.ValidString(value) { // else it is refused below, as it is
			value = strings.ToLower(value)
		}
	default:
		return "", fmt.Errorf("%w: %s is no type of its pivot", errUnaskable, ind.Kind)
	}
	part, err := pathPart(value)
	return "/pivot/indicator/" + kind + "/" + part, err
}

// errUnaskable says that a value can not be asked for.
var errUnaskable = errors.New("it can not be asked for")

// pathPart escapes a value for one part of a path. One that would lead to another path, or is none, is refused.
func pathPart(value string) (string, error) {
	switch {
	case value == "", value == ".", value == "..":
		return "", fmt.Errorf("%w: %q is no value", errUnaskable, value)
	case len(value) > indicator.MaxValue, !utf8.ValidString(value), strings.ContainsFunc(value, unicode.IsControl):
		return "", fmt.Errorf("%w: it is too long or holds control characters", errUnaskable)
	}
	return url.PathEscape(value), nil
}

// queryEscape writes a space as %20: the vendor's encoder does, and what is sent is what is signed.
func queryEscape(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

// lastPart gives what follows the last separator of a path of any platform.
func lastPart(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// rowsOf asks for rows. missing takes 404 for "nothing known": of a report, never of an indicator, where it would hide a
// wrong address.
func (p *Provider) rowsOf(ctx context.Context, path string, missing bool) (answer, error) {
	res, err := p.get(ctx, path, p.accept, func(res *httpx.Response) (string, error) {
		switch {
		case res.Status == http.StatusNotFound && missing, res.Status == http.StatusNoContent:
			return "", nil
		case res.Status == http.StatusNotFound:
			return "", errNoPath
		}
		read := jsonRows
		if p.accept == mimeOf("xml") {
			read = xmlRows
		}
		rows, err := read(res.Body)
		res.Value, res.Unknown = rows, len(rows) == 0
		return causeOf(err, res.Body)
	})
	if err != nil {
		return answer{}, err
	}
	rows, _ := res.Value.([]row) // none when nothing is known
	if len(rows) == 0 {
		return answer{age: res.Age}, nil
	}
	sum := sha256.Sum256(res.Body)
	return answer{rows: rows, raw: pivot.Raw{Digest: hex.EncodeToString(sum[:]), Body: res.Body}, age: res.Age}, nil
}

// get asks one question.
func (p *Provider) get(ctx context.Context, path, accept string, check func(*httpx.Response) (string, error)) (*httpx.Response, error) {
	if why := p.stopped.Load(); why != nil && p.now().Before(why.until) {
		return nil, why
	}
	res, err := p.client.Get(ctx, httpx.Request{URL: p.base + path, Accept: accept, Sign: p.sign(accept), Check: check, Explain: explain})
	if err == nil {
		p.answered.Store(true)
		return res, nil
	}
	e, ok := errors.AsType[*httpx.Error](err)
	if !ok || !errors.Is(err, httpx.ErrAuth) {
		return nil, err
	}
	why := &refusal{error: fmt.Errorf("%w; look at public_key and private_key%s", err, p.skew(e.Answer())), until: p.now().Add(stopFor)}
	p.stopped.Store(why)
	return nil, why
}

// stopFor is how long a provider whose keys are refused asks nothing: the rest of a run.
const stopFor = 5 * time.Minute

// refusal is what a provider answers that is stopped.
type refusal struct {
	error
	until time.Time
}

// Unwrap gives the cause.
func (r *refusal) Unwrap() error { return r.error }

// skipped gives the reason why one question was not answered, when that says nothing about the next one.
func (p *Provider) skipped(err error) (reason string, ok bool) {
	switch {
	case err == nil:
		return "", false
	case errors.Is(err, errUnaskable), errors.Is(err, httpx.ErrRefused), errors.Is(err, httpx.ErrTooLarge),
		errors.Is(err, errNoPath) && p.answered.Load():
		return err.Error(), true
	}
	return "", false
}

// skew compares clocks: a signature holds the time.
func (p *Provider) skew(res *httpx.Response) string {
	if res == nil {
		return ""
	}
	return skew(p.now(), res.Date)
}

// pathOf gives the path of a report, with what follows it.
func pathOf(before, id, after string) (string, error) {
	part, err := pathPart(id)
	return before + part + after, err
}

// addressOf gives the kind and normal form of an address or host name: a field for the one may hold the other.
func addressOf(value string) (indicator.Indicator, bool) {
	kind := indicator.Domain
	if _, err := netip.ParseAddr(value); err == nil {
		kind = indicator.IPv4
	}
	ind, err := indicator.Parse(kind, value)
	return ind, err == nil
}
