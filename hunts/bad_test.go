package hunts_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/hunts"
)

// faults parses one file called f.yaml and gives its diagnostics, one a line.
func faults(text string) string {
	_, list := hunts.Parse([]hunts.Source{{Name: "f.yaml", Data: []byte(text)}}, catalog())
	return list.Error()
}

// oneHunt puts lines into a hunt that is right otherwise; they begin on line 5.
func oneHunt(lines ...string) string {
	return "version: 1\nhunts:\n  - name: a\n    seed: {report: r1}\n    " + strings.Join(lines, "\n    ") + "\n"
}

type badCase struct{ name, text, want string }

func run(t *testing.T, tests []badCase) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, faults(tt.text)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadStructure(t *testing.T) {
	t.Parallel()
	run(t, []badCase{
		{"unknown key", oneHunt("titel: x"),
			`f.yaml:5:5: error: unknown key "titel" in hunt "a"; did you mean "title"?`},
		{"unknown key at the top", "version: 1\nhunt: []\n",
			`f.yaml:2:1: error: unknown key "hunt"; did you mean "hunts"?`},
		{"unknown key deep", oneHunt("run: {stop_if: {error: 20%}}"),
			`f.yaml:5:21: error: unknown key "error" in stop_if; did you mean "errors"?`},
		{"unknown key without likeness", oneHunt("pivot: {zzzzzz: 1}"),
			`f.yaml:5:13: error: unknown key "zzzzzz" in pivot; known keys: providers, depth, kinds, min_confidence, follow, refresh, max_indicators, max_per_report, max_reports`},
		{"unknown key of a provider", "version: 1\nproviders:\n  - {name: a, type: files, pathes: [x]}\n",
			`f.yaml:3:28: error: unknown key "pathes" in a provider of type files; did you mean "paths"?`},
		{"common key of the other sort", "version: 1\nproviders:\n  - {name: a, type: files, hash_types: [md5]}\n",
			`f.yaml:3:28: error: unknown key "hash_types" in a provider of type files; known keys: name, type, max_tlp, paths, tlp, confidence`},
		{"duplicate key", oneHunt("tlp: red", "title: x", "tlp: green"),
			`f.yaml:7:5: error: key "tlp" is given twice; first on line 5`},
		{"no version", "hunts: []\n",
			"f.yaml:1:1: error: version is missing; Version of the file format: always 1"},
		{"version 2", "version: 2\n",
			"f.yaml:1:10: error: version 2 is not known; it can only be 1"},
		{"version as text", "version: \"1\"\n",
			"f.yaml:1:10: error: version: a whole number is due, not a text; write it without quotes"},
		{"empty", "",
			"f.yaml:1:1: error: the file is empty; begin it with version: 1"},
		{"comment alone", "# nothing\n",
			"f.yaml:1:1: error: the file is empty; begin it with version: 1"},
		{"a list", "- version: 1\n",
			"f.yaml:1:1: error: a hunts file is a section, not a list; begin it with version: 1"},
		{"a text", "version 1\n",
			"f.yaml:1:1: error: a hunts file is a section, not a text; begin it with version: 1"},
		{"null value", oneHunt("tags:"),
			"f.yaml:5:5: error: tags: a value is due; leave the key out for the default"},
		{"null word", oneHunt("tags: ~"),
			"f.yaml:5:11: error: tags: a value is due; leave the key out for the default"},
		{"null item", oneHunt("tags: [a, ~]"),
			"f.yaml:5:15: error: an empty list item; write a value or delete the '-'"},
		{"null item in a block", oneHunt("tags:", "  - a", "  -", "  - b"),
			"f.yaml:7:7: error: an empty list item; write a value or delete the '-'"},
		{"null hunt", "version: 1\nhunts:\n  -\n",
			"f.yaml:3:3: error: an empty list item; write a value or delete the '-'"},
		{"list due", oneHunt("tags: a"),
			"f.yaml:5:11: error: tags: a list is due, not a text; write it in brackets: […]"},
		{"list of sections due", "version: 1\nhunts:\n  name: a\n",
			"f.yaml:3:3: error: hunts: a list is due, not a section; begin each entry with '- '"},
		{"section due", oneHunt("pivot: [depth]"),
			"f.yaml:5:12: error: pivot: a section is due, not a list; its keys: providers, depth, kinds, min_confidence, follow, refresh, max_indicators, max_per_report, max_reports"},
		{"text due", oneHunt("title: [a]"),
			"f.yaml:5:12: error: title: a text is due, not a list"},
		{"text due, not true", oneHunt("title: true"),
			`f.yaml:5:12: error: title: a text is due, not true or false; put it in quotes: "true"`},
		{"number due", oneHunt("pivot: {depth: two}"),
			"f.yaml:5:20: error: depth: a whole number is due, not a text"},
		{"number in quotes", oneHunt("pivot: {depth: \"2\"}"),
			"f.yaml:5:20: error: depth: a whole number is due, not a text; write it without quotes"},
		{"fraction", oneHunt("pivot: {depth: 1.5}"),
			`f.yaml:5:20: error: depth: a whole number is due, not "1.5"`},
		{"octal", oneHunt("pivot: {depth: 010}"),
			`f.yaml:5:20: error: depth: a whole number is due, not "010"`},
		{"truth due", "version: 1\ntools: [{name: a, type: carbonblack_edr, url: \"https://x\", token: env:T, insecure: 1}]\n",
			"f.yaml:2:84: error: insecure: true or false is due, not a number"},
		{"empty text", oneHunt("title: \"\""),
			"f.yaml:5:12: error: title: the text is empty; leave the key out for the default"},
		{"tag", oneHunt("title: !!str x"),
			`f.yaml:5:12: error: tag "!!str" is not read here; write the value without the tag`},
		{"alias", "version: 1\ndefaults: &d {tlp: red}\nhunts:\n  - {name: a, seed: {report: r}, pivot: *d}\n",
			`f.yaml:4:41: error: alias "*d" is not read here; write the value out, or say it once under defaults`},
		{"merge key", "version: 1\nhunts:\n  - <<: {tlp: red}\n    name: a\n    seed: {report: r}\n",
			"f.yaml:3:5: error: the merge key << is not read here; write the keys out, or say them once under defaults"},
		{"key no word", "version: 1\n? [a]\n: b\n",
			"f.yaml:2:3: error: a key must be a word"},
		{"two documents", "version: 1\n---\nversion: 1\n",
			"f.yaml:2:1: error: a second document in one file; put it into a file of its own, or remove the ---"},
		{"paths without platform", oneHunt("search: {paths: [/home]}"),
			"f.yaml:5:21: error: paths: a section is due, not a list; its keys: linux, darwin, windows; such as {linux: …}"},
		{"several", oneHunt("titel: x", "pivot: {depth: 99, kinds: [sha257]}", "tlp: purple"),
			"f.yaml:5:5: error: unknown key \"titel\" in hunt \"a\"; did you mean \"title\"?\n" +
				"f.yaml:6:20: error: depth: 99 is out of range; from 0 to 10\n" +
				"f.yaml:6:32: error: unknown kind \"sha257\"; did you mean \"sha256\"?\n" +
				"f.yaml:7:10: error: unknown TLP label \"purple\"; one of: clear, green, amber, amber+strict, red"},
	})
}

