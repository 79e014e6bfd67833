package threatscape

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/hunter-project/hunter/internal/secret"
)

// appName is the optional name of the client; it is not signed.
const appName = "hunter"

// Signature is X-Auth-Hash: the lower-case hex HMAC-SHA256 of path and query, Accept-Version, Accept and Date, one after
// another without separator. The key is the private key's text as issued, not what its hex digits stand for.
func Signature(private secret.String, requestURI, version, accept, date string) string {
	mac := hmac.New(sha256.New, []byte(private.Reveal()))
	mac.Write([]byte(requestURI + version + accept + date))
	return hex.EncodeToString(mac.Sum(nil))
}

// sign gives the signer of one request; the date is that of the attempt.
func (p *Provider) sign(accept string) func(*http.Request) error {
	return func(r *http.Request) error {
		date := p.now().UTC().Format(http.TimeFormat)
		r.Header.Set("Date", date)
		r.Header.Set("Accept-Version", p.version)
		r.Header.Set("X-App-Name", appName)
		r.Header.Set("X-Auth", p.public.Reveal())
		r.Header.Set("X-Auth-Hash", Signature(p.private, r.URL.RequestURI(), p.version, accept, date))
		return nil
	}
}

// skew says how far this machine's clock is from the server's, "" when that is no trouble.
func skew(ours, theirs time.Time) string {
	if theirs.IsZero() {
		return ""
	}
	d := ours.Sub(theirs).Round(time.Second)
	if d.Abs() < 30*time.Second {
		return ""
	}
	way := "ahead of"
	if d < 0 {
		way = "behind"
	}
	return "; this machine's clock is " + d.Abs().String() + " " + way + " the server's: signatures hold the time, so set it"
}
