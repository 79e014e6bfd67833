package alert_test

import "github.com/hunter-project/hunter/internal/alert"

func wantIntelligence() map[string][]told {
	return map[string][]told{
		"misp.json": {
			{
				ID: "5f0ff0a4-0000-4000-8000-000000002291", Rule: "Known bad files", Source: "CERT Example", Severity: "high",
				Time: "2026-11-24T06:00:00Z", Tags: "tlp:green",
				Files: []alert.FileSeen{
					{File: part("b", 0, "b.dll", sha256Kind), Field: "Event.Attribute[0]", Seed: true},
					{File: part("c", 0, "", md5Kind), Field: "Event.Attribute[1]", Note: "of attributes that are not marked for detection (to_ids): no seed"},
					{File: part("a", 84480, "invoice.exe"), Path: `C:\Users\j.doe\invoice.exe`, Field: "Event.Object[0]", Seed: true},
				},
				Refused: []string{
					"Event.Attribute[2].value SSH fingerprint",
					"Event.Attribute[3].value authentihash",
					"Event.Object[0].Attribute[6].value imphash",
				},
			},
		},
		"stix.json": {
			{
				ID: "bundle--5f0ff0a4-0000-4000-8000-000000002291", Rule: "Known bad files", Source: "stix", Time: "2026-11-20T08:14:07Z", Tags: "ransomware",
				Files: []alert.FileSeen{
					{File: part("a", 84480, "invoice.exe"), Path: `C:\Users\j.doe\invoice.exe`, Field: "objects[2]", Seed: true},
					{File: part("b", 0, "b.dll", sha256Kind, md5Kind), Field: "objects[3]", Seed: true},
					{File: part("c", 0, "", sha256Kind), Field: "objects[4]", Seed: true},
					{File: part("d", 0, "", sha256Kind), Field: "objects[4]", Seed: true},
					{File: part("gone", 0, "", md5Kind), Field: "objects[5]", Note: "of an object that was revoked: no seed"},
				},
				Refused: []string{
					"objects[2].hashes.SSDEEP ssdeep",
					"objects[2].hashes.SHA-512 sha512",
					"objects[6].hashes.SHA-1 certificate or TLS fingerprint",
				},
			},
		},
		"ocsf.json": {
			{
				ID: "find-2291", Rule: "Known bad file", Source: "Sensor", Severity: "high", Host: "fin-ws-0417", Time: "2026-11-24T06:00:00Z",
				Files: []alert.FileSeen{
					{File: part("a", 84480, "invoice.exe"), Path: `C:\Users\j.doe\invoice.exe`, Field: "evidences[0].file", Seed: true},
					{File: part("c", 0, "explorer.exe", sha256Kind), Field: "evidences[0].actor.process.file", Note: noParent},
					{File: part("b", 0, "runner.exe", sha256Kind), Path: `C:\Tools\runner.exe`, Host: "fin-ws-0500", Field: "evidences[1].process.file", Seed: true},
					{File: part("clean", 0, "calc.exe", sha256Kind), Field: "evidences[2].file", Note: "of evidence that the product does not hold against the file: no seed"},
				},
				Refused: []string{
					"evidences[0].file.hashes[3].value tlsh",
					"evidences[0].file.hashes[4].value imphash",
					"evidences[0].file.signature.digest.value authentihash",
					"evidences[0].file.signature.certificate.fingerprints[0].value certificate or TLS fingerprint",
				},
			},
		},
	}
}

