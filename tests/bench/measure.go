package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// operations are in the order of the report.
func operations() []string {
	return []string{"run", "create", "start", "state", "exec", "kill", "delete", "delete -f"}
}

// results are samples by regime, operation and runtime.
type results map[string]map[string]map[string][]time.Duration

func (r results) add(regime, operation, runtime string, d time.Duration) {
	if r[regime] == nil {
		r[regime] = map[string]map[string][]time.Duration{}
	}
	if r[regime][operation] == nil {
		r[regime][operation] = map[string][]time.Duration{}
	}
	r[regime][operation][runtime] = append(r[regime][operation][runtime], d)
}

type bench struct {
	opts        *options
	dir         string
	command     *command
	results     results
	memory      map[string]int64 // smallest limit by runtime
	interrupted chan os.Signal
	count       int
	live        string // the container that is there now
}

func (b *bench) open() error {
	var err error
	if b.command, err = newCommand(b.dir); err != nil {
		return err
	}
	for i := range b.opts.runtimes {
		rt := &b.opts.runtimes[i]
		rt.root = filepath.Join(b.dir, fmt.Sprintf("state-%d", i))
		// A runtime makes its own, but a test of the state of a root that
		// is not there yet would be another measurement.
		if err := os.Mkdir(rt.root, 0o700); err != nil {
			return err
		}
	}
	if err := bundle(b.path("true"), 0, "/bin/true"); err != nil {
		return err
	}
	return bundle(b.path("sleep"), 0, "/bin/sleep", "1000")
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// close removes the container that a failure left.
func (b *bench) close() {
	if b.command == nil {
		return
	}
	for i := range b.opts.runtimes {
		if b.live != "" {
			_, _ = b.command.time(&b.opts.runtimes[i], "delete", "--force", b.live)
		}
	}
	b.command.close()
}

func (b *bench) measure() error {
	for regime := range strings.SplitSeq(b.opts.regimes, ",") {
		var quiet time.Duration
		switch regime {
		case "idle":
			quiet = b.opts.quiet
		case "hot":
		default:
			return fmt.Errorf("unknown regime %q", regime)
		}
		// The first round fills caches and is forgotten.
		for round := -1; round < b.opts.rounds; round++ {
			if err := b.round(regime, quiet, round); err != nil {
				return err
			}
		}
	}
	if !b.opts.memory {
		return nil
	}
	for i := range b.opts.runtimes {
		rt := &b.opts.runtimes[i]
		limit, err := b.smallest(rt)
		if err != nil {
			return err
		}
		b.memory[rt.name] = limit
	}
	return nil
}

func (b *bench) round(regime string, quiet time.Duration, round int) error {
	for i := range b.opts.runtimes {
		// Each runtime is the first of a round as often as the others.
		rt := &b.opts.runtimes[(i+max(round, 0))%len(b.opts.runtimes)]
		step := func(operation string, args ...string) error {
			if quiet > 0 {
				time.Sleep(quiet)
			}
			select {
			case <-b.interrupted:
				return errInterrupted
			default:
			}
			d, err := b.command.time(rt, args...)
			if err != nil {
				return err
			}
			if round >= 0 && operation != "" {
				b.results.add(regime, operation, rt.name, d)
			}
			return nil
		}
		for _, life := range []func(stepFunc, string) error{b.whole, b.inSteps, b.forced} {
			b.count++
			b.live = fmt.Sprintf("rung-bench-%d-%d", os.Getpid(), b.count)
			if err := life(step, b.live); err != nil {
				return err
			}
			b.live = ""
		}
	}
	return nil
}

// stepFunc runs a command of the runtime; with a name it is measured.
type stepFunc func(operation string, args ...string) error

func (b *bench) whole(step stepFunc, id string) error {
	return step("run", "run", "--bundle", b.path("true"), id)
}

func (b *bench) inSteps(step stepFunc, id string) error {
	pidFile := b.path("pid")
	for _, s := range [][]string{
		{"create", "create", "--bundle", b.path("sleep"), "--pid-file", pidFile, id},
		{"start", "start", id},
		{"state", "state", id},
		{"exec", "exec", id, "/bin/true"},
		{"kill", "kill", id, "KILL"},
	} {
		if err := step(s[0], s[1:]...); err != nil {
			return err
		}
	}
	if err := reap(pidFile); err != nil {
		return err
	}
	return step("delete", "delete", id)
}

func (b *bench) forced(step stepFunc, id string) error {
	pidFile := b.path("pid")
	if err := step("", "run", "--detach", "--bundle", b.path("sleep"), "--pid-file", pidFile, id); err != nil {
		return err
	}
	if err := step("delete -f", "delete", "--force", id); err != nil {
		return err
	}
	return reap(pidFile)
}

const (
	granule = 64 << 10
	most    = 64 << 20
	// So often in a row it must work.
	attempts = 5
)

// smallest looks for the lowest memory limit, swap included, under which the
// runtime starts /bin/true.
func (b *bench) smallest(rt *container) (int64, error) {
	low, high := 0, most/granule // in granules; low does not do, high does
	if err := b.starts(rt, int64(high)*granule); err != nil {
		return 0, err
	}
	for high-low > 1 {
		middle := (low + high) / 2
		err := b.starts(rt, int64(middle)*granule)
		if err == errInterrupted { //nolint:errorlint // never wrapped
			return 0, err
		}
		if err == nil {
			high = middle
		} else {
			low = middle
		}
	}
	return int64(high) * granule, nil
}

func (b *bench) starts(rt *container, limit int64) error {
	dir := b.path("limited")
	if err := bundle(dir, limit, "/bin/true"); err != nil {
		return err
	}
	for range attempts {
		select {
		case <-b.interrupted:
			return errInterrupted
		default:
		}
		b.count++
		id := fmt.Sprintf("rung-bench-%d-%d", os.Getpid(), b.count)
		if _, err := b.command.time(rt, "run", "--bundle", dir, id); err != nil {
			// A start that the OOM killer ended may leave something.
			_, _ = b.command.time(rt, "delete", "--force", id)
			b.command.said()
			return err
		}
	}
	return nil
}

func median(samples []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(samples))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
