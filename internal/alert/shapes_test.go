package alert_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
)

// Other ways in which the formats come, each with what is hunted and on which host; the walker is off.
func TestOtherShapesOfFormats(t *testing.T) {
	t.Parallel()
	type file = indicator.File
	const wazuh = `{"rule":{"level":3},"agent":{"name":"h"},"decoder":{},`
	const osq = `{"hostIdentifier":"h","name":"q","action":"added",`
	for name, c := range map[string]struct {
		in, format, host string
		want             []file
	}{
		"Sentinel: the list of entities alone": {
			`[{"$id":"1","HostName":"h","Type":"host"},{"$id":"2","Type":"file","Name":"a","Host":{"$ref":"1"},"FileHashes":[{"$ref":"3"}]},{"$id":"3","Type":"filehash","Algorithm":"MD5","Value":"MD5A"}]`,
			"sentinel", "h", []file{{MD5: md5A, Names: []string{"a"}}},
		},
		"Sentinel: a file of a child is a seed though a parent ran it too": {
			`{"Entities":[{"$id":"1","Type":"file","Name":"a","Md5":"MD5A"},{"$id":"2","Type":"process","ImageFile":{"$ref":"1"},"ParentProcess":{"$id":"3","ImageFile":{"$ref":"1"}}}],"CompromisedEntity":"h"}`,
			"sentinel", "h", []file{{MD5: md5A, Names: []string{"a"}}},
		},
		"Graph: one alert, not in a list": {
			`{"id":"1","detectorId":"d","evidence":[{"fileDetails":{"sha1":"SHA1A","filePath":"/tmp","fileName":"a"}},{"@odata.type":"#microsoft.graph.security.deviceEvidence","hostName":"h"}]}`,
			"msgraph", "h", []file{{SHA1: sha1A, Names: []string{"a"}}},
		},
		"osquery: what an agent sends": {
			`{"node_key":"k","log_type":"result","data":[` + osq + `"columns":{"md5":"MD5A","sha256":"SHA256A","filename":"a"}}]}`,
			"osquery", "h", []file{{MD5: md5A, SHA256: sha256A, Names: []string{"a"}}},
		},
		"osquery: a batch of changes": {
			`{"hostIdentifier":"h","name":"q","diffResults":{"added":[{"md5":"MD5A"}],"removed":[{"md5":"MD5B"}]}}`,
			"osquery", "h", []file{{MD5: md5A}},
		},
		"osquery: a process and its parent": {
			osq + `"columns":{"process_md5":"MD5A","process_path":"/bin/a","parent_md5":"MD5B"}}`,
			"osquery", "h", []file{{MD5: md5A, Names: []string{"a"}}},
		},
		"Splunk: an exported row": {
			`{"preview":false,"offset":0,"lastrow":true,"result":{"host":"h","Hashes":"MD5=MD5A,SHA256=SHA256A,IMPHASH=MD5B","Image":"C:\\a.exe"}}`,
			"splunk", "h", []file{{MD5: md5A, SHA256: sha256A, Names: []string{"a.exe"}}},
		},
		"Splunk: values in one column": {
			`{"sid":"1","result":{"dest":"h","file_hash":"MD5A\nSHA256B","file_name":"a","file_size":"7"}}`,
			"splunk", "h", []file{{MD5: md5A}, {SHA256: sha256B}},
		},
		"TheHive: an observable alone": {`{"dataType":"sha1","data":"SHA1A","_type":"Observable"}`, "thehive", "", []file{{SHA1: sha1A}}},
		"TheHive: the webhook of an observable": {
			`{"operation":"create","objectType":"Observable","objectId":"~1","object":{"dataType":"file","attachment":{"name":"a","hashes":["SHA256A","MD5A"],"size":5}}}`,
			"thehive", "", []file{{MD5: md5A, SHA256: sha256A, Size: 5, Names: []string{"a"}}},
		},
		"Wazuh: Suricata's files":  {wazuh + `"data":{"event_type":"fileinfo","fileinfo":{"filename":"/x/a","md5":"MD5A","size":5,"state":"CLOSED"}}}`, "wazuh", "h", []file{{MD5: md5A, Size: 5, Names: []string{"a"}}}},
		"Wazuh: osquery's columns": {wazuh + `"data":{"osquery":{"columns":{"path":"/a","sha256":"SHA256A"}}}}`, "wazuh", "h", []file{{SHA256: sha256A, Names: []string{"a"}}}},
		"Wazuh: digests of a decoder of one's own": {
			wazuh + `"data":{"sha256":"SHA256A","file_path":"/b/a"}}`, "wazuh", "h", []file{{SHA256: sha256A, Names: []string{"a"}}},
		},
		"Wazuh: the image that Sysmon saw loaded": {
			wazuh + `"data":{"win":{"eventdata":{"image":"C:\\p.exe","imageLoaded":"C:\\a.dll","hashes":"MD5=MD5A"}}}}`, "wazuh", "h", []file{{MD5: md5A, Names: []string{"a.dll"}}},
		},
		"OCSF: a process": {
			`{"class_uid":1007,"category_uid":1,"device":{"name":"h"},"process":{"file":{"name":"a","parent_folder":"/b","size":5,"hashes":[{"algorithm_id":99,"algorithm":"md5","value":"MD5A"}]},"parent_process":{"file":{"hashes":[{"algorithm_id":1,"value":"MD5B"}]}}}}`,
			"ocsf", "h", []file{{MD5: md5A, Size: 5, Names: []string{"a"}}},
		},
		"OCSF: observables alone": {
			`{"class_uid":2004,"metadata":{"version":"1.1.0"},"observables":[{"name":"file.hashes.value","type_id":8,"value":"MD5A"},{"name":"certificate.fingerprints","type_id":30,"value":"SHA1A"},{"name":"process.parent_process.file.hashes","type_id":8,"value":"MD5B"},{"name":"ip","type_id":2,"value":"192.0.2.1"}]}`,
			"ocsf", "", []file{{MD5: md5A}},
		},
		"MISP: a list of events":          {`{"response":[{"Event":{"uuid":"1","info":"x","Attribute":[{"type":"malware-sample","value":"a.exe|MD5A"}]}}]}`, "misp", "", []file{{MD5: md5A, Names: []string{"a.exe"}}}},
		"MISP: a search for attributes":   {`{"response":{"Attribute":[{"type":"sha1","value":"SHA1A","to_ids":true}]}}`, "misp", "", []file{{SHA1: sha1A}}},
		"MISP: an object that is no file": {`{"info":"x","distribution":"0","Object":[{"name":"pe","Attribute":[{"type":"md5","value":"MD5A"},{"type":"sha1","value":"SHA1A"}]}]}`, "misp", "", []file{{MD5: md5A}, {SHA1: sha1A}}},
		"STIX: from TAXII, a pattern": {
			`{"more":false,"objects":[{"type":"indicator","id":"indicator--1","pattern":"[file:hashes.\"SHA-1\" = 'SHA1A' AND file:size = 5]"}]}`, "stix", "", []file{{SHA1: sha1A, Size: 5}},
		},
		"STIX: objects inside of observed data": {
			`{"type":"bundle","objects":[{"type":"observed-data","id":"observed-data--1","objects":{"0":{"type":"file","name":"a","hashes":{"MD5":"MD5A"},"parent_directory_ref":"1"},"1":{"type":"directory","path":"/b"}}}]}`,
			"stix", "", []file{{MD5: md5A, Names: []string{"a"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := alert.ReadNamed(strings.NewReader(fill(c.in)), "x")
			if err != nil {
				t.Fatal(err)
			}
			a := all[0]
			if a.Format != c.format || a.Host != c.host {
				t.Errorf("format %s, host %q", a.Format, a.Host)
			}
			if d := cmp.Diff(c.want, a.Seeds()); d != "" {
				t.Error(d)
			}
		})
	}
}

// Patterns of which a hash can not be taken for sure are refused, with their field.
func TestPatternsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		"[file:hashes.MD5 != 'MD5A']", "[NOT file:hashes.MD5 = 'MD5A']", "[file:hashes.MD5 IN ('MD5A', 'MD5B')]", "[file:hashes.MD5 LIKE 'MD5A']",
		"[file:hashes.SSDEEP = 'MD5A']", "[process:hashes.MD5 = 'MD5A']",
	} {
		in := fill(`{"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","pattern":"` + pattern + `"}]}`)
		if _, err := alert.ReadNamed(strings.NewReader(in), "x"); err == nil || !strings.Contains(err.Error(), "objects[0].pattern (") {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}
