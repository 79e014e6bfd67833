// Package threatscape is the provider iSIGHT ThreatScape, API v2 (FireEye iSIGHT Intelligence): the indicator pivot, the
// report pivot, search and reports, signed, in JSON or XML. It asks through the one HTTP client, which retries, waits and
// remembers.
package threatscape

import (
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/secret"
)

// What is taken where a hunts file says nothing.
const (
	DefaultURL     = "https://api.isightpartners.com"
	DefaultVersion = "2.6"
	defaultCache   = 24 * time.Hour
)

// Config is what a hunts file may say of a provider of type threatscape.
type Config struct {
	PublicKey  secret.Ref    `yaml:"public_key" json:"public_key,omitzero" required:"true" doc:"The public key, as env:NAME or file:/path."`
	PrivateKey secret.Ref    `yaml:"private_key" json:"private_key,omitzero" required:"true" doc:"The private key, as env:NAME or file:/path."`
	URL        string        `yaml:"url" json:"url,omitempty" doc:"Address of the service." default:"https://api.isightpartners.com"`
	Version    string        `yaml:"api_version" json:"api_version,omitempty" doc:"Version of the API that is asked for." enum:"2.0,2.2,2.5,2.6" default:"2.6"`
	Accept     string        `yaml:"accept" json:"accept,omitempty" doc:"Form in which pivots and searches are answered." enum:"json,xml" default:"json"`
	Cache      time.Duration `yaml:"cache" json:"cache,omitempty" doc:"How long an answer holds before it is asked for again; that nothing is known holds a tenth of it, at most 1h." default:"24h"`
	Timeout    time.Duration `yaml:"timeout" json:"timeout,omitempty" doc:"How long one attempt may take." default:"30s"`
}

// Validate looks at what no type can tell.
func (c *Config) Validate() error {
	var faults []error
	if c.URL != "" {
		if err := httpx.CheckBase(c.URL); err != nil {
			faults = append(faults, fmt.Errorf("url: %w", err))
		}
	}
	if c.Cache < 0 || c.Timeout < 0 {
		faults = append(faults, errors.New("cache and timeout are lengths of time, such as 24h and 30s"))
	}
	return errors.Join(faults...)
}