func TestBadValues(t *testing.T) {
	t.Parallel()
	hash := func(h string) string { return "version: 1\nhunts:\n  - {name: a, seed: {hashes: [" + h + "]}}\n" }
	cron := func(spec string) string { return oneHunt("schedule: \"" + spec + "\"") }
	run(t, []badCase{
		{"hash as a section", hash("{md5: x}"),
			"f.yaml:3:31: error: hashes: a text is due, not a section"},
		{"hashes empty", hash(""),
			"f.yaml:3:30: error: hashes: the list is empty; leave the key out for the default"},
		{"hash twice", hash("d41d8cd98f00b204e9800998ecf84270, D41D8CD98F00B204E9800998ECF84270"),
			"f.yaml:3:65: warning: this hash is given twice; delete one"},
		{"cron TZ=UTC", cron("TZ=UTC"),
			`f.yaml:5:15: error: bad schedule "TZ=UTC": TZ= is not read here; write CRON_TZ=Zone and then the five fields`},
		{"cron TZ= with fields", cron("TZ=UTC 17 3 * * *"),
			`f.yaml:5:15: error: bad schedule "TZ=UTC 17 3 * * *": TZ= is not read here; write CRON_TZ=Zone and then the five fields`},
		{"cron zone alone", cron("CRON_TZ=Europe/Berlin"),
			`f.yaml:5:15: error: bad schedule "CRON_TZ=Europe/Berlin": a time zone and no schedule; write the five fields behind it: CRON_TZ=Europe/Berlin 17 3 * * *`},
		{"cron unknown zone", cron("CRON_TZ=Europe/Berlim 17 3 * * *"),
			`f.yaml:5:15: error: bad schedule "CRON_TZ=Europe/Berlim 17 3 * * *": unknown time zone "Europe/Berlim"; zones are named as in Europe/Berlin or UTC`},
		{"cron never", cron("0 0 31 2 *"),
			`f.yaml:5:15: error: bad schedule "0 0 31 2 *": this date never comes; look at day and month`},
		{"cron too few fields", cron("17 3 *"),
			`f.yaml:5:15: error: bad schedule "17 3 *": expected exactly 5 fields, found 3: [17 3 *]; five fields are due (minute hour day month weekday), @daily and the like, or @every 6h`},
		{"cron six fields", cron("0 17 3 * * *"),
			`f.yaml:5:15: error: bad schedule "0 17 3 * * *": expected exactly 5 fields, found 6: [0 17 3 * * *]; five fields are due (minute hour day month weekday), @daily and the like, or @every 6h`},
		{"cron out of range", cron("61 3 * * *"),
			`f.yaml:5:15: error: bad schedule "61 3 * * *": end of range (61) above maximum (59): 61; five fields are due (minute hour day month weekday), @daily and the like, or @every 6h`},
		{"cron every second", cron("@every 1s"),
			`f.yaml:5:15: error: bad schedule "@every 1s": less than a minute; write @every 1m or more`},
		{"cron every nothing", cron("@every x"),
			`f.yaml:5:15: error: bad schedule "@every x": failed to parse duration @every x: time: invalid duration "x"; five fields are due (minute hour day month weekday), @daily and the like, or @every 6h`},
		{"cron reboot", cron("@reboot"),
			`f.yaml:5:15: error: bad schedule "@reboot": unrecognized descriptor: @reboot; five fields are due (minute hour day month weekday), @daily and the like, or @every 6h`},
		{"cron empty", cron(""),
			"f.yaml:5:15: error: schedule: the text is empty; leave the key out for the default"},
		{"status", oneHunt("status: stabel"),
			`f.yaml:5:13: error: unknown status "stabel"; did you mean "stable"?`},
		{"tlp", oneHunt("tlp: WHITE"),
			`f.yaml:5:10: error: unknown TLP label "WHITE"; write clear`},
		{"kind", oneHunt("pivot: {kinds: [sha-256]}"),
			`f.yaml:5:21: error: unknown kind "sha-256"; did you mean "sha256"?`},
		{"kind that is not hunted", oneHunt("pivot: {kinds: [ipv4]}"),
			`f.yaml:5:21: error: kind "ipv4" can not be used in kinds; one of: sha256, sha1, md5`},
		{"relation", oneHunt("pivot: {follow: [releated_report]}"),
			`f.yaml:5:22: error: unknown relation "releated_report"; did you mean "related_report"?`},
		{"stage", oneHunt("search: {where: [procs, filez]}"),
			"f.yaml:5:22: error: unknown stage \"procs\"; one of: running, autoruns, files\n" +
				"f.yaml:5:29: error: unknown stage \"filez\"; did you mean \"files\"?"},
		{"platform", oneHunt("search: {paths: {macos: [/Users]}}"),
			`f.yaml:5:22: error: unknown platform "macos" in paths; write darwin`},
		{"platform of targets", oneHunt("targets: {platforms: [linus]}"),
			`f.yaml:5:27: error: unknown platform "linus"; did you mean "linux"?`},
		{"unsized", oneHunt("search: {unsized: all}"),
			`f.yaml:5:23: error: unknown choice for unsized "all"; one of: places, full, skip`},
		{"percent", oneHunt("run: {stop_if: {errors: 120%, denylisted: 0.05, prevalence: -1%}}"),
			"f.yaml:5:29: error: errors: a percentage is due, from 0% to 100%, such as 20%, not \"120%\"\n" +
				"f.yaml:5:47: error: denylisted: a percentage is due, from 0% to 100%, such as 20%, not \"0.05\"\n" +
				"f.yaml:5:65: error: prevalence: a percentage is due, from 0% to 100%, such as 20%, not \"-1%\""},
		{"rate", oneHunt("run: {rate: 3000}"),
			`f.yaml:5:17: error: rate: a rate is due, such as 3000/min, 10/s or 500/h, not "3000"`},
		{"rate of zero", oneHunt("run: {rate: 0/min}"),
			`f.yaml:5:17: error: rate: a rate from 1 to 100000000 is due, not "0/min"`},
		{"duration", oneHunt("run: {timeout: 15, late: 14 days}"),
			"f.yaml:5:20: error: timeout: a length of time is due, such as 15m, 6h or 14d, not \"15\"\n" +
				"f.yaml:5:30: error: late: a length of time is due, such as 15m, 6h or 14d, not \"14 days\""},
		{"duration of nothing", oneHunt("run: {timeout: 0s}"),
			"f.yaml:5:20: error: timeout: more than nothing is due; such as 15m or 7d"},
		{"size", oneHunt("search: {max_size: 50 megs}"),
			`f.yaml:5:24: error: max_size: a size with a unit is due, such as 50MiB, not "50 megs"`},
		{"size of nothing", oneHunt("search: {max_size: 0}"),
			"f.yaml:5:24: error: max_size: more than nothing is due; such as 50MiB"},
		{"confidence", oneHunt("pivot: {min_confidence: 101}"),
			"f.yaml:5:29: error: min_confidence: 101 is out of range; from 0 to 100"},
		{"number too big", oneHunt("pivot: {max_indicators: 99999999999999999999}"),
			`f.yaml:5:29: error: max_indicators: a whole number is due, not "99999999999999999999"`},
		{"pattern", oneHunt("targets: {hosts: [\"web[\"]}"),
			`f.yaml:5:23: error: bad pattern "web["; * matches any text, ? one character; close brackets`},
		{"relative root", oneHunt("search: {paths: {linux: [home], windows: [Users], darwin: [~/x]}}"),
			"f.yaml:5:30: error: \"home\" is no root folder for linux; write the whole path from /, or ./ in front for a folder beside this file\n" +
				"f.yaml:5:47: error: \"Users\" is no root folder for windows; write the whole path with its drive, such as 'C:\\Users'\n" +
				"f.yaml:5:64: error: \"~/x\" is no root folder for darwin; write the whole path from /, or ./ in front for a folder beside this file"},
		{"root with a star", oneHunt("search: {paths: {linux: [\"/home/*\"]}}"),
			`f.yaml:5:30: error: "/home/*" is no root folder for linux; * and ? are not read here; name the folder above, everything below is walked`},
		{"root list empty", oneHunt("search: {paths: {linux: []}}"),
			"f.yaml:5:29: error: no folders for linux; leave the platform out for its usual places"},
		{"plug-in number", "version: 1\nproviders: [{name: a, type: files, confidence: 200}]\n",
			"f.yaml:2:48: error: confidence: 200 is out of range; from 0 to 100"},
		{"plug-in duration", "version: 1\nproviders: [{name: a, type: threatscape, public_key: env:A, private_key: env:B, cache: soon}]\n",
			`f.yaml:2:88: error: cache: a length of time is due, such as 15m, 6h or 14d, not "soon"`},
		{"plug-in key missing", "version: 1\nproviders: [{name: a, type: threatscape, public_key: env:A}]\n",
			"f.yaml:2:13: error: private_key in a provider of type threatscape is missing; Private key"},
		{"plug-in check", "version: 1\nproviders: [{name: a, type: threatscape, public_key: env:A, private_key: env:B, cache: 1s}]\n",
			"f.yaml:2:13: error: provider threatscape: timeout is longer than cache"},
		{"plug-in pattern", "version: 1\ntools: [{name: a, type: carbonblack_edr, url: \"http://x\", token: env:T}]\n",
			`f.yaml:2:47: error: url "http://x" is not allowed; it must match ^https://`},
		{"report above the file", oneHunt(`report: [{format: html, path: "../{hunt}.html"}]`),
			`f.yaml:5:35: error: "../{hunt}.html" leads out of the folder of this file; write a relative path without .., such as reports/{hunt}-{run}.html`},
		{"report anywhere", oneHunt("report: [{format: md, path: /srv/www/r.md}]"),
			`f.yaml:5:33: error: "/srv/www/r.md" leads out of the folder of this file; write a relative path without .., such as reports/{hunt}-{run}.md`},
		{"webhook written out", oneHunt("report: [{webhook: \"https://hooks.example/T0/sekret\"}]"),
			"f.yaml:5:24: error: webhook: a secret written out; use env:NAME or file:/path"},
	})
}

