package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Report is one benchmark's outcome. Seconds, rates and latencies are for people to read and
// compare: floats are fine here, none of them is money.
type Report struct {
	Name       string   `json:"name"`
	N          int      `json:"n"`
	Seconds    float64  `json:"seconds"`
	PerSecond  float64  `json:"per_second"`
	P50        float64  `json:"p50_ms"`
	P99        float64  `json:"p99_ms"`
	P999       float64  `json:"p999_ms"`
	PeakMiB    float64  `json:"peak_mib"`
	CPUSeconds float64  `json:"cpu_seconds"` // of our process: API, worker and the sender
	Baseline   Baseline `json:"baseline"`
	Ratio      float64  `json:"ratio"`
}

// Tell is given each report as soon as it is there.
type Tell func(*Report) error

// Baseline is what the same server does for somebody else's program.
type Baseline struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"per_second"`
}

func (r *Report) finish(took time.Duration, latencies []time.Duration, use usage, baseline Baseline) {
	r.Seconds = took.Seconds()
	r.PerSecond = float64(r.N) / r.Seconds
	slices.Sort(latencies)
	r.P50, r.P99 = percentile(latencies, 500), percentile(latencies, 990)
	r.P999 = percentile(latencies, 999)
	r.PeakMiB, r.CPUSeconds = use.peakMiB, use.cpu.Seconds()
	r.Baseline = baseline
	if baseline.PerSecond > 0 {
		r.Ratio = r.PerSecond / baseline.PerSecond
	}
}

// percentile of sorted durations, in milliseconds; p counts thousandths.
func percentile(sorted []time.Duration, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(len(sorted)-1, len(sorted)*p/1000)].Microseconds()) / 1000
}

// Print writes the report for people, or as one JSON object on a line.
func (r *Report) Print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	text := fmt.Sprintf("%s: %d in %.1f s = %.0f/s, p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, peak %.0f MiB, CPU %.1f s\n",
		r.Name, r.N, r.Seconds, r.PerSecond, r.P50, r.P99, r.P999, r.PeakMiB, r.CPUSeconds)
	if r.Baseline.PerSecond > 0 {
		text += fmt.Sprintf("  %s: %.0f/s, ratio %.2f\n", r.Baseline.Name, r.Baseline.PerSecond, r.Ratio)
	}
	_, err := io.WriteString(w, text)
	return err
}
