package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
)

var huntName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// question is asked until take takes the answer.
type question struct {
	text, def string
	take      func(answer string) error
}

// questions gives what hunter init asks; an empty answer is the default.
func (f *firstHunt) questions() []question {
	return []question{
		{"Name of the hunt", f.Name, func(a string) error {
			if !huntName.MatchString(a) {
				return errors.New("lower case, digits and '-' make a name")
			}
			f.Name = a
			return nil
		}},
		{"What it starts from: an alert file, a hash, the id of a report, or nothing yet", "nothing yet", f.start},
		{"Folder or file of intelligence (MISP, STIX, CSV, lists)", "what is imported", func(a string) error {
			if a == "what is imported" {
				return nil
			}
			if _, err := os.Stat(a); err != nil {
				return err
			}
			f.Intel = []string{a}
			return nil
		}},
		{"Ask iSIGHT ThreatScape too (yes, no)", "no", func(a string) error {
			switch strings.ToLower(a) {
			case "y", "yes":
				f.ThreatScape = true
			case "n", "no":
			default:
				return errors.New("yes or no")
			}
			return nil
		}},
		{"Address of Carbon Black EDR", "none", func(a string) error {
			if a == "none" {
				return nil
			}
			u, err := url.Parse(a)
			if err != nil || u.Host == "" || u.Scheme != "https" {
				return errors.New("an address such as https://cb.example")
			}
			f.CarbonBlack = a
			return nil
		}},
		{"TLP label (clear, green, amber, amber+strict, red)", f.TLP, func(a string) error {
			tlp, ok := indicator.ParseTLP(a)
			if !ok {
				return errors.New("no such label")
			}
			f.TLP = string(tlp)
			return nil
		}},
	}
}

// start takes an alert file, a hash, or else the id of a report.
func (f *firstHunt) start(a string) error {
	if a == "nothing yet" {
		return nil
	}
	if h, err := indicator.ParseHash(a); err == nil {
		f.Hashes = []string{h.Value}
		return nil
	}
	if info, err := os.Stat(a); err == nil {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no file", a)
		}
		f.Alert = a
		return nil
	}
	if strings.ContainsAny(a, `/\ `) || strings.HasSuffix(a, ".json") {
		return errors.New("no such file, and neither a hash nor the id of a report")
	}
	f.Report = a
	return nil
}

// ask puts the questions to a person.
func (f *firstHunt) ask(in io.Reader, out io.Writer) error {
	const longest, attempts = 4096, 5
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longest)
	for _, q := range f.questions() {
		for n := 1; ; n++ {
			if _, err := fmt.Fprintf(out, "%s [%s]: ", q.text, diag.Escape(q.def)); err != nil {
				return err
			}
			if !lines.Scan() {
				if err := lines.Err(); err != nil {
					return fmt.Errorf("read the answer: %w", err)
				}
				return errors.New("the questions were left before their end; nothing is written (--yes takes the defaults)")
			}
			answer := strings.TrimSpace(lines.Text())
			if answer == "" {
				answer = q.def
			}
			err := q.take(answer)
			if err == nil {
				break
			}
			if n == attempts {
				return fmt.Errorf("%s: %w", q.text, err)
			}
			if _, err := fmt.Fprintf(out, "  %s\n", diag.Escape(err.Error())); err != nil {
				return err
			}
		}
	}
	return nil
}
