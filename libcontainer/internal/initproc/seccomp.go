package initproc

import "github.com/rung-run/rung/libcontainer/internal/seccomp"

// loadSeccomp installs the program that came with the answer to "limits".
// Without no_new_privs it needs CAP_SYS_ADMIN, so the plan then puts it before
// the ids change.
func (p *initProcess) loadSeccomp() error {
	program, err := seccomp.Decode(p.filter)
	if err != nil {
		return err
	}
	_, err = seccomp.Load(program)
	return err
}
