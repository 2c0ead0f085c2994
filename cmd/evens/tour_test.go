package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"evens/internal/testbed"
)

// The shell of a tour: it ends at the first command that fails, and its processes with it. A call of curl fails with
// the status of its answer; a stream that is cut after its time (-m) has not failed.
const tourShell = `set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
curl() {
    local code=0
    command curl --silent --show-error --fail-with-body "$@" || code=$?
    if [ $code = 28 ] && [ "$1" = -N ]; then code=0; fi
    return $code
}
set -x
`

// Each document's blocks of sh run from top to bottom, as they stand there, against the program and its simulated
// providers. Only addresses are others.
func TestTour(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("the tour needs", program)
		}
	}
	for document, says := range map[string][]string{
		"api.md": {
			`"status":"accepted"`, `"cash":"84.50"`, `id,at,type,`, `event: coupon`, `"type":"stake"`, "games/sessions/",
		},
		"bet.md":              {"EVENS_BET_URL="},
		"providers/README.md": {`"provider":"tg"`, `"provider":"naga"`},
	} {
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			tour(t, document, says)
		})
	}
}

func tour(t *testing.T, document string, says []string) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", filepath.FromSlash(document)))
	if err != nil {
		t.Fatal(err)
	}
	script := tourShell
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		script += block[1]
	}
	if script == tourShell {
		t.Fatal("no block of sh: this test sees nothing")
	}
	folder, address := t.TempDir(), freeAddress(t)
	script = strings.ReplaceAll(script, "127.0.0.1:8080", address)
	ending := "\ncurl --retry 60 --retry-delay 1 --retry-connrefused -o openapi.json http://" + address + "/v1/openapi.json\n" +
		"evens audit\n"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", script+ending)
	shell.Dir = folder
	shell.Cancel = func() error { return shell.Process.Signal(syscall.SIGTERM) }
	shell.WaitDelay = 20 * time.Second
	shell.Env = append(os.Environ(), "PATH="+programFolder(t, address)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"EVENS_DATABASE_URL="+testbed.EmptyDatabase(t), "EVENS_REDIS_URL="+testbed.Redis(t), "EVENS_DATA_DIR="+folder,
		"EVENS_LISTEN="+address, "EVENS_OPS_LISTEN=127.0.0.1:0", "EVENS_LOG_LEVEL=warn")
	output, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, output)
	}
	for _, want := range append(says, "the books are even") {
		if !strings.Contains(string(output), want) {
			t.Errorf("it does not say %s:\n%s", want, output)
		}
	}
}

// programFolder has a program evens that is this test's; simulated providers take free ports and call the address.
func programFolder(t *testing.T, address string) string {
	folder := t.TempDir()
	script := "#!/bin/sh\n" +
		"[ \"$1\" = sim ] && set -- \"$@\" --sim-listen 127.0.0.1:0 --operator http://" + address + " --seed 1 --faults 0\n" +
		asProgram + "=1 exec '" + program() + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(folder, "evens"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}
