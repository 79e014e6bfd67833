package results

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Who said that a node may be sent digests.
const (
	ApprovedAtEnrolment = "enrolment" // the rule is auto
	ApprovedByLabel     = "label"     // it had a label of the rule when it was last looked at
	ApprovedByPerson    = "person"
)

// Approval is the rule by which nodes may be sent digests. What nobody approved is asked blind: digests come back, and are
// compared on the server. The zero rule is manual.
type Approval struct {
	Auto   bool     // every node that enrols: ledger.Enrolment.Approved
	Labels []string // nodes that have one of these labels, as long as they have it
}

// ParseApproval reads a rule: auto, manual, or label:NAME for each label that approves.
func ParseApproval(words []string) (Approval, error) {
	var out Approval
	manual := false
	for _, w := range words {
		label, isLabel := strings.CutPrefix(w, "label:")
		switch {
		case w == "auto":
			out.Auto = true
		case w == "manual":
			manual = true
		case isLabel && label != "":
			out.Labels = append(out.Labels, label)
		default:
			return Approval{}, fmt.Errorf("approval %q: auto, manual or label:NAME is due", w)
		}
	}
	if n := len(out.Labels); (out.Auto && (manual || n > 0)) || (manual && n > 0) {
		return Approval{}, fmt.Errorf("approval %s: auto and manual stand alone", strings.Join(words, ", "))
	}
	return out, nil
}

// byLabels says what the labels of a node make of its approval.
func (a Approval) byLabels(approved bool, by string, labels []string) (bool, string) {
	if len(a.Labels) == 0 {
		return approved, by
	}
	has := slices.ContainsFunc(a.Labels, func(l string) bool { return slices.Contains(labels, l) })
	switch {
	case has && !approved:
		return true, ApprovedByLabel
	case !has && by == ApprovedByLabel:
		return false, ""
	default:
		return approved, by
	}
}

// Approve lets nodes be sent digests. Hosts are ids, host names or identifiers; when one of them is not known, or is the name of
// several, nothing changes and each fault is named. It gives the ids.
func (s *Store) Approve(ctx context.Context, hosts []string) ([]string, error) {
	return s.eachNode(ctx, "approve hosts", hosts, func(tx *sql.Tx, id string) error {
		_, err := tx.ExecContext(ctx, `UPDATE node SET approved = 1, approved_by = ? WHERE id = ?`, ApprovedByPerson, id)
		return err
	})
}

// Unapprove takes that back: from now on nothing is handed out that tells digests. What the nodes were sent before, they know.
func (s *Store) Unapprove(ctx context.Context, hosts []string) ([]string, error) {
	return s.eachNode(ctx, "take back the approval of hosts", hosts, func(tx *sql.Tx, id string) error {
		_, err := tx.ExecContext(ctx, `UPDATE node SET approved = 0, approved_by = '' WHERE id = ?`, id)
		return err
	})
}

// tells tests whether a question u tells its endpoint digests: ledger.Query.Tells.
const tells = `(coalesce(json_array_length(u.body, '$.hashes'), 0) > 0 AND coalesce(json_extract(u.body, '$.blind'), 0) = 0)`

// untold reports whether a post would tell digests to a node that is not approved, however it came into the outbox. One that is due
// is held then: its run has to ask in other words.
func untold(ctx context.Context, tx *sql.Tx, p posted) (hold bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM node n CROSS JOIN question u ON u.digest = ? WHERE n.id = ? AND n.approved = 0 AND `+tells+`)`,
		p.question, p.node).Scan(&hold)
	if err != nil || !hold || p.post.State != ledger.PostDue {
		return hold, err
	}
	p.post.State = ledger.PostHeld
	return true, keepPost(ctx, tx, p.node, p.post)
}

// Forget removes nodes with their keys, names and labels, so that their agents have to enrol anew, as other endpoints. What runs
// recorded of them stays.
func (s *Store) Forget(ctx context.Context, hosts []string) ([]string, error) {
	return s.eachNode(ctx, "forget hosts", hosts, func(tx *sql.Tx, id string) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM node WHERE id = ?`, id)
		return err
	})
}

// eachNode finds the nodes of all names first, and then does work to each, in one transaction.
func (s *Store) eachNode(ctx context.Context, what string, hosts []string, work func(tx *sql.Tx, id string) error) (ids []string, err error) {
	err = s.tx(ctx, what, func(tx *sql.Tx) error {
		ids = nil
		var faults []error
		for _, h := range hosts {
			id, err := nodeNamed(ctx, tx, h)
			if err != nil {
				faults = append(faults, err)
			} else if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		if err := errors.Join(faults...); err != nil {
			return err
		}
		for _, id := range ids {
			if err := work(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// nodeNamed gives the id of the one node with an id, host name or identifier.
func nodeNamed(ctx context.Context, tx *sql.Tx, host string) (string, error) {
	var found []byte
	if err := tx.QueryRowContext(ctx, `SELECT json_group_array(id) FROM (SELECT id FROM node WHERE id = ?1 UNION SELECT id FROM node WHERE identifier = ?1
		UNION SELECT id FROM node WHERE lower(hostname) = lower(?1) ORDER BY id LIMIT 6)`, host).Scan(&found); err != nil {
		return "", err
	}
	var ids []string
	if err := unpack(found, &ids); err != nil {
		return "", err
	}
	switch {
	case len(ids) == 0:
		return "", fmt.Errorf("host %q: %w", diag.Escape(host), ErrNoNode)
	case len(ids) > 1 && !slices.Contains(ids, host):
		return "", fmt.Errorf("host %q is %s: %w", diag.Escape(host), strings.Join(ids, ", "), ErrManyNodes)
	case slices.Contains(ids, host):
		return host, nil
	}
	return ids[0], nil
}
