package httpx

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// RefuseAddress says why an address is never called: those of a machine's own link, where clouds answer with credentials
// (169.254.169.254), the others where they do so, and those that are no host's. An IPv4 address inside of an IPv6 one
// (mapped, or behind NAT64) counts as itself.
func RefuseAddress(a netip.Addr) error {
	inner := embedded(a)
	switch inner.String() {
	case "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16": // AWS, Google, Alibaba, Azure
		return fmt.Errorf("%w: %s", ErrAddress, a)
	}
	if inner.IsLinkLocalUnicast() || inner.IsMulticast() || inner.IsUnspecified() {
		return fmt.Errorf("%w: %s", ErrAddress, a)
	}
	return nil
}

// embedded gives the IPv4 address that an IPv6 one stands for, else the address itself.
func embedded(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is4() || !netip.MustParsePrefix("64:ff9b::/96").Contains(a) {
		return a
	}
	b := a.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
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
