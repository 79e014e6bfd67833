package remote

import (
	"errors"
	"time"
)

// Type is the value of `type` in a hunts file.
const Type = "osquery_remote"

// Config is what a hunts file may say of a tool of type osquery_remote.
type Config struct {
	Interval time.Duration `yaml:"interval" json:"interval,omitempty" doc:"How often agents ask for queries; they learn it with their configuration. A canary waits two of them." default:"1m"`
}

// NewConfig gives a Config with its defaults.
func NewConfig() *Config { return &Config{Interval: DefaultInterval} }

// Validate looks at what no type can tell.
func (c *Config) Validate() error {
	if c.Interval < 5*time.Second || c.Interval > time.Hour {
		return errors.New("interval: from 5s to 1h")
	}
	return nil
}