func wantMicrosoft() map[string][]told {
	return map[string][]told{
		"msgraph.json": {
			{
				ID: "da637551227677560813_-961444813", Rule: "Ransomware behaviour", Source: "Microsoft Defender for Endpoint", Severity: "high",
				Host: "fin-ws-0417.corp.example", User: "j.doe@corp.example", Time: "2026-11-20T08:14:07.12Z", Tags: "Defender Experts",
				Files: []alert.FileSeen{
					{File: part("a", 84480, "invoice.exe", sha256Kind, sha1Kind), Path: `C:\Users\j.doe\Downloads\invoice.exe`, Field: "value[0].evidence[3].fileDetails", Seed: true},
					{File: part("b", 512, "runner.exe", sha256Kind, sha1Kind), Path: `C:\Tools\runner.exe`, Host: "fin-ws-0500.corp.example", Field: "value[0].evidence[4].imageFile", Seed: true},
					{File: part("c", 0, "explorer.exe", sha256Kind, sha1Kind), Path: `C:\Windows\explorer.exe`, Host: "fin-ws-0500.corp.example", Field: "value[0].evidence[4].parentProcessImageFile", Note: noParent},
					{File: part("clean", 0, "calc.exe", sha256Kind), Path: `C:\Windows\System32\calc.exe`, Field: "value[0].evidence[5].fileDetails", Note: "of a file in which the product found no threat: no seed"},
					{File: part("d", 0, "", md5Kind), Field: "value[0].evidence[6]", Seed: true},
				},
				Refused: []string{
					"value[0].evidence[3].fileDetails.sha256Ac authentihash",
					"value[0].evidence[7].value authentihash",
				},
			},
		},
		"sentinel.json": {
			{
				ID: "5f0ff0a4-77c5-4d8c-0000-4a1c0c0c0c0c", Rule: "Known bad file", Source: "Azure Sentinel", Severity: "High",
				Host: "fin-ws-0417.corp.example", User: "j.doe", Time: "2026-11-20T08:14:07.12Z",
				Files: []alert.FileSeen{
					{File: part("c", 0, "explorer.exe", sha256Kind), Path: `C:\Windows\explorer.exe`, Field: "Entities[6].ParentProcess.ImageFile", Note: noParent},
					{File: part("a", 84480, "invoice.exe", sha256Kind, sha1Kind), Path: `C:\Users\j.doe\Downloads\invoice.exe`, Field: "Entities[2]", Seed: true},
					{File: part("b", 0, "", md5Kind), Field: "Entities[4]", Seed: true},
				},
				Refused: []string{
					"Entities[2].FileHashes[2].Value authentihash",
					"Entities[5].Value authentihash",
				},
			},
		},
		"sentinel_incident.json": {
			{
				ID: "inc-17", Rule: "Known bad file", Source: "sentinel", Severity: "High", Host: "fin-ws-0417", Time: "2026-11-20T08:14:07.12Z",
				Files: []alert.FileSeen{
					{File: part("a", 0, "run.sh", sha256Kind, sha1Kind), Path: "/home/j.doe/run.sh", Field: "object.properties.relatedEntities[1]", Seed: true},
				},
				Refused: []string{
					"object.properties.relatedEntities[4].properties.hashValue authentihash",
				},
			},
		},
	}
}

func wantSensors() map[string][]told {
	return map[string][]told{
		"osquery.ndjson": {
			{
				ID: "ef392fe0f4c49858", Rule: "pack_soc_new_files", Source: "osquery", Host: "web-01.example", Time: "2025-11-24T10:00:00Z",
				Files: []alert.FileSeen{
					{File: part("a", 84480, "run"), Path: "/tmp/.x/run", Field: "columns", Seed: true},
				},
				Refused: []string{
					"columns.ssdeep ssdeep",
				},
			},
			{
				ID: "ef392fe0f4c49858", Rule: "hashes", Source: "osquery", Host: "db-01", Time: "2025-11-24T10:00:01Z",
				Files: []alert.FileSeen{
					{File: part("b", 0, "b", sha256Kind), Path: "/opt/b", Field: "snapshot[0]", Seed: true},
				},
				Refused: []string{
					"snapshot[1].sha1 certificate or TLS fingerprint",
				},
			},
			{
				ID: "ef392fe0f4c49858", Rule: "pack_soc_new_files", Source: "osquery", Host: "4c4c4544-0042", Time: "2025-11-24T10:00:00Z",
				Files: []alert.FileSeen{
					{File: part("c", 0, "old", sha256Kind), Path: "/tmp/old", Field: "columns", Note: "of a row that went away: no seed"},
				},
			},
		},
		"suricata.ndjson": {
			{
				ID: "586497171462735", Source: "suricata", Host: "192.0.2.17", Time: "2026-11-20T08:14:07.251547Z",
				Files: []alert.FileSeen{
					{File: part("a", 84480, "invoice.exe"), Field: "fileinfo", Seed: true},
				},
			},
			{
				ID: "2", Rule: "HUNTER known bad file", Source: "suricata", Severity: "1", Host: "192.0.2.18", Time: "2026-11-20T08:14:08Z",
				Files: []alert.FileSeen{
					{File: part("b", 7, "a.bin", sha256Kind), Field: "files[0]", Seed: true},
					{File: part("c", 3, "part.bin", sha256Kind), Field: "files[1]", Note: "of a file that the sensor saw with gaps: no seed"},
				},
				Refused: []string{
					"tls.ja3.hash certificate or TLS fingerprint",
				},
			},
		},
		"splunk.json": {
			{
				ID: "scheduler__soc__search__RMD5ab_at_1795500000_17", Rule: "Endpoint - Known bad file", Source: "splunk", Severity: "high",
				Host: "fin-ws-0417", User: "j.doe", Time: "2026-11-24T06:00:00.25Z",
				Files: []alert.FileSeen{
					{File: part("a", 84480, "invoice.exe", sha256Kind, md5Kind), Path: `C:\Users\j.doe\Downloads\invoice.exe`, Field: "result.file_hash", Seed: true},
					{File: part("b", 0, "runner.exe", sha256Kind, md5Kind), Path: `C:\Tools\runner.exe`, Field: "result", Seed: true},
					{File: part("c", 0, "", sha256Kind), Field: "result", Note: noParent},
				},
				Refused: []string{
					"result.file_hash imphash",
					"result.ssl_hash certificate or TLS fingerprint",
					"result.ja3 certificate or TLS fingerprint",
					"result.authentihash authentihash",
				},
			},
		},
		"splunk_results.json": {
			{
				ID: "s1", Rule: "Two rows", Source: "splunk", Host: "web-01",
				Files: []alert.FileSeen{
					{File: part("a", 12, "a", sha1Kind), Path: "/tmp/a", Field: "results[0]", Seed: true},
					{File: part("b", 0, "", md5Kind), Host: "web-02", Field: "results[1].process_hash", Seed: true},
					{File: part("c", 0, "", md5Kind), Host: "web-02", Field: "results[1].process_hash", Seed: true},
				},
			},
		},
	}
}

