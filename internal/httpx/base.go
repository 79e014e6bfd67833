package httpx

import (
	"errors"
	"net/netip"
	"net/url"
)

// CheckBase says what is wrong with the address of a service that is sent credentials: https, or http on this machine
// itself, without user, query or fragment.
func CheckBase(base string) error {
	u, err := url.Parse(base)
	switch {
	case err != nil, u.Hostname() == "", u.Opaque != "", u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return errors.New("it is no plain address such as https://service.example")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return errors.New("only https is used, and http on this machine itself")
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && a.Unmap().IsLoopback())
}
