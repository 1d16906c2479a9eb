package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

func (b *bench) report() error {
	if b.opts.json {
		return b.reportJSON()
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for regime := range strings.SplitSeq(b.opts.regimes, ",") {
		fmt.Fprintf(w, "%s\t", regime)
		b.heading(w)
		for _, operation := range operations() {
			samples := b.results[regime][operation]
			fmt.Fprintf(w, "%s\t", operation)
			for _, rt := range b.opts.runtimes {
				fmt.Fprintf(w, "%.2f\t", milliseconds(median(samples[rt.name])))
			}
			first := median(samples[b.opts.runtimes[0].name])
			for _, rt := range b.opts.runtimes[1:] {
				fmt.Fprintf(w, "%.2f\t", float64(first)/float64(median(samples[rt.name])))
			}
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w)
	}
	if b.opts.memory {
		fmt.Fprint(w, "memory\t")
		b.heading(w)
		fmt.Fprint(w, "smallest limit, MiB\t")
		for _, rt := range b.opts.runtimes {
			fmt.Fprintf(w, "%.2f\t", float64(b.memory[rt.name])/(1<<20))
		}
		for _, rt := range b.opts.runtimes[1:] {
			fmt.Fprintf(w, "%.2f\t", float64(b.memory[b.opts.runtimes[0].name])/float64(b.memory[rt.name]))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nmedians of %d rounds in ms; idle: %v of quiet before each step\n", b.opts.rounds, b.opts.quiet)
	return nil
}

func (b *bench) heading(w *tabwriter.Writer) {
	for _, rt := range b.opts.runtimes {
		fmt.Fprintf(w, "%s\t", rt.name)
	}
	for _, rt := range b.opts.runtimes[1:] {
		fmt.Fprintf(w, "/ %s\t", rt.name)
	}
	fmt.Fprintln(w)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

type measured struct {
	Regime    string    `json:"regime"`
	Operation string    `json:"operation"`
	Runtime   string    `json:"runtime"`
	Median    float64   `json:"median_ms"`
	Samples   []float64 `json:"samples_ms"`
}

func (b *bench) reportJSON() error {
	document := struct {
		Rounds   int              `json:"rounds"`
		Quiet    float64          `json:"quiet_ms"`
		Measured []measured       `json:"measured"`
		Memory   map[string]int64 `json:"smallest_memory_limit_bytes,omitempty"`
	}{Rounds: b.opts.rounds, Quiet: milliseconds(b.opts.quiet), Memory: b.memory}
	for regime := range strings.SplitSeq(b.opts.regimes, ",") {
		for _, operation := range operations() {
			for _, rt := range b.opts.runtimes {
				samples := b.results[regime][operation][rt.name]
				m := measured{Regime: regime, Operation: operation, Runtime: rt.name, Median: milliseconds(median(samples))}
				for _, s := range samples {
					m.Samples = append(m.Samples, milliseconds(s))
				}
				document.Measured = append(document.Measured, m)
			}
		}
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