func wantManagers() map[string][]told {
	return map[string][]told{
		"thehive4.json": {
			{
				ID: "~8312", Rule: "Known bad file", Source: "thehive", Severity: "medium", Time: "2026-11-24T06:00:00Z", Tags: "x",
				Files: []alert.FileSeen{
					{File: part("a", 0, "", sha1Kind), Field: "object.artifacts[0]", Seed: true},
					{File: part("b", 9, "b.bin"), Field: "object.artifacts[1].attachment", Seed: true},
				},
			},
		},
		"thehive5.json": {
			{
				ID: "~41213984", Rule: "Known bad file", Source: "siem", Severity: "high", Host: "fin-ws-0417", Time: "2026-11-24T06:00:00Z", Tags: "ransomware",
				Files: []alert.FileSeen{
					{File: part("a", 0, "", sha256Kind), Field: "observables[0]", Seed: true},
					{File: part("b", 5120, "invoice.zip"), Field: "observables[4].attachment", Seed: true},
					{File: part("c", 0, "", md5Kind), Field: "observables[5]", Seed: true},
				},
				Refused: []string{
					"observables[1].data imphash",
				},
			},
		},
		"wazuh_syscheck.json": {
			{
				ID: "1795500047.1201", Rule: "Integrity checksum changed.", Source: "wazuh", Severity: "7",
				Host: "web-01", User: "www-data", Time: "2026-11-20T08:14:07.676Z", Tags: "ossec syscheck",
				Files: []alert.FileSeen{
					{File: part("a", 1337, "shell.php"), Path: "/srv/www/upload/shell.php", Field: "syscheck", Seed: true},
					{File: part("x", 90, "shell.php"), Path: "/srv/www/upload/shell.php", Field: "syscheck", Note: noBefore},
				},
			},
		},
		"wazuh_sysmon.json": {
			{
				ID: "1795500050.2", Rule: "Sysmon - suspicious process", Source: "wazuh", Severity: "10",
				Host: "fin-ws-0417", User: `CORP\j.doe`, Time: "2026-11-20T08:14:09.1Z",
				Files: []alert.FileSeen{
					{File: part("a", 0, "invoice.exe"), Path: `C:\Users\j.doe\invoice.exe`, Field: "data.win.eventdata", Seed: true},
				},
				Refused: []string{
					"data.win.eventdata.hashes imphash",
				},
			},
		},
		"wazuh_virustotal.json": {
			{
				ID: "1795500049.1", Rule: "VirusTotal: Alert - engines detected this file", Source: "wazuh", Severity: "12",
				Host: "web-01", Time: "2026-11-20T08:14:09.1Z", Tags: "virustotal",
				Files: []alert.FileSeen{
					{File: part("a", 0, "shell.php", sha1Kind, md5Kind), Path: "/srv/www/upload/shell.php", Field: "data.virustotal", Seed: true},
				},
			},
		},
	}
}
