package results

import (
	"context"
	"database/sql"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Of the newest answers, as many as this are looked at for a speed.
const (
	speedAnswers = 2000 // of all endpoints
	speedSamples = 5
	speedBytes   = 4 << 20 // answers that read less say more about the walk
)

// ReadSpeed gives how many bytes a second the newest answers of an endpoint were made with, by runs that were gentle or not;
// 0 when there are none to tell from. Answers with digests that were remembered did not read all that they count.
func (s *Store) ReadSpeed(ctx context.Context, endpoint, tool string, gentle bool) (int64, error) {
	var bytes, seconds float64
	samples := 0
	err := s.query(ctx, "read the speed", func(rows *sql.Rows) error {
		var from, to sql.NullString
		var data []byte
		if err := rows.Scan(&from, &to, &data); err != nil || samples == speedSamples {
			return err
		}
		var v ledger.Verdict
		if err := unpackVerdict(data, &v); err != nil {
			return err
		}
		took := unstamp(to).Sub(unstamp(from)).Seconds()
		if v.Remembered > 0 || v.Counts.BytesHashed < speedBytes || took <= 0 {
			return nil
		}
		samples++
		bytes, seconds = bytes+float64(v.Counts.BytesHashed), seconds+took
		return nil
	}, `SELECT a.started_at, a.finished_at, a.verdict FROM answer a JOIN run r ON r.id = a.run
		WHERE a.id > (SELECT max(id) FROM answer) - ? AND a.endpoint = ? AND a.tool = ? AND CASE json_valid(r.definition) WHEN 1 THEN coalesce(json_extract(r.definition, '$.gentle'), 0) ELSE 0 END = ?
		ORDER BY a.id DESC LIMIT 200`, speedAnswers, endpoint, tool, flag(gentle))
	if err != nil || samples == 0 {
		return 0, err
	}
	return int64(bytes / seconds), nil
}
