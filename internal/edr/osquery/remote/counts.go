package remote

import "sync/atomic"

// counts is what the server did since it was made.
type counts struct {
	polls, handouts, writes, answers, refused, unknown, enrolled, wrongSecrets, configs, logLines, malformed, cut, failed, panics atomic.Int64
}

// Counts is what a server did since it was made.
type Counts struct {
	Polls        int64 // of known nodes
	Handouts     int64
	Writes       int64 // that were stored
	Answers      int64 // in them
	Refused      int64 // writes that agents were told to keep: busy, or they could not be stored
	Unknown      int64 // requests with a key that nobody has
	Enrolled     int64
	WrongSecrets int64
	Configs      int64
	LogLines     int64 // of agents' own logs: counted, and not kept
	Malformed    int64 // bodies that could not be read
	Cut          int64 // answers of which not all was kept
	Failed       int64 // requests that failed through something of ours
	Panics       int64
}

// Counts gives what the server did since it was made.
func (s *Server) Counts() Counts {
	c := &s.counts
	return Counts{
		Polls: c.polls.Load(), Handouts: c.handouts.Load(), Writes: c.writes.Load(), Answers: c.answers.Load(), Refused: c.refused.Load(),
		Unknown: c.unknown.Load(), Enrolled: c.enrolled.Load(), WrongSecrets: c.wrongSecrets.Load(), Configs: c.configs.Load(),
		LogLines: c.logLines.Load(), Malformed: c.malformed.Load(), Cut: c.cut.Load(), Failed: c.failed.Load(), Panics: c.panics.Load(),
	}
}
