package remote

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

const (
	maxName    = 512     // bytes of a query's name: hunter's own are far shorter
	maxValue   = 1 << 20 // bytes of a value
	maxColumns = 64
	maxUnread  = 1000 // that hunter's own agent lists for one answer
	rowCost    = 512  // bytes that a row costs beside its values
	memoryStep = 1 << 20
)

// writeBody reads a distributed write from a stream: however long it is, what is kept of it is bounded.
type writeBody struct {
	sc     *scanner
	lim    Limits
	memory *room // of all writes; nil is no bound

	node    [maxKey]byte
	nodeLen int
	byName  map[string]*incoming
	order   []*incoming
	columns map[string]string // names of columns, each once
	taken   int64             // of memory
	kept    int64             // bytes of rows
	hits    int64             // bytes of hit rows beyond WriteKept
	starved bool              // memory was at its end: nothing of this write may be used
	dropped int               // names beyond the limit

	key, name []byte
	row       rowBuffer
}

// incoming is one answer while it is read.
type incoming struct {
	ledger.Delivery
	began    int64 // where its rows begin in the body
	size     int64 // of its rows in the body
	rows     int   // that are kept
	hits     int   // of them
	lost     int64 // rows that are not kept
	status   bool  // one came
	listed   bool  // its rows came
	noRows   bool  // what stood for them is none
	twice    bool
	cutValue bool
}

func newWriteBody(sc *scanner, lim Limits, memory *room) *writeBody {
	return &writeBody{sc: sc, lim: lim, memory: memory, byName: map[string]*incoming{}, columns: map[string]string{}}
}

// free gives back the memory of what was kept.
func (w *writeBody) free() {
	if w.memory != nil {
		w.memory.give(w.taken)
	}
	w.taken = 0
}

// parse reads the body to its end. errTooLarge leaves what was kept until then usable.
func (w *writeBody) parse() error {
	if err := w.sc.take('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		name, ok, err := w.sc.key(w.key[:0], first, 32)
		w.key = name
		if err != nil || !ok {
			return err
		}
		switch string(name) {
		case "node_key":
			var key []byte
			key, _, _, err = w.sc.scalar(w.node[:0], maxKey)
			w.nodeLen = copy(w.node[:], key)
		case "queries":
			err = w.each(w.rows)
		case "statuses":
			err = w.each(w.status)
		case "messages":
			err = w.each(w.message)
		case "hunter":
			err = w.each(w.hunter)
		default:
			err = w.sc.skip()
		}
		if err != nil {
			return err
		}
	}
}

// each hands every member of an object to read, with the answer of its name.
func (w *writeBody) each(read func(*incoming) error) error {
	c, err := w.sc.peek()
	if err != nil {
		return err
	}
	if c != '{' { // "" in some old versions
		return w.sc.skip()
	}
	w.sc.pos++
	for first := true; ; first = false {
		name, ok, err := w.sc.key(w.name[:0], first, maxName)
		w.name = name
		if err != nil || !ok {
			return err
		}
		in := w.answer(name)
		if in == nil {
			err = w.sc.skip()
		} else {
			err = read(in)
		}
		if err != nil {
			return err
		}
	}
}

// answer gives the answer of a name; nil when there are too many.
func (w *writeBody) answer(name []byte) *incoming {
	if in := w.byName[string(name)]; in != nil {
		return in
	}
	if len(w.order) >= w.lim.Names || !w.account(rowCost) {
		w.dropped++
		return nil
	}
	in := &incoming{Delivery: ledger.Delivery{Name: string(name)}}
	w.byName[in.Name] = in
	w.order = append(w.order, in)
	return in
}

// account takes memory for n bytes.
func (w *writeBody) account(n int64) bool {
	if w.starved {
		return false
	}
	w.kept += n
	for w.memory != nil && w.kept > w.taken {
		if !w.memory.take(memoryStep) {
			w.starved = true
			return false
		}
		w.taken += memoryStep
	}
	return true
}

func (w *writeBody) rows(in *incoming) error {
	in.twice = in.twice || in.listed
	in.listed = true
	c, err := w.sc.peek()
	if err != nil {
		return err
	}
	if c != '[' {
		text, _, ok, err := w.sc.scalar(w.row.bytes[:0], 1)
		in.noRows = in.noRows || !ok || len(text) > 0 // "" and null are an empty list
		return err
	}
	w.sc.pos++
	in.began = w.sc.read()
	for first := true; ; first = false {
		ok, err := w.sc.more(']', first)
		if err != nil || !ok {
			in.size += w.sc.read() - in.began
			return err
		}
		if c, err = w.sc.peek(); err != nil {
			return err
		}
		if c != '{' {
			in.noRows = true
			if err := w.sc.skip(); err != nil {
				return err
			}
			continue
		}
		if err := w.row.read(w.sc); err != nil {
			in.size += w.sc.read() - in.began
			return err
		}
		w.keep(in)
	}
}

// keep keeps the row that was read last, as long as there is room; hits as long as there is any.
func (w *writeBody) keep(in *incoming) {
	cost := int64(rowCost + len(w.row.bytes))
	hit := w.row.isHit()
	switch {
	case in.rows-in.hits < w.lim.Rows && w.kept-w.hits+cost <= w.lim.WriteKept && (!hit || in.hits < w.lim.Hits):
	case hit && in.hits < w.lim.Hits && w.hits+cost <= w.lim.HitsKept:
		w.hits += cost
	default:
		in.lost++
		return
	}
	if !w.account(cost) {
		in.lost++
		return
	}
	in.rows++
	if hit {
		in.hits++
	}
	in.cutValue = in.cutValue || w.row.cut
	in.Rows = append(in.Rows, w.row.make(w.columns))
}

func (w *writeBody) status(in *incoming) error {
	text, _, ok, err := w.sc.scalar(w.key[:0], maxWord)
	w.key = text
	if err != nil {
		return err
	}
	n, wrong := strconv.Atoi(string(text))
	if !ok || wrong != nil {
		n = 1
		in.Message = "its status is no number"
	}
	if !in.status || n != 0 { // of two the worse
		in.Status = n
	}
	in.status = true
	return nil
}

const maxMessage = 4096

func (w *writeBody) message(in *incoming) error {
	text, _, _, err := w.sc.scalar(w.key[:0], maxMessage)
	w.key = text
	if len(text) > 0 && w.account(int64(len(text))) {
		in.Message = string(text)
	}
	return err
}

// key gives the node key, "" when there was none.
func (w *writeBody) nodeKey() []byte { return w.node[:w.nodeLen] }

// deliveries gives the answers in the order in which they came. cut is that the body went on beyond its limit.
func (w *writeBody) deliveries(agent string, cut bool, at time.Time) []ledger.Delivery {
	out := make([]ledger.Delivery, 0, len(w.order))
	for _, in := range w.order {
		d := in.Delivery
		d.ReceivedAt = at
		d.Cut = in.why(cut)
		if agent != ledger.AgentHunter {
			d.Unread, d.UnreadTotal, d.LeftOut, d.Remembered = nil, 0, nil, 0
		}
		out = append(out, d)
	}
	return out
}

// why says what of an answer is not here, "" when all is.
func (in *incoming) why(cut bool) string {
	switch {
	case in.lost > 0, cut:
		return fmt.Sprintf("answer too large: %s, of which %d rows are kept", ledger.Size(in.size), in.rows)
	case in.cutValue:
		return "answer too large: a value or a row of it"
	case in.noRows:
		return "its rows are no list of rows"
	case in.twice:
		return "it came twice in one write"
	case in.listed && !in.status:
		return "no status came with it"
	}
	return ""
}
