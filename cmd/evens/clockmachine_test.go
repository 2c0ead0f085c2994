package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/testbed"
	"evens/internal/testbed/testlog"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// machineSkew is the variable by which a program that was built on a wrong machine is told how wrong.
const machineSkew = "EVENS_TEST_MACHINE_SKEW"

// wrongTime makes the time of all libraries, Go's own too, that of a machine whose clock is wrong. Only the
// wall clock is: the monotonic one is what it is.
const wrongTime = `package time

import "syscall"

var machineSkew = func() int64 {
	text, _ := syscall.Getenv("` + machineSkew + `")
	skew, _ := ParseDuration(text)
	return int64(skew / Second)
}()
`

// onWrongMachine builds evens on a library whose time.Now reads a clock that is wrong: no part of the
// program can go by the machine's clock without being seen.
func onWrongMachine(t *testing.T) (program string) {
	t.Helper()
	if os.Getenv("EVENS_TEST_WRONG_MACHINE") == "" {
		t.Skip("builds Go's library anew, which takes minutes: make wrong-machine. In one process: TestProcessesWithWrongClocksUnderstandEachOther")
	}
	root := strings.TrimSpace(string(outputOf(t, "go", "env", "GOROOT")))
	file := filepath.Join(root, "src", "time", "time.go")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const read = "sec, nsec, mono := runtimeNow()\n"
	if bytes.Count(source, []byte(read)) == 0 {
		t.Fatalf("%s does not read the clock as it did", file)
	}
	dir := t.TempDir()
	overlay := map[string]string{file: filepath.Join(dir, "time.go"), filepath.Join(root, "src", "time", "skew.go"): filepath.Join(dir, "skew.go")}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"time.go":      bytes.ReplaceAll(source, []byte(read), []byte(read+"\tsec += machineSkew\n")),
		"skew.go":      []byte(wrongTime),
		"overlay.json": text,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program = filepath.Join(dir, "evens")
	outputOf(t, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, ".")
	return program
}

func outputOf(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return out
}

