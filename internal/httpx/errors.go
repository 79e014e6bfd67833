package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sony/gobreaker/v2"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/secret"
)

// What an answer that is none means. Errors of this package that have one of these causes say so through errors.Is.
var (
	ErrAuth      = errors.New("the credentials are refused")
	ErrForbidden = errors.New("not entitled, or a quota is used up")
	ErrQuota     = errors.New("asked too often")
	ErrTemporary = errors.New("the service does not answer now")
	ErrRefused   = errors.New("the service refuses the request")
	ErrRedirect  = errors.New("redirects are not followed")
	ErrTooLarge  = errors.New("the answer is too large")
	ErrAddress   = errors.New("this address is never called")
	ErrShape     = errors.New("the answer is not in the documented form")
)

// Error is a question that was not answered.
type Error struct {
	Name   string // of the client
	Status int    // 0: there was no answer at all
	Detail string // safe for a terminal, without secrets, at most 200 characters
	cause  error
	answer *Response
}

// Error says who did not answer and why.
func (e *Error) Error() string {
	out := e.Name + ": " + e.cause.Error()
	if e.Status != 0 {
		out += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Detail != "" {
		out += ": " + e.Detail
	}
	return out
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Answer gives what came with the error, for those who can read more from it; nil when nothing came.
func (e *Error) Answer() *Response { return e.answer }

// maxDetail is how much of an answer an error tells.
const maxDetail = 200

// safe makes a text fit for an error.
func safe(text string, redact *secret.Redactor) string {
	text = strings.Join(strings.Fields(redact.Redact(text)), " ")
	if len(text) > maxDetail {
		text = text[:maxDetail] + "…"
	}
	return diag.Escape(strings.ToValidUTF8(text, "?"))
}

// fault gives any failure its one form.
func (c *Client) fault(req Request, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	cause := ErrTemporary
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		err = errors.New("it failed five times in a row and is left alone for a minute")
	case errors.Is(err, ErrAddress):
		cause = ErrAddress
	}
	detail := err.Error()
	if ue, ok := errors.AsType[*url.Error](err); ok { // its text holds the whole address
		detail = ue.Err.Error()
	}
	if u, perr := url.Parse(req.URL); perr == nil {
		detail = u.Host + ": " + detail
	}
	return &Error{Name: c.opt.Name, Detail: safe(detail, c.redact), cause: cause}
}

// isTemporary reports whether an error says that the server is down.
func isTemporary(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, ErrAddress) || errors.Is(err, errSign) {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	return !ok || errors.Is(e, ErrTemporary)
}
