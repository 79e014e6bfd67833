package remote

import (
	"strconv"

	"github.com/hunter-project/hunter/internal/ledger"
)

// hunter reads what hunter's own agent tells beside its rows.
func (w *writeBody) hunter(in *incoming) error {
	return w.sc.members(func(name string) (err error) {
		switch name {
		case "unread":
			return w.list(func() error {
				var u ledger.Unread
				err := w.texts(map[string]*string{"path": &u.Path, "op": &u.Op, "reason": &u.Reason}, map[string]*int64{"size": &u.Size})
				if len(in.Unread) < maxUnread && w.account(rowCost+int64(len(u.Path)+len(u.Reason))) {
					in.Unread = append(in.Unread, u)
				}
				return err
			})
		case "left_out":
			return w.list(func() error {
				var l ledger.LeftOut
				err := w.texts(map[string]*string{"path": &l.Path, "reason": &l.Reason}, nil)
				if len(in.LeftOut) < maxUnread && w.account(rowCost+int64(len(l.Path)+len(l.Reason))) {
					in.LeftOut = append(in.LeftOut, l)
				}
				return err
			})
		case "unread_total":
			var n int64
			n, err = w.number()
			in.UnreadTotal = int(n)
		case "remembered":
			in.Remembered, err = w.number()
		default:
			err = w.sc.skip()
		}
		return err
	})
}

// list calls each for every element of a list, which must read it. What is no list is skipped.
func (w *writeBody) list(each func() error) error {
	c, err := w.sc.peek()
	if err != nil {
		return err
	}
	if c != '[' {
		return w.sc.skip()
	}
	w.sc.pos++
	for first := true; ; first = false {
		ok, err := w.sc.more(']', first)
		if err != nil || !ok {
			return err
		}
		if err := each(); err != nil {
			return err
		}
	}
}

// maxPath is longer than any path that a system takes.
const maxPath = 64 << 10

// texts reads an object into texts and numbers by the names of its members.
func (w *writeBody) texts(texts map[string]*string, numbers map[string]*int64) error {
	return w.sc.members(func(name string) (err error) {
		switch {
		case texts[name] != nil:
			var raw []byte
			raw, _, _, err = w.sc.scalar(w.row.bytes[:0], maxPath)
			w.row.bytes = raw[:0]
			*texts[name] = string(raw)
		case numbers[name] != nil:
			*numbers[name], err = w.number()
		default:
			err = w.sc.skip()
		}
		return err
	})
}

// maxNumber is more of anything than a machine has, and few enough that sums of it stay numbers.
const maxNumber = 1 << 50

// number reads a whole number that is not below 0; anything else is 0.
func (w *writeBody) number() (int64, error) {
	raw, _, _, err := w.sc.scalar(w.row.bytes[:0], maxWord)
	w.row.bytes = raw[:0]
	n, wrong := strconv.ParseInt(string(raw), 10, 64)
	if wrong != nil {
		n = 0
	}
	return min(max(n, 0), maxNumber), err
}
