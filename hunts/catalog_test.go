package hunts_test

import (
	"errors"
	"time"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/secret"
)

// Doubles of plug-ins; the real configs live with their packages.

type filesConfig struct {
	Paths      []string      `yaml:"paths" path:"any" doc:"Files and folders of intelligence, relative to this file."`
	TLP        indicator.TLP `yaml:"tlp" doc:"Label of what states none."`
	Confidence *int          `yaml:"confidence" min:"0" max:"100" doc:"Confidence of plain lists." default:"50"`
}

type threatscapeConfig struct {
	URL        string        `yaml:"url" doc:"Address of the API."`
	PublicKey  secret.Ref    `yaml:"public_key" required:"true" doc:"Public key."`
	PrivateKey secret.Ref    `yaml:"private_key" required:"true" doc:"Private key."`
	Cache      time.Duration `yaml:"cache" doc:"How long answers are kept." default:"24h"`
	Timeout    time.Duration `yaml:"timeout" doc:"How long one question may take." default:"30s"`
}

// Validate refuses what single keys can not show.
func (c *threatscapeConfig) Validate() error {
	if c.Cache > 0 && c.Timeout > c.Cache {
		return errors.New("timeout is longer than cache")
	}
	return nil
}

type osqueryConfig struct {
	Socket string `yaml:"socket" doc:"osqueryd's extension socket." default:"the platform's"`
}

type carbonblackConfig struct {
	URL      string     `yaml:"url" required:"true" pattern:"^https://" doc:"Address of the server."`
	Token    secret.Ref `yaml:"token" required:"true" doc:"API token."`
	Insecure bool       `yaml:"insecure" doc:"Take any certificate."`
}

func catalog() hunts.Catalog {
	return hunts.Catalog{
		Providers: []hunts.Plugin{
			{Type: "files", Doc: "The local intelligence store.", New: func() any { return &filesConfig{} }},
			{Type: "threatscape", Doc: "ThreatScape.", New: func() any { return &threatscapeConfig{Timeout: 30 * time.Second} }},
		},
		Tools: []hunts.Plugin{
			{Type: "osquery", Doc: "This machine.", New: func() any { return &osqueryConfig{} }},
			{Type: "carbonblack_edr", Doc: "Carbon Black EDR.", New: func() any { return &carbonblackConfig{} }},
		},
		DefaultProviders: []string{"local"},
		DefaultTools:     []string{"this-machine"},
		BuiltinTools:     []string{"fleet"},
	}
}
