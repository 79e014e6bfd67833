package threatscape

import (
	"context"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/pivot"
)

var _ pivot.Checker = (*Provider)(nil)

// Check asks the service's own test, which needs good keys and no right. It does not tell what is left of a quota.
func (p *Provider) Check(ctx context.Context) []diag.Check {
	accept := mimeOf("json")
	res, err := p.client.Get(httpx.WithMaxAge(ctx, 0), httpx.Request{
		URL: p.base + "/test", Accept: accept, Sign: p.sign(accept), Explain: explain,
		Check: func(res *httpx.Response) (string, error) {
			if res.Unknown {
				return errNoPath.Error(), httpx.ErrRefused
			}
			_, err := openJSON(res.Body)
			return causeOf(err, res.Body)
		},
	})
	return httpx.Checks(res, err, p.now(), "look at public_key and private_key, and at this machine's clock: signatures hold the time")
}