func TestBadReferences(t *testing.T) {
	t.Parallel()
	run(t, []badCase{
		{"no seed", "version: 1\nhunts:\n  - name: a\n    title: x\n",
			`f.yaml:3:11: error: hunt "a" has no seed; give one: seed: {alert: …}, {hashes: […]}, {report: …} or {on: …}`},
		{"empty seed", "version: 1\nhunts:\n  - {name: a, seed: {}}\n",
			"f.yaml:3:21: error: the seed is empty; give one of alert, hashes, report or on"},
		{"two seeds", "version: 1\nhunts:\n  - {name: a, seed: {report: r, hashes: [x]}}\n",
			"f.yaml:3:33: error: the seed has both report and hashes; keep one; a second hunt can have the other\n" +
				"f.yaml:3:42: error: \"x\" is not a hash; a digest has 32 (md5), 40 (sha1) or 64 (sha256) hex digits"},
		{"empty on", "version: 1\nhunts:\n  - {name: a, seed: {on: {}}}\n",
			"f.yaml:3:26: error: on would match every alert; give at least one of alert_rule, source, severity, tags"},
		{"two hunts of one name", "version: 1\nhunts:\n  - {name: a, seed: {report: r}}\n  - {name: a, seed: {report: r}}\n",
			`f.yaml:4:12: error: hunt "a" is defined twice; first at f.yaml:3:12`},
		{"two providers of one name", "version: 1\nproviders: [{name: a, type: files}, {name: a, type: files}]\n",
			`f.yaml:2:44: error: provider "a" is defined twice; first at f.yaml:2:20`},
		{"two tools of one name", "version: 1\ntools: [{name: a, type: osquery}, {name: a, type: osquery}]\n",
			`f.yaml:2:42: error: tool "a" is defined twice; first at f.yaml:2:16`},
		{"bad hunt name", "version: 1\nhunts:\n  - {name: My Hunt, seed: {report: r}}\n",
			`f.yaml:3:12: error: name "My Hunt" is not allowed; lower case, digits and '-', at most 63 characters`},
		{"no hunt name", "version: 1\nhunts:\n  - seed: {report: r}\n",
			"f.yaml:3:5: error: name in an entry of hunts is missing; Unique name: lower case, digits, '-'"},
		{"the name sweep", "version: 1\nhunts:\n  - {name: sweep, seed: {report: r}}\n",
			`f.yaml:3:12: error: the hunt name "sweep" is taken; it is the name of ad hoc sweeps; choose another one`},
		{"unknown provider type", "version: 1\nproviders: [{name: a, type: file, paths: [x]}]\n",
			`f.yaml:2:29: error: unknown provider type "file"; did you mean "files"?`},
		{"unknown tool type", "version: 1\ntools: [{name: a, type: nmap}]\n",
			`f.yaml:2:25: error: unknown tool type "nmap"; one of: carbonblack_edr, osquery`},
		{"no type", "version: 1\ntools: [{name: a}]\n",
			`f.yaml:2:9: error: type in tool "a" is missing; Which tool it is`},
		{"unknown provider", oneHunt("pivot: {providers: [locale]}"),
			`f.yaml:5:25: error: unknown provider "locale"; did you mean "local"?`},
		{"unknown provider in defaults", "version: 1\nproviders: [{name: feeds, type: files}]\ndefaults:\n  pivot: {providers: [feed]}\n",
			`f.yaml:4:23: error: unknown provider "feed"; did you mean "feeds"?`},
		{"default provider is gone when others are defined", "version: 1\nproviders: [{name: feeds, type: files}]\nhunts:\n  - {name: a, seed: {report: r}, pivot: {providers: [local]}}\n",
			`f.yaml:4:54: error: unknown provider "local"; defined are: feeds`},
		{"unknown tool", oneHunt("targets: {tools: [this-machin, fleet, cb]}"),
			"f.yaml:5:23: error: unknown tool \"this-machin\"; did you mean \"this-machine\"?\n" +
				"f.yaml:5:43: error: unknown tool \"cb\"; defined are: fleet, this-machine"},
		{"unknown provider of a report", "version: 1\nhunts:\n  - {name: a, seed: {report: \"mist:1\"}}\n",
			`f.yaml:3:30: error: unknown provider "mist" in the report's id; defined are: local`},
		{"report id with spaces", "version: 1\nhunts:\n  - {name: a, seed: {report: \"a b\"}}\n",
			"f.yaml:3:30: error: not the id of a report; ids have no spaces; such as 15-00008884 or threatscape:15-00008884"},
		{"tlp above a named provider", "version: 1\nproviders: [{name: f, type: files, max_tlp: green}]\nhunts:\n  - name: a\n    tlp: red\n    seed: {report: r}\n    pivot: {providers: [f]}\n",
			`f.yaml:7:25: error: provider "f" may not see a hunt of TLP red: its max_tlp is green; lower the hunt's tlp, or leave the provider out of pivot.providers`},
		{"tlp above a provider of the defaults", "version: 1\nproviders: [{name: f, type: files, max_tlp: green}]\ndefaults: {pivot: {providers: [f]}}\nhunts:\n  - name: a\n    tlp: red\n    seed: {report: r}\n",
			`f.yaml:6:10: error: provider "f" may not see a hunt of TLP red: its max_tlp is green; lower the hunt's tlp, or leave the provider out of pivot.providers`},
		{"output of both sorts", oneHunt("report: [{webhook: env:X, format: html}]"),
			"f.yaml:5:14: error: an entry of report has both a webhook and a file; make two entries of it"},
		{"output without format", oneHunt("report: [{path: x.html}, {format: csv}, {}]"),
			"f.yaml:5:14: error: format is missing in an entry of report; one of: text, md, html, csv, json, stix, navigator\n" +
				"f.yaml:5:30: error: path is missing in an entry of report; such as path: \"reports/{hunt}-{run}.csv\"\n" +
				"f.yaml:5:45: error: an entry of report is empty; give format and path, or webhook"},
		{"output with an unknown placeholder", oneHunt("report: [{format: html, path: \"{hunts}.html\"}]"),
			`f.yaml:5:35: error: unknown placeholder "{hunts}"; did you mean "{hunt}"?`},
		{"test without fleet", oneHunt("tests: [{name: x, expect: {}}]"),
			"f.yaml:5:13: error: the test has no fleet; name a file of endpoints: fleet: testdata/fleet.yaml\n" +
				"f.yaml:5:31: error: expect is empty; give hits, verified or both"},
		{"schedule of a webhook hunt", "version: 1\nhunts:\n  - name: a\n    seed: {on: {source: x}}\n    schedule: \"@daily\"\n",
			"f.yaml:5:15: warning: the schedule starts nothing: the seed only comes by webhook; give the seed an alert, hashes or a report, or delete the schedule"},
		{"paths without files", oneHunt("search: {where: [running], max_size: 1MiB}"),
			"f.yaml:5:32: warning: max_size has no effect: files is not in where; add files to where, or delete this key"},
	})
}

