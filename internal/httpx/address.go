package httpx

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// RefuseAddress says why an address is never called: those of a machine's own link, where clouds answer with credentials
// (169.254.169.254, fd00:ec2::254, 100.100.100.200), and those that are no host's.
func RefuseAddress(a netip.Addr) error {
	a = a.Unmap()
	metadata := []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}
	switch {
	case a.IsLinkLocalUnicast(), a.IsLinkLocalMulticast(), a.IsMulticast(), a.IsUnspecified(), a == metadata[0], a == metadata[1]:
		return fmt.Errorf("%w: %s", ErrAddress, a)
	}
	return nil
}

// controlOf looks at the address that is about to be called, after names are resolved.
func controlOf(refuse func(netip.Addr) error) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrAddress, address)
		}
		return refuse(at.Addr().WithZone(""))
	}
}
