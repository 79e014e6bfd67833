package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retry asks until there is an answer, a refusal, or no attempt left.
func (c *Client) retry(ctx context.Context, req Request) (*Response, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.Multiplier, wait.MaxInterval = c.opt.FirstWait, 2, c.opt.MaxWait
	return backoff.Retry(ctx, func() (*Response, error) {
		res, err := c.once(ctx, req)
		switch {
		case err == nil:
			return res, nil
		case ctx.Err() != nil:
			return nil, backoff.Permanent(ctx.Err())
		}
		return nil, c.again(err)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(c.opt.Attempts), backoff.WithMaxElapsedTime(0))
}

// again says whether and when a failed attempt is worth another.
func (c *Client) again(err error) error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		if errors.Is(err, ErrAddress) || errors.Is(err, errSign) {
			return backoff.Permanent(err)
		}
		return err // the connection
	case !errors.Is(e, ErrTemporary) && !errors.Is(e, ErrQuota):
		return backoff.Permanent(err)
	}
	told, given := retryAfter(e.answer, c.opt.Now())
	switch {
	case given && told > c.opt.MaxWait:
		e.Detail = fmt.Sprintf("it asks to wait %s", told.Round(time.Second))
		return backoff.Permanent(err)
	case given && told > 0:
		return &backoff.RetryAfterError{Duration: told}
	}
	return err
}

// header is kept of an answer that is none.
const retryHeader = "Retry-After"

func retryAfter(r *Response, now time.Time) (wait time.Duration, told bool) {
	if r == nil || r.retry == "" {
		return 0, false
	}
	if n, err := strconv.Atoi(r.retry); err == nil && n >= 0 && n < 1e9 {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(r.retry); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}

var errSign = errors.New("make the request")

// once makes one attempt.
func (c *Client) once(ctx context.Context, req Request) (*Response, error) {
	if err := c.limiter.Wait(ctx); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, req.URL, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSign, err)
	}
	r.Header.Set("User-Agent", c.opt.UserAgent)
	if req.Accept != "" {
		r.Header.Set("Accept", req.Accept)
	}
	if req.Sign != nil {
		if err := req.Sign(r); err != nil {
			return nil, fmt.Errorf("%w: %w", errSign, err)
		}
	}
	got, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	return c.read(got)
}

// read takes an answer in, up to its bound.
func (c *Client) read(got *http.Response) (*Response, error) {
	body, err := io.ReadAll(io.LimitReader(got.Body, c.opt.MaxBody+1))
	media, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type")) // none is ""
	date, _ := http.ParseTime(got.Header.Get("Date"))                  // none is zero
	res := &Response{Status: got.StatusCode, Type: media, Date: date, Body: body, retry: got.Header.Get(retryHeader)}
	switch {
	case int64(len(body)) > c.opt.MaxBody:
		return nil, c.bad(res, ErrTooLarge, fmt.Sprintf("over %d MiB", c.opt.MaxBody>>20))
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	switch s := got.StatusCode; {
	case s == http.StatusOK, s == http.StatusNoContent, s == http.StatusNotFound:
		return res, nil
	case s >= 300 && s < 400:
		return nil, c.bad(res, ErrRedirect, "")
	case s == http.StatusUnauthorized:
		return nil, c.bad(res, ErrAuth, string(body))
	case s == http.StatusForbidden:
		return nil, c.bad(res, ErrForbidden, string(body))
	case s == http.StatusTooManyRequests:
		return nil, c.bad(res, ErrQuota, string(body))
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s >= 500 && s <= 504, s >= 520 && s <= 524:
		return nil, c.bad(res, ErrTemporary, string(body))
	default:
		return nil, c.bad(res, ErrRefused, string(body))
	}
}

func (c *Client) bad(res *Response, cause error, detail string) error {
	return &Error{Name: c.opt.Name, Status: res.Status, Detail: c.safe(detail[:min(len(detail), 4096)]), cause: cause, answer: res}
}
