package results

// Commits is how many transactions were shared so far.
func Commits(s *Store) int64 { return s.shared.commits.Load() }
