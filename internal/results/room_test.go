package results

import (
	"testing"

	"github.com/hunter-project/hunter/internal/diag"
)

func TestRoomIsJudged(t *testing.T) {
	t.Parallel()
	for free, want := range map[int64]diag.CheckState{
		0: diag.CheckFail, leastRoom - 1: diag.CheckFail, leastRoom: diag.CheckUnknown, enoughRoom - 1: diag.CheckUnknown, enoughRoom: diag.CheckOK,
	} {
		if got := room("/x", free); got.State != want || (got.State != diag.CheckOK && got.Next == "") {
			t.Errorf("%d bytes: %+v", free, got)
		}
	}
}
