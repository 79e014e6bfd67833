package osquery

import "github.com/hunter-project/hunter/internal/ledger"

// Estimate words a question that counts what a files question would read, and reads nothing: one row with n and size. ok is
// false for other stages.
func Estimate(q ledger.Query) (text string, ok bool) {
	if q.Stage != ledger.Files {
		return "", false
	}
	w := words{q: Question{
		Stage: q.Stage, Platform: q.Platform, Engine: q.Engine, Root: q.Root, Explicit: q.MustExist, Sizes: q.Sizes, MaxSize: q.MaxSize, MaxDepth: q.MaxDepth,
	}}
	return statement(
		w.walk(quote(q.Root)),
		"c AS (SELECT count(*) AS n, coalesce(sum(size),0) AS size FROM w WHERE "+w.wanted("")+")",
		"SELECT n, size FROM c"), true
}
