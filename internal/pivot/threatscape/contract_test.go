package threatscape_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/pivottest"
	"github.com/hunter-project/hunter/internal/pivot/threatscape"
	"github.com/hunter-project/hunter/internal/pivot/threatscape/threatscapetest"
	"github.com/hunter-project/hunter/internal/secret"
)

// The provider passes the suite in both forms in which the service answers.
func TestContract(t *testing.T) {
	t.Run("json", func(t *testing.T) {
		s := contractSubject(t, "json")
		s.Refusals = []pivottest.Reply{
			{Name: "success false", Body: string(threatscapetest.Read("error_200_success_false.json"))},
			{Name: "success without a message", Body: `{"success":true}`},
			{Name: "success with another message", Body: `{"success":true,"message":{}}`},
			{Name: "success with a text", Body: `{"success":true,"message":"maintenance"}`},
		}
		s.Unknown = append(s.Unknown, pivottest.Reply{Name: "an empty list", Body: string(threatscapetest.Read("pivot_indicator_empty_list.json"))})
		s.Recorded = recordedFile()
		pivottest.Run(t, s)
	})
	t.Run("xml", func(t *testing.T) {
		s := contractSubject(t, "xml")
		s.Refusals = []pivottest.Reply{
			{Name: "success false", Type: "text/xml", Body: "<r><success>false</success><message><error>no</error></message></r>"},
			{Name: "success without a message", Type: "text/xml", Body: "<r><success>true</success></r>"}}
		s.Lacks = map[pivottest.Case]string{pivottest.CaseRecorded: "nobody has shown an answer in XML; the one in testdata is made after the one in JSON"}
		pivottest.Run(t, s)
	})
}

// contractSubject tells the suite how the provider is made and how its service words a world.
func contractSubject(t *testing.T, accept string) pivottest.Subject {
	t.Helper()
	dir := t.TempDir()
	return pivottest.Subject{
		Name: "threatscape",
		New: func(t testing.TB, s pivottest.Setup) pivot.Provider {
			t.Helper()
			opt := threatscape.Options{Config: contractConfig(t, dir, accept), MaxTLP: s.MaxTLP, HTTP: s.HTTP}
			opt.Config.URL = s.URL
			p, err := threatscape.New("threatscape", opt)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() })
			return p
		},
		Serve: func(w pivottest.World) http.Handler { return serveWorld(w, accept) },
		Kinds: []indicator.Kind{
			indicator.SHA256, indicator.SHA1, indicator.MD5, indicator.IPv4, indicator.IPv6, indicator.Domain, indicator.URL, indicator.Email,
			indicator.Filename, indicator.RegistryKey,
		},
		ReportID: func(n int) string { return fmt.Sprintf("15-%08d", n) },
		Unknown: []pivottest.Reply{
			{Name: "204", Status: http.StatusNoContent},
		},
		UnknownReport: []pivottest.Reply{{Name: "404", Status: http.StatusNotFound, Type: "text/html", Body: string(threatscapetest.Read("error_404.html"))}},
		Secrets:       []string{threatscapetest.PublicKey, threatscapetest.PrivateKey},
		SecretHeaders: []string{"X-Auth", "X-Auth-Hash"},
		KeySettings:   []string{"public_key", "private_key"},
		Config:        contractConfig(t, dir, accept),
	}
}

