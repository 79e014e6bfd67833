// Package remotetest is a stand-in for osqueryd that speaks its remote API as the real one does: what it takes for success,
// when it tries again and sends twice, what it forgets. Many thousands fit in one process: an agent has no goroutine of its
// own, and no connection that it does not use. Left out: discovery queries, which hunter does not send, and redirects.
package remotetest
