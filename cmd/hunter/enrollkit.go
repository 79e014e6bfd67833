package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/edr/osquery/kit"
	"github.com/hunter-project/hunter/internal/secret"
)

// kitFlags are those of enroll-kit.
type kitFlags struct{ server, ca, secret, out, interval, dir string }

func newEnrollKitCommand(g *globals) *cobra.Command {
	var f kitFlags
	cmd := &cobra.Command{
		Use:   "enroll-kit",
		Short: "Write what osquery's agents need to enrol with a server",
		Long: "Write a flagfile for each platform, the CA, the enroll secret (for its owner alone), a drop-in for systemd and a page\n" +
			"that says what goes where. Nothing is sent anywhere.",
		Args: takes(0, 0, ""),
		RunE: func(*cobra.Command, []string) error { return g.enrollKit(&f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.server, "server", "", "host:port by which agents reach the server; its certificate must name the host")
	fl.StringVar(&f.ca, "ca", "", "file with the CA of the server's certificate, such as ca.pem of serve --tls-self-signed")
	fl.StringVar(&f.secret, "enroll-secret", "", "the secret that agents enrol with, one of those of serve: env:NAME or file:PATH")
	fl.StringVar(&f.out, "out", "", "folder to write the kit into")
	fl.StringVar(&f.interval, "distributed-interval", "60s", "how often agents ask for queries, until the server's configuration reaches them")
	fl.StringVar(&f.dir, "agent-dir", "", "folder where agents keep the files of the kit (default each platform's own, such as /etc/osquery)")
	return cmd
}

// enrollKit reads what the flags name and writes the kit. Every fault is told at once.
func (g *globals) enrollKit(f *kitFlags) error {
	var faults []error
	for _, x := range []struct{ flag, value string }{{"server", f.server}, {"ca", f.ca}, {"enroll-secret", f.secret}, {"out", f.out}} {
		if x.value == "" {
			faults = append(faults, fmt.Errorf("--%s is due; see hunter enroll-kit --help", x.flag))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	k := kit.Kit{Server: f.server, Dir: f.dir}
	e, err := enrollSecret(f.secret)
	if err == nil {
		k.Secret, err = secretOf(e.Ref)
	}
	faults = append(faults, err)
	if k.CA, err = os.ReadFile(f.ca); err != nil {
		faults = append(faults, fmt.Errorf("--ca: %w", err))
	}
	if d, err := hunts.ParseDuration(f.interval); err != nil || d.Std() <= 0 {
		faults = append(faults, fmt.Errorf("--distributed-interval %q: a length of time is due, such as 60s", f.interval))
	} else {
		k.Interval = d.Std()
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	names, err := k.Write(f.out)
	if err != nil {
		return err
	}
	for _, n := range names {
		if g.json {
			continue
		}
		if _, err := fmt.Fprintln(g.out, filepath.Join(f.out, filepath.FromSlash(n))); err != nil {
			return err
		}
	}
	if g.json {
		return g.printJSON(map[string]any{"schema": "hunter.kit/1", "folder": f.out, "server": f.server, "files": names})
	}
	g.hint("%s says what goes where", filepath.Join(f.out, kit.NotesFile))
	return nil
}

func secretOf(ref secret.Ref) (secret.String, error) { return ref.For("--enroll-secret").Resolve() }
