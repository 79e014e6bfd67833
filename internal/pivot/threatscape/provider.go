package threatscape

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/secret"
)

// Options make a provider.
type Options struct {
	Config Config
	MaxTLP indicator.TLP
	// HTTP is what the client is made from: its cache, clock, rate and waits. Names, secrets and times of Config go over it.
	// Without a cache answers are remembered as long as the provider lives.
	HTTP httpx.Options
}

// Provider asks ThreatScape. It is safe for several goroutines.
type Provider struct {
	name, base, version, accept string
	public, private             secret.String
	maxTLP                      indicator.TLP
	client                      *httpx.Client
	now                         func() time.Time
	cacheFor                    time.Duration
	began                       time.Time
	answered                    atomic.Bool // it has given a good answer, so address and keys are right
	stopped                     atomic.Pointer[refusal]
	stated                      statements
}

var (
	_ pivot.Provider      = (*Provider)(nil)
	_ pivot.ReportPivoter = (*Provider)(nil)
	_ pivot.Searcher      = (*Provider)(nil)
	_ pivot.Fetcher       = (*Provider)(nil)
)

// New makes a provider; it fetches the keys and asks nobody.
func New(name string, opt Options) (*Provider, error) {
	if err := opt.Config.Validate(); err != nil {
		return nil, err
	}
	public, err := opt.Config.PublicKey.Resolve()
	if err != nil {
		return nil, err
	}
	private, err := opt.Config.PrivateKey.Resolve()
	if err != nil {
		return nil, err
	}
	h := opt.HTTP
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Cache == nil {
		h.Cache = &httpx.Memory{}
	}
	version := cmp.Or(opt.Config.Version, DefaultVersion)
	cacheFor := cmp.Or(opt.Config.Cache, h.CacheFor, defaultCache)
	h.Name, h.Scope = name, version+" "+mark(public)
	h.Timeout = cmp.Or(opt.Config.Timeout, h.Timeout)
	h.CacheFor, h.UnknownFor = cacheFor, min(cacheFor/10, time.Hour)
	h.Secrets = append(slices.Clone(h.Secrets), public, private)
	return &Provider{
		name: name, base: strings.TrimRight(cmp.Or(opt.Config.URL, DefaultURL), "/"), version: version, accept: mimeOf(cmp.Or(opt.Config.Accept, "json")),
		public: public, private: private, maxTLP: opt.MaxTLP, client: httpx.New(h), now: h.Now, cacheFor: cacheFor, began: h.Now(),
	}, nil
}

// mark tells accounts apart, since entitlements differ, without naming the key.
func mark(key secret.String) string {
	sum := sha256.Sum256([]byte("account " + key.Reveal()))
	return hex.EncodeToString(sum[:8])
}

// Close ends the connections that are kept.
func (p *Provider) Close() error {
	p.client.Close()
	return nil
}

// Describe says what the provider is. User agents and mutexes are no type of its pivot.
func (p *Provider) Describe() pivot.Description {
	return pivot.Description{Name: p.name, Type: "threatscape", MaxTLP: p.maxTLP, Kinds: []indicator.Kind{
		indicator.SHA256, indicator.SHA1, indicator.MD5, indicator.IPv4, indicator.IPv6, indicator.Domain, indicator.URL,
		indicator.Email, indicator.Filename, indicator.RegistryKey,
	}}
}

// Resolve gives the file objects of digests: one question a digest, and none for a digest of a file that an answer has
// already stated in full.
func (p *Provider) Resolve(ctx context.Context, digests []indicator.Indicator) (pivot.Result, error) {
	var res pivot.Result
	seen := map[string]bool{}
	keepRaw := func(raw pivot.Raw) {
		if raw.Digest != "" && !seen[raw.Digest] {
			seen[raw.Digest] = true
			res.Raw = append(res.Raw, raw)
		}
	}
	for _, d := range digests {
		if known, ok := p.stated.find(ctx, d, p.now(), p.cacheFor); ok {
			res.Files = append(res.Files, known.file)
			keepRaw(known.raw)
			continue
		}
		got, err := p.pivot(ctx, d)
		if skip, skipped := p.skipped(err); skipped {
			res.Skipped = append(res.Skipped, pivot.Skip{Provider: p.name, Indicator: d.String(), Reason: skip})
			continue
		}
		if err != nil {
			return res, err
		}
		keepRaw(got.raw)
		p.tellAge(&res, got)
		for _, r := range got.rows {
			if f, ok := r.file(); ok && f.Digest(d.Kind) == d.Value {
				res.Files = append(res.Files, f)
			}
		}
	}
	return res, nil
}

// Related is the indicator pivot: what the reports that hold ind name beside it.
func (p *Provider) Related(ctx context.Context, ind indicator.Indicator, lim pivot.Limits) (pivot.Result, error) {
	var res pivot.Result
	got, err := p.pivot(ctx, ind)
	if skip, skipped := p.skipped(err); skipped {
		res.Skipped = append(res.Skipped, pivot.Skip{Provider: p.name, Indicator: ind.String(), Reason: skip})
		return res, nil
	}
	if err != nil {
		return res, err
	}
	reports, lost := p.taken(&res, got)
	p.tellLost(&res, ind.String(), lost)
	if lim.PerIndicator > 0 && len(reports) > lim.PerIndicator {
		res.Cut = append(res.Cut, pivot.Cut{Provider: p.name, At: ind.String(), Limit: "max_reports", Kept: lim.PerIndicator, Total: len(reports)})
		reports = reports[:lim.PerIndicator]
	}
	m := members{provider: p.name, from: pivot.IndicatorRef(ind), relation: indicator.RelSameReport, raw: got.raw.Digest, limit: lim.PerReport}
	for _, r := range reports {
		res.Reports = append(res.Reports, r.report)
		if !lim.Known[r.report.Ref()] {
			m.add(&res, r)
		}
	}
	return res, nil
}

// tellAge notes that an answer is from an earlier day: one that this provider got itself is no older than it is.
func (p *Provider) tellAge(res *pivot.Result, got answer) {
	if got.age > p.now().Sub(p.began) {
		res.Remembered++
		res.Oldest = max(res.Oldest, got.age)
	}
}
