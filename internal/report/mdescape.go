package report

import (
	"regexp"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
)

var (
	// What a renderer of Markdown makes a link, a mention, a reference or a picture of, without any mark around it.
	mdLinks = regexp.MustCompile(`(?i)@|://|www\.|#[0-9]|gh-[0-9]|mailto:|xmpp:|:[a-z+-][a-z0-9_+-]*:`)
	// What begins a list, and would begin one inside of ours.
	mdNumber = regexp.MustCompile(`^([0-9]+)([.)])`)
)

// mdText writes foreign text as running text of Markdown. What would become a link or a mention all the same is written as
// code.
func mdText(s string) string {
	s = strings.TrimSpace(diag.Escape(s))
	if mdLinks.MatchString(s) {
		return mdCode(s)
	}
	var b strings.Builder
	for i, r := range s {
		if strings.ContainsRune("\\`*_[]<>|~&$", r) || i == 0 && strings.ContainsRune("#+-=", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return mdNumber.ReplaceAllString(b.String(), `$1\$2`)
}

// mdCode writes foreign text as code, in which nothing has a meaning: no link, no picture, no HTML.
func mdCode(s string) string {
	s = diag.Escape(s)
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s)+1)
	if s[0] == '`' || s[len(s)-1] == '`' || strings.TrimSpace(s) != s || strings.TrimSpace(s) == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

// mdCell is mdCode in a cell of a table, where a bar would end the cell, in code too.
func mdCell(s string) string { return strings.ReplaceAll(mdCode(s), "|", `\|`) }

// longestRun counts the longest row of backquotes in s.
func longestRun(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// mdBlock writes a text of many lines as a block of code. Its fence is longer than any in the text.
func mdBlock(language, s string) string {
	fence := strings.Repeat("`", max(longestRun(s)+1, 3))
	return fence + language + "\n" + strings.TrimRight(s, "\n") + "\n" + fence + "\n"
}
