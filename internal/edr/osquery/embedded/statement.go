//go:build sqlite_vtable

package embedded

import (
	"errors"
	"strings"
)

// statement is what the engine must know of a text before SQLite sees it.
type statement struct {
	text     string // without what follows its semicolon: the binding would run that too, and answer it instead
	collates bool   // it names a collation, so = may not mean the same bytes
}

// parse refuses a text that is not one statement.
func parse(text string) (statement, error) {
	var s statement
	if strings.ContainsRune(text, 0) {
		return s, errors.New("the text holds a zero byte") // SQLite would read up to it, and answer another question
	}
	begun, ended, collate := false, false, false
	s.text = text
	for at := 0; at < len(text); {
		n, word := token(text[at:])
		tok := text[at : at+n]
		at += n
		switch {
		case tok == ";":
			if begun && !ended {
				s.text, ended = text[:at-1], true
			}
			continue
		case blank(tok):
			continue
		case ended:
			return s, errors.New("the text holds more than one statement")
		}
		begun = true
		if collate && !strings.EqualFold(strings.Trim(tok, "\"'`[]"), "binary") {
			s.collates = true
		}
		collate = word && strings.EqualFold(tok, "collate")
	}
	if !begun {
		return s, errors.New("the text holds no statement")
	}
	return s, nil
}

// blank reports a comment or white space.
func blank(tok string) bool {
	return strings.HasPrefix(tok, "--") || strings.HasPrefix(tok, "/*") || strings.Trim(tok, " \t\n\f\r") == ""
}

// token gives the length of the first token of a text, which is not empty, and whether it is a word. Only what can hide
// a semicolon is told apart: literals, quoted names and comments; what has no end goes to the end of the text.
func token(text string) (n int, word bool) {
	until := func(from int, end string) int {
		if at := strings.Index(text[from:], end); at >= 0 {
			return from + at + len(end)
		}
		return len(text)
	}
	switch c := text[0]; {
	case strings.HasPrefix(text, "--"):
		return until(2, "\n"), false
	case strings.HasPrefix(text, "/*"):
		return until(2, "*/"), false
	case c == '\'' || c == '"' || c == '`': // a doubled quote inside makes two tokens of it, which does no harm
		return until(1, text[:1]), false
	case c == '[':
		return until(1, "]"), false
	case letter(c):
		for n < len(text) && letter(text[n]) {
			n++
		}
		return n, true
	}
	return 1, false
}

// letter reports a byte of a word: a letter, a digit, _, $ or a part of anything beyond ASCII.
func letter(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
