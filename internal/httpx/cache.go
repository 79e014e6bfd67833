package httpx

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Cached is an answer that is remembered.
type Cached struct {
	Status int
	Type   string
	Body   []byte
	At     time.Time
}

// Cache remembers answers. Get gives nil when there is none; old answers may be given, the client looks at the age.
type Cache interface {
	Get(ctx context.Context, key string) (*Cached, error)
	Put(ctx context.Context, key string, c Cached) error
}

// remembered gives an answer that still holds, nil when there is none. A cache that fails is asked no more questions: the
// service is.
func (c *Client) remembered(ctx context.Context, key string) *Response {
	if c.opt.Cache == nil {
		return nil
	}
	got, err := c.opt.Cache.Get(ctx, key)
	if err != nil || got == nil {
		return nil
	}
	age, holds := c.opt.Now().Sub(got.At), c.opt.CacheFor
	if got.Status != http.StatusOK {
		holds = c.opt.UnknownFor
	}
	if age < 0 || age > holds {
		return nil
	}
	return &Response{Status: got.Status, Type: got.Type, Body: got.Body, Age: age}
}

// remember keeps an answer, unless it repeats a secret.
func (c *Client) remember(ctx context.Context, key string, res *Response) error {
	if c.opt.Cache == nil {
		return nil
	}
	text := string(res.Body)
	for _, s := range c.opt.Secrets {
		if !s.IsZero() && strings.Contains(text, s.Reveal()) {
			return nil
		}
	}
	return c.opt.Cache.Put(ctx, key, Cached{Status: res.Status, Type: res.Type, Body: res.Body, At: c.opt.Now()})
}
