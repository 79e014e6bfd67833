//go:build !sqlite_vtable

package embedded

// Without the build tag there are no virtual tables, and hunter could look nowhere. The undefined name is the message.
var _ = hunter_needs_the_build_tag_sqlite_vtable__use_make_build
