package bench

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// usage is what our own process took.
type usage struct {
	cpu     time.Duration
	peakMiB float64
}

// resetPeak starts the measurement of peak memory anew where the kernel can (Linux); seeding
// and earlier benchmarks then do not count.
func resetPeak() {
	// Where it is not possible the peak is that of the whole run: higher, never lower.
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200)
}

func measure() usage {
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return usage{}
	}
	return usage{
		cpu:     time.Duration(self.Utime.Nano() + self.Stime.Nano()),
		peakMiB: peakMiB(self),
	}
}

func (u usage) since(before usage) usage {
	return usage{cpu: u.cpu - before.cpu, peakMiB: u.peakMiB}
}

// peakMiB reads the peak resident size from /proc, else from rusage (kilobytes on Linux, bytes
// on macOS, which has no /proc).
func peakMiB(self syscall.Rusage) float64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return float64(self.Maxrss) / (1 << 20)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib float64
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			if _, err := fmt.Sscan(rest, &kib); err == nil {
				return kib / 1024
			}
		}
	}
	return float64(self.Maxrss) / 1024
}