// get is the text that a URL answers; empty where it does not.
func get(url string) string {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// gauge reads a metric of a process; ok = false: it has none.
func gauge(ops, name string) (value float64, ok bool) {
	match := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(get("http://" + ops + "/metrics"))
	if match == nil {
		return 0, false
	}
	value, err := strconv.ParseFloat(match[1], 64)
	return value, err == nil
}

type nobodyKnows struct{}

// Place implements coupon.Bookmaker.
func (nobodyKnows) Place(context.Context, bet.Ticket) (bet.Answer, error) {
	return bet.Answer{}, bet.ErrUnknownOutcome
}

// unconfirmed places a coupon of which nobody knows whether BeT has it.
func (i *installation) unconfirmed(t *testing.T) coupon.Coupon {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	poster := wallet.NewPoster(wallet.NewBooks(i.db, nil, log), wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	p, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err == nil {
		_, err = wallet.Deposit(t.Context(), poster, wallet.Cash{
			Player: p.ID, Currency: "USD", Amount: money.MustParse("100"), Method: "test", TransactionID: "d", At: time.Now(),
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	desk := coupon.NewDesk(poster, coupon.NewStore(i.db), coupon.Config{Bookmaker: nobodyKnows{}, RemoteHost: "http://us", Now: time.Now, Log: log})
	placed, err := desk.Place(t.Context(), coupon.Order{
		Player: p.ID, Stake: money.MustParse("5"), Currency: "USD", Lang: "en", RateMode: "reject", Pointers: []string{"line#1|1|1|0#2.00"},
	})
	if err != nil || placed.Status != coupon.Unconfirmed {
		t.Fatalf("placed as %s, %v", placed.Status, err)
	}
	return placed
}

// A push is taken by a process whose machine's clock is wrong, and its jobs are lost; the other way round,
// the process that looks for such results has the wrong clock. They are paid as if all clocks were right, no
// age is below zero, a coupon that nobody knows of keeps its grace, and the skew is told.
func TestAMachineWithAWrongClock(t *testing.T) {
	t.Parallel()
	program := onWrongMachine(t)
	for _, test := range []struct {
		name              string
		taking, searching time.Duration
	}{
		{"taken ahead", time.Hour, 0}, {"taken behind", -time.Hour, 0},
		{"looked for ahead", 0, time.Hour}, {"looked for behind", 0, -time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const coupons = 600
			i := install(t, testbed.Database(t), testbed.Redis(t))
			push, open := i.seed(t, coupons), i.unconfirmed(t)
			api, apiOps, workerOps := freeAddress(t), freeAddress(t), freeAddress(t)
			takes := i.startWrong(t, program, test.taking, []string{"api"},
				"EVENS_LISTEN="+api, "EVENS_OPS_LISTEN="+apiOps, "EVENS_REDIS_URL=redis://127.0.0.1:1/0") // nobody is rung for
			eventually(t, time.Minute, "the api listens", func() bool { return answers("http://"+api+"/v1/openapi.json", 200) })
			if err := push("http://" + api + "/api/bet/result"); err != nil {
				t.Fatal(err)
			}
			searches := i.startWrong(t, program, test.searching, []string{"worker"}, "EVENS_OPS_LISTEN="+workerOps)
			i.startWrong(t, program, test.searching, []string{"cron"})
			eventually(t, time.Minute, "the results are paid", func() bool {
				if age, ok := gauge(workerOps, "evens_result_chunk_oldest_seconds"); ok && age < -2 {
					t.Errorf("the oldest chunk is %.0f s old", age)
				}
				return i.count(t, countSettled) == coupons
			})
			if late, ok := gauge(workerOps, "evens_settlement_lag_below_zero_total"); !ok || late != 0 {
				t.Errorf("%.0f results were paid before they came", late)
			}
			if now, err := coupon.NewStore(i.db).Get(t.Context(), open.ID); err != nil || now.Status != coupon.Unconfirmed {
				t.Errorf("the coupon that nobody knows of is %s, %v, before its grace is over", now.Status, err)
			}
			for ops, skew := range map[string]time.Duration{apiOps: test.taking, workerOps: test.searching} {
				tellsSkew(t, ops, skew)
			}
			takes.kill()
			searches.kill()
			for p, skew := range map[*process]time.Duration{takes: test.taking, searches: test.searching} {
				if told := strings.Count(p.log.String(), "the clock of this machine"); told != min(1, int(skew.Abs()/time.Hour)) {
					t.Errorf("a skew of %s was logged %d times", skew, told)
				}
			}
			i.clean(t)
		})
	}
}

// tellsSkew holds that the operators' listener of a process says by how much its machine is wrong.
func tellsSkew(t *testing.T, ops string, skew time.Duration) {
	t.Helper()
	if told, ok := gauge(ops, "evens_clock_skew_seconds"); !ok || told < skew.Seconds()-2 || told > skew.Seconds()+2 {
		t.Errorf("evens_clock_skew_seconds is %.1f, want %.0f", told, skew.Seconds())
	}
	var ready struct {
		Parts map[string]string `json:"parts"`
	}
	if err := json.Unmarshal([]byte(get("http://"+ops+"/readyz")), &ready); err != nil {
		t.Fatal(err)
	}
	want := "ok"
	switch {
	case skew > 0:
		want = "ok, but the clock of this machine is 1h0m0s ahead of the database's: set both by a time server"
	case skew < 0:
		want = "ok, but the clock of this machine is 1h0m0s behind the database's: set both by a time server"
	}
	if ready.Parts["clock"] != want {
		t.Errorf("/readyz says of the clock %q, want %q", ready.Parts["clock"], want)
	}
}

// startWrong starts a process on a machine whose clock is wrong. It is killed when the test ends.
func (i *installation) startWrong(t *testing.T, program string, skew time.Duration, args []string, environ ...string) *process {
	t.Helper()
	p := &process{Cmd: i.command(t, args, append(environ, machineSkew+"="+skew.String())...), log: &testlog.Buffer{}}
	p.Path, p.Stderr = program, p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("evens %s, %s off:\n%s", strings.Join(args, " "), skew, p.log)
		}
	})
	return p
}
