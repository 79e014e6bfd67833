// Package threatscape is the provider iSIGHT ThreatScape, API v2 (FireEye iSIGHT Intelligence): the indicator pivot and
// the report pivot, signed, in JSON or XML. It asks through the one HTTP client, which retries, waits and remembers.
package threatscape

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/secret"
)

// The service as every public client calls it.
const (
	DefaultURL     = "https://api.isightpartners.com"
	DefaultVersion = "2.6"
)

// Config is what a hunts file may say of a provider of type threatscape.
type Config struct {
	PublicKey  secret.Ref `yaml:"public_key" json:"public_key,omitzero" required:"true" doc:"The public key, as env:NAME or file:/path."`
	PrivateKey secret.Ref `yaml:"private_key" json:"private_key,omitzero" required:"true" doc:"The private key, as env:NAME or file:/path."`
	URL        string     `yaml:"url" json:"url,omitempty" doc:"Address of the service." default:"https://api.isightpartners.com"`
	Version    string     `yaml:"api_version" json:"api_version,omitempty" doc:"Accept-Version of the requests." enum:"2.0,2.2,2.5,2.6" default:"2.6"`
	Accept     string     `yaml:"accept" json:"accept,omitempty" doc:"In which form pivots are answered." enum:"json,xml" default:"json"`
	Cache      string     `yaml:"cache" json:"cache,omitempty" doc:"How long an answer holds before it is asked for again, such as 24h; that nothing is known holds a tenth of it, at most 1h." default:"24h"`
	Timeout    string     `yaml:"timeout" json:"timeout,omitempty" doc:"How long one attempt may take, such as 30s." default:"30s"`
}

// Validate looks at what no type can tell.
func (c *Config) Validate() error {
	var faults []error
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		switch {
		case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
			faults = append(faults, errors.New("url is no plain address such as https://api.isightpartners.com"))
		case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
			faults = append(faults, errors.New("url: only https is used, and http on this machine itself"))
		}
	}
	for name, text := range map[string]string{"cache": c.Cache, "timeout": c.Timeout} {
		if d, err := parseDuration(text, time.Hour); err != nil || d < 0 {
			faults = append(faults, fmt.Errorf("%s %q is no length of time such as 24h", name, text))
		}
	}
	return errors.Join(faults...)
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

func parseDuration(text string, def time.Duration) (time.Duration, error) {
	if text == "" {
		return def, nil
	}
	return time.ParseDuration(text)
}
