// Package carbonblack is the tool Carbon Black EDR (Response): it searches by md5 what the sensors of one server have
// recorded, and what the server ever heard of. It only reads, one question at a time.
package carbonblack

import (
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/secret"
)

// Type is the value of `type` in a hunts file.
const Type = "carbonblack_edr"

const day = 24 * time.Hour

// Config is what a hunts file may say of a tool of type carbonblack_edr.
type Config struct {
	URL     string        `yaml:"url" json:"url,omitempty" required:"true" doc:"Address of the server, such as https://cb.plant.example."`
	Token   secret.Ref    `yaml:"token" json:"token,omitzero" required:"true" doc:"The API token of a user, as env:NAME or file:/path."`
	Window  time.Duration `yaml:"window" json:"window,omitempty" doc:"How far back records are searched; less where the server says that it keeps less." default:"30d"`
	Cache   time.Duration `yaml:"cache" json:"cache,omitempty" doc:"How long the list of endpoints holds before it is asked for again, within one process. Searches are never remembered." default:"1m"`
	Timeout time.Duration `yaml:"timeout" json:"timeout,omitempty" doc:"How long one request may take." default:"1m"`
}

// NewConfig gives a Config with its defaults.
func NewConfig() *Config {
	return &Config{Window: 30 * day, Cache: time.Minute, Timeout: time.Minute}
}

// Validate looks at what no type can tell.
func (c *Config) Validate() error {
	var faults []error
	if err := httpx.CheckBase(c.URL); err != nil {
		faults = append(faults, fmt.Errorf("url: %w", err))
	}
	if c.Window < time.Hour || c.Window > 3650*day {
		faults = append(faults, errors.New("window: from 1h to 3650d"))
	}
	if c.Cache < 0 {
		faults = append(faults, errors.New("cache: a length of time, such as 1m"))
	}
	if c.Timeout < time.Second || c.Timeout > time.Hour {
		faults = append(faults, errors.New("timeout: from 1s to 1h"))
	}
	return errors.Join(faults...)
}
