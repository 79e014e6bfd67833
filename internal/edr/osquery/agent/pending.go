package agent

// savePending keeps queries that were handed out and have not begun, so that a restart does not lose them.
func (s *state) savePending(queries []query) error {
	if len(queries) == 0 {
		return s.remove(pendingFile)
	}
	return s.save(pendingFile, queries)
}

// pending gives the queries that an earlier life of the agent was handed and had not begun, or had left in order.
func (s *state) pending() ([]query, error) {
	var out []query
	_, err := s.load(pendingFile, &out)
	return out, err
}
