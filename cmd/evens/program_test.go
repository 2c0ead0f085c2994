package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// program is what tests start as evens: this test's binary itself or, where that has the race detector in it, one
// without. Whole processes are started by the hundred, and each takes several times as long with it; what runs at once in
// them is tested with it in its own package. EVENS_TEST_RACED_PROCESSES=1 has it in all.
var program = sync.OnceValue(func() string {
	if !raced || os.Getenv("EVENS_TEST_RACED_PROCESSES") != "" {
		return os.Args[0]
	}
	folder, err := os.MkdirTemp("", "evens-program-*")
	if err == nil {
		path := filepath.Join(folder, "evens.test")
		var said []byte
		if said, err = exec.Command("go", "test", "-c", "-vet=off", "-o", path, ".").CombinedOutput(); err == nil {
			builtFolder = folder
			return path
		}
		err = fmt.Errorf("%w: %s", err, said)
	}
	fmt.Fprintln(os.Stderr, "processes have the race detector in them, another program cannot be built:", err)
	return os.Args[0]
})

// builtFolder is the folder of the program that was built.
var builtFolder string

func removeProgram() {
	if builtFolder != "" {
		_ = os.RemoveAll(builtFolder)
	}
}