func TestBadText(t *testing.T) {
	t.Parallel()
	run(t, []badCase{
		{"tab", "version: 1\nhunts:\n\t- name: a\n",
			"f.yaml:3:1: error: not YAML: found character that cannot start any token; indent with spaces, and put a value that begins with @, ` or % in quotes"},
		{"tab after spaces", "version: 1\nhunts:\n  - name: a\n  \ttitle: b\n",
			"f.yaml:4:3: error: not YAML: found a tab character that violates indentation; indent with spaces"},
		{"NUL", "version: 1\nhunts: [\"a\x00b\"]\n",
			"f.yaml:2:11: error: a NUL character; delete it"},
		{"NUL at the end", "version: 1\n\x00",
			"f.yaml:2:1: error: a NUL character; delete it"},
		{"escape", "version: 1\n# \x1b[2J\n",
			"f.yaml:2:3: error: a control character, U+001B; delete it"},
		{"C1", "version: 1\n# \u009b2J\n",
			"f.yaml:2:3: error: a control character, U+009B; delete it"},
		{"invalid UTF-8", "version: 1\nhunts: [äö\xff]\n",
			"f.yaml:2:11: error: byte 0xff is no UTF-8; save the file as UTF-8"},
		{"UTF-16 LE", "\xff\xfev\x00e\x00r\x00",
			"f.yaml: error: the file is UTF-16; save it as UTF-8"},
		{"UTF-16 BE without mark", "\x00v\x00e\x00r",
			"f.yaml: error: the file is UTF-16; save it as UTF-8"},
		{"UTF-32", "\xff\xfe\x00\x00v\x00\x00\x00",
			"f.yaml: error: the file is UTF-32; save it as UTF-8"},
		{"line separator", "version: 1\n# a\u2028b\n",
			"f.yaml:2:4: error: an invisible line separator, U+2028; delete it"},
		{"too big", "version: 1\n" + strings.Repeat("#", 4<<20),
			"f.yaml: error: the file is too big: 4194315 B, the most is 4 MiB; split it into several files"},
		{"nested too deep", "version: 1\nhunts: " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\n",
			"f.yaml:2:58: error: nested more than 50 deep; a hunts file needs no such depth"},
		{"nested far too deep", "version: 1\nhunts: " + strings.Repeat("[", 100000) + "\n",
			"f.yaml:2: error: not YAML: exceeded max depth of 10000; at most 50 sections may lie within each other"},
		{"alias bomb", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
			"f.yaml:1:1: error: unknown key \"a\"; known keys: version, providers, tools, defaults, never, hunts\n" +
				"f.yaml:1:1: error: version is missing; Version of the file format: always 1\n" +
				"f.yaml:2:1: error: unknown key \"b\"; known keys: version, providers, tools, defaults, never, hunts\n" +
				"f.yaml:2:8: error: alias \"*a\" is not read here; write the value out, or say it once under defaults\n" +
				"f.yaml:2:11: error: alias \"*a\" is not read here; write the value out, or say it once under defaults\n" +
				"f.yaml:3:1: error: unknown key \"c\"; known keys: version, providers, tools, defaults, never, hunts\n" +
				"f.yaml:3:8: error: alias \"*b\" is not read here; write the value out, or say it once under defaults\n" +
				"f.yaml:3:11: error: alias \"*b\" is not read here; write the value out, or say it once under defaults"},
		{"alias of itself", "version: 1\nhunts: &h [*h]\n",
			`f.yaml:2:12: error: alias "*h" is not read here; write the value out, or say it once under defaults`},
		{"unknown anchor", "version: 1\nhunts:\n - *x\n",
			"f.yaml:3: error: not YAML: unknown anchor 'x' referenced; aliases are not read; write the value out, or say it once under defaults"},
		{"list not closed", "version: 1\nhunts: [\n\n",
			"f.yaml:2: error: not YAML: did not find expected node content"},
		{"list not closed before a key", "version: 1\nproviders: [a, b\nhunts: []\n",
			"f.yaml:2: error: not YAML: did not find expected ',' or ']'; close the list with ]"},
		{"quote not closed", "version: 1\n\n# c\nhunts:\n  - name: \"a\n    title: b\n",
			"f.yaml:5: error: not YAML: found unexpected end of stream; close the quotes"},
		{"wrong indentation", "version: 1\nhunts:\n  - name: a\n   title: b\n",
			"f.yaml:4: error: not YAML: did not find expected '-' indicator; look at the indentation of this line and the one before"},
		{"sequence under a value", "version: 1\nhunts: x\n- a\n",
			"f.yaml:3: error: not YAML: did not find expected key; look at the indentation of this line and the one before"},
		{"colon in a value", "version: 1\nhunts:\n  - name: a\n    title: a: b\n",
			"f.yaml:4: error: not YAML: mapping values are not allowed in this context; look at the indentation; a value with ': ' in it needs quotes"},
		{"no colon", "version: 1\nhunts:\n  - name: a\n    title\n    tlp: red\n",
			"f.yaml:5: error: not YAML: could not find expected ':'; a key is followed by ': '"},
		{"Windows path in double quotes", "version: 1\n\nhunts:\n  - name: a\n    search: {paths: {windows: [\"C:\\Users\"]}}\n",
			"f.yaml:5: error: not YAML: did not find expected hexdecimal number; write Windows paths in single quotes, such as 'C:\\Users'"},
		{"reserved character", "version: 1\nhunts:\n  - name: @a\n",
			"f.yaml:3: error: not YAML: found character that cannot start any token; indent with spaces, and put a value that begins with @, ` or % in quotes"},
	})
}

// The words about a digest are those of package indicator; the place is ours.
func TestBadHashes(t *testing.T) {
	t.Parallel()
	for item, want := range map[string][]string{
		"abcd":                             {"error", `"abcd"`},
		"zz5a0c1b2d3e4f5061728394a5b6c7d8": {"error", "zz5a0c1b2d3e4f5061728394a5b6c7d8"},
		`"imphash=f34d5f2d4577ed6d9ceec516c1f5a744"`: {"error", "imphash"},
		`"\e[31mabc"`:                      {"error", `\x1b[31mabc`},
		"d41d8cd98f00b204e9800998ecf8427e": {"warning", "empty file"},
	} {
		got := faults("version: 1\nhunts:\n  - {name: a, seed: {hashes: [" + item + "]}}\n")
		if !strings.HasPrefix(got, "f.yaml:3:31: "+want[0]+": ") || !strings.Contains(got, want[1]) || strings.Contains(got, "\n") {
			t.Errorf("%s: %s", item, got)
		}
	}
}
