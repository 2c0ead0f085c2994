package servers

import "testing"

// What this machine has: a folder of the system's own that is on no disk.
func TestFileSystemOf(t *testing.T) {
	t.Parallel()
	if got := fileSystemOf("/proc"); got != "proc" {
		t.Errorf("fileSystemOf(/proc) = %q, want proc", got)
	}
	if got := fileSystemOf("/no/such/folder"); got != "" {
		t.Errorf("fileSystemOf of nothing = %q, want none", got)
	}
	if got := device(0xfe00); got != "254:0" {
		t.Errorf("device(0xfe00) = %s, want 254:0", got)
	}
}