// recordedFile is the answer about the alert's file.
func recordedFile() []pivottest.Recorded {
	return []pivottest.Recorded{{
		Name:    "the alert's file",
		Service: pivottest.Reply{Body: string(threatscapetest.Read("pivot_indicator_sha256.json"))},
		Ask:     hash(indicator.SHA256, "3b7606979f3b55bcc110b8ccadb78597bd949534a4a61017e0e95a8541ae0561"),
		Files: []indicator.File{
			{
				MD5: "03b86596559fe700bc4246bc4995ffd9", SHA1: "ddfccb8f030fcd4f79333764fad3298260db118d",
				SHA256: "3b7606979f3b55bcc110b8ccadb78597bd949534a4a61017e0e95a8541ae0561", Size: 24,
			},
			{MD5: "51a4e65ff3fab66bfb50f2f2d221363c", Size: 24},
		},
		Reached: []indicator.Indicator{
			hash(indicator.SHA256, "7da1c40cc73581c4031530f4abb7dc6149fcaf782f5a8fecbbe9af33a68e680f"),
			hash(indicator.SHA256, "48cdf10d3ac4909dc1a5112b37f994a9b4f72c2fbb3e0ab765a91027a6c0c00d"),
		},
		Refused: []indicator.Indicator{ // the empty file, the victim's own tool
			hash(indicator.SHA256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
			hash(indicator.SHA256, "a43101b8dabe1732bfef0714b7fd31ce2598a6a9c744e6dbcd9ca49a0970282e"),
		},
	}}
}

func hash(k indicator.Kind, v string) indicator.Indicator {
	return indicator.Indicator{Kind: k, Value: v}
}

// contractConfig names the keys that the recorded service takes, in files.
func contractConfig(t testing.TB, dir, accept string) threatscape.Config {
	t.Helper()
	ref := func(name, value string) secret.Ref {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := secret.ParseRef("file:" + path)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	return threatscape.Config{PublicKey: ref("public", threatscapetest.PublicKey), PrivateKey: ref("private", threatscapetest.PrivateKey), Accept: accept}
}

// serveWorld words a world as ThreatScape does: one flat row for each thing that a report names.
func serveWorld(w pivottest.World, accept string) http.Handler {
	all := map[string][]map[string]any{}
	for _, r := range w.Reports {
		all[r.ID] = rowsOf(r)
	}
	mux := http.NewServeMux()
	pivoted := func(rw http.ResponseWriter, typ, value string) {
		var rows []map[string]any
		for _, r := range w.Reports {
			if names(r, typ, value) {
				rows = append(rows, all[r.ID]...)
			}
		}
		serveRows(rw, accept, rows)
	}
	mux.HandleFunc("GET /pivot/indicator/{type}/{value}", func(rw http.ResponseWriter, r *http.Request) {
		pivoted(rw, r.PathValue("type"), r.PathValue("value"))
	})
	mux.HandleFunc("GET /pivot/indicator/url", func(rw http.ResponseWriter, r *http.Request) { pivoted(rw, "url", r.URL.Query().Get("value")) })
	mux.HandleFunc("GET /pivot/report/{id}/indicator", func(rw http.ResponseWriter, r *http.Request) {
		serveRows(rw, accept, all[r.PathValue("id")])
	})
	mux.HandleFunc("GET /pivot/report/{id}/report", func(rw http.ResponseWriter, r *http.Request) {
		report, _ := w.Report(r.PathValue("id"))
		var rows []map[string]any
		for _, id := range report.Related {
			rows = append(rows, map[string]any{"reportId": id})
		}
		serveRows(rw, accept, rows)
	})
	return mux
}

// serveRows answers with rows, or with 204 when there are none.
func serveRows(w http.ResponseWriter, accept string, rows []map[string]any) {
	switch {
	case len(rows) == 0:
		w.WriteHeader(http.StatusNoContent)
	case accept == "json":
		w.Header().Set("Content-Type", "application/json")
		message := map[string]any{"publishedIndicators": rows}
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "message": message}) // the client may have hung up
	default:
		w.Header().Set("Content-Type", "text/xml")
		var b bytes.Buffer
		b.WriteString("<result><success>true</success><message>")
		for _, row := range rows {
			b.WriteString("<indicatorsAndWarning>")
			for _, name := range slices.Sorted(maps.Keys(row)) {
				if value := row[name]; value != nil {
					b.WriteString("<" + name + ">")
					_ = xml.EscapeText(&b, []byte(fmt.Sprint(value))) // to memory
					b.WriteString("</" + name + ">")
				}
			}
			b.WriteString("</indicatorsAndWarning>")
		}
		b.WriteString("</message></result>")
		_, _ = w.Write(b.Bytes()) // the client may have hung up
	}
}

// field names the field of a row and the type of the pivot for a kind.
func field(k indicator.Kind) (row, typ string) {
	switch k {
	case indicator.IPv4, indicator.IPv6:
		return "ip", "ip"
	case indicator.Email:
		return "senderAddress", "emailName"
	case indicator.Filename:
		return "fileName", "fileName"
	case indicator.RegistryKey:
		return "registry", "registryKey"
	default:
		return string(k), string(k)
	}
}

// names reports whether a report holds what is asked for. Names of files are compared in lower case.
func names(r pivottest.Report, typ, value string) bool {
	for _, m := range r.Members {
		for _, i := range m.All() {
			if _, own := field(i.Kind); own == typ && (i.Value == value || (typ == "fileName" && strings.EqualFold(i.Value, value))) {
				return true
			}
		}
	}
	return false
}

func rowsOf(r pivottest.Report) []map[string]any {
	var out []map[string]any
	for _, m := range r.Members {
		tag := map[pivottest.Trust]string{pivottest.Sure: "Attacker", pivottest.Doubtful: "Related", pivottest.Victim: "Victim"}[m.Trust]
		row := map[string]any{
			"reportId": r.ID, "title": r.Title, "publishDate": r.Published.Unix(), "ThreatScape": "Cyber Crime", "intelligenceType": "malware",
			"fileIdentifier": tag, "networkIdentifier": nil, "md5": nil, "sha1": nil, "sha256": nil, "fileName": nil, "fileSize": nil,
		}
		for _, i := range m.All() {
			name, _ := field(i.Kind)
			row[name] = i.Value
		}
		if len(m.File.Names) > 0 {
			row["fileName"], row["fileSize"] = m.File.Names[0], m.File.Size
		}
		out = append(out, row)
	}
	return out
}
