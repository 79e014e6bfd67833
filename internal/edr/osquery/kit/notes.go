package kit

import "fmt"

// unit is a drop-in for the service of osquery's own packages: it has osqueryd read the kit's flagfile and nothing else.
func (k Kit) unit(p platform) string {
	return fmt.Sprintf(`# For osquery's own packages: /etc/systemd/system/osqueryd.service.d/hunter.conf
[Service]
ExecStart=
ExecStart=/opt/osquery/bin/osqueryd --flagfile=%s
Restart=always
RestartSec=10
`, k.place(p, p.file))
}

// notes say what goes where.
func (k Kit) notes() string {
	list := platforms()
	linux, darwin, windows := list[0], list[1], list[2]
	return fmt.Sprintf(`# Agents for the hunter server at %[1]s

Each machine needs osquery 5.5.1 or newer, three files of this folder, and a restart of osqueryd. It then comes to
https://%[1]s by itself; nothing connects to it. The server's certificate must name the host of %[1]s.

| file | what it is |
|---|---|
| hunter.flags, hunter-darwin.flags, hunter-windows.flags | osquery's flagfile, one for each platform |
| hunter-ca.pem | the CA that signed the server's certificate |
| hunter.secret | the enroll secret; keep it from everybody but root and the administrators |
| osqueryd.service.d/hunter.conf | drop-in for systemd |

## Linux

    install -d -m 0755 %[2]s
    install -m 0644 hunter-ca.pem %[3]s
    install -m 0600 hunter.secret %[4]s
    install -m 0644 hunter.flags %[5]s
    install -D -m 0644 osqueryd.service.d/hunter.conf /etc/systemd/system/osqueryd.service.d/hunter.conf
    systemctl daemon-reload
    systemctl enable osqueryd
    systemctl restart osqueryd

## macOS

Copy hunter-ca.pem to %[6]s, hunter.secret to %[7]s (owner root, mode 0600) and hunter-darwin.flags to
/private/var/osquery/osquery.flags, then:

    osqueryctl restart

Give osqueryd "Full Disk Access", by a profile of the device management: without it macOS hides folders of users, and hunter says
"partial" of such a machine instead of "absent".

## Windows

Copy hunter-ca.pem to %[8]s, hunter.secret to %[9]s (readable by SYSTEM and Administrators alone) and hunter-windows.flags to
C:\Program Files\osquery\osquery.flags, then, as an administrator:

    Restart-Service osqueryd

## Did it work?

On the server's machine %[10]s lists the machine within a minute. If it does not, the server's log says why a connection
failed, and osqueryd's own log says what it was told.
`, k.Server, k.folder(linux), k.place(linux, CAFile), k.place(linux, SecretFile), k.place(linux, linux.file),
		k.place(darwin, CAFile), k.place(darwin, SecretFile), k.place(windows, CAFile), k.place(windows, SecretFile), "`hunter hosts`")
}

// folder is where an agent keeps the kit.
func (k Kit) folder(p platform) string {
	if k.Dir != "" {
		return k.Dir
	}
	return p.dir
}
