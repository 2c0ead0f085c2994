package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"evens/access"
	"evens/audit"
	"evens/bench"
	"evens/sim/betsim"
)

type benchCommand struct {
	Names []string      `arg:"" optional:"" name:"name" help:"settle, place, casino, limits, history, reconcile; all when none is given."`
	JSON  bool          `name:"json" help:"One JSON object a line."`
	N     int           `name:"n" help:"Coupons, or calls of each platform; 100,000 settled, 20,000 placed, 30,000 called, 1,000,000 lines when 0."`
	Base  time.Duration `name:"baseline" help:"How long pgbench runs." default:"15s"`
	Prof  string        `name:"cpu-profile" help:"Write a CPU profile of the measured part to this file." placeholder:"FILE"`
}

var benchNames = []string{"settle", "place", "casino", "limits", "history", "reconcile"}

// Run measures one after the other, on fresh databases of the configured or a private server.
func (c benchCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	names := c.Names
	if len(names) == 0 {
		names = benchNames
	}
	for _, name := range names {
		if !slices.Contains(benchNames, name) {
			return fmt.Errorf("no benchmark %q: there are %v", name, benchNames)
		}
	}
	own := cfg.own()
	own.DataDir = filepath.Join(cfg.DataDir, "bench")
	own.LogLevel = "warn"
	own.unbounded()
	host := &system{cfg: &own, log: own.logger(std.err)}
	defer host.close()
	redisURL, err := host.acquireServers(ctx, true)
	if err != nil {
		return err
	}
	program, err := bench.FindPgBench(host.binDir)
	if err != nil {
		return err
	}
	pg := bench.PgBench{Program: program, ServerURL: host.schemaURL(), For: c.Base, Progress: std.err}
	var baseline bench.Baseline
	if slices.ContainsFunc(names, func(name string) bool { return name == "settle" || name == "place" }) {
		if baseline, err = pg.TPCB(ctx); err != nil {
			return err
		}
	}
	if c.Prof != "" {
		stop, err := profile(c.Prof)
		if err != nil {
			return err
		}
		defer stop()
	}
	run := benchRun{command: c, cfg: own, serverURL: host.schemaURL(), redisURL: redisURL, baseline: baseline, pg: pg, std: std}
	for _, name := range names {
		measure := map[string]func(context.Context, bench.Tell) error{"settle": run.settle, "place": run.place, "casino": run.casino, "limits": run.limits, "history": run.history, "reconcile": run.reconcile}[name]
		err := measure(ctx, func(report *bench.Report) error { return report.Print(std.out, c.JSON) })
		if err != nil {
			return fmt.Errorf("bench %s: %w", name, err)
		}
	}
	return nil
}

// benchLogin is the partner user of the simulated BeT, and its password.
const benchLogin = "bench"

// benchRun is what the benchmarks of one run share.
type benchRun struct {
	command             benchCommand
	cfg                 Config
	serverURL, redisURL string
	baseline            bench.Baseline
	pg                  bench.PgBench
	std                 streams
}

// system opens the whole system on a database of its own.
func (r benchRun) system(ctx context.Context, lag func(received, committed time.Time, n int)) (*system, func(), error) {
	target, drop, err := bench.CreateDatabase(ctx, r.serverURL, fmt.Sprintf("evens_bench_%d", time.Now().UnixNano()))
	if err != nil {
		return nil, nil, err
	}
	cfg := r.cfg
	cfg.DatabaseURL, cfg.RedisURL = target, r.redisURL
	s, err := open(ctx, &cfg, role{name: "evens-bench", migrate: true, lag: lag}, r.std.err)
	if err != nil {
		drop()
		return nil, nil, err
	}
	return s, func() { s.close(); drop() }, nil
}

func (r benchRun) settle(ctx context.Context, tell bench.Tell) error {
	n := r.command.N
	if n == 0 {
		n = 100_000
	}
	paid := bench.NewPaid(n)
	bet, stopBet := serveSim(betsim.New(betsim.Config{}))
	defer stopBet()
	r.cfg.BetURL, r.cfg.BetLogin, r.cfg.BetPassword = bet, benchLogin, benchLogin
	s, end, err := r.system(ctx, paid.Lag)
	if err != nil {
		return err
	}
	defer end()
	if err := bench.Seed(ctx, s.db.Pool, n, r.std.err); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	base, stopped := r.start(ctx, s)
	bar := r.bar(n, "settle")
	report, err := bench.Settle{N: n, ResultURL: base + s.settings.resultPath, Paid: paid, Progress: func(n int) { _ = bar.Set(n) }}.Run(ctx, r.baseline)
	stop()
	if stopErr := <-stopped; err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	if err := r.audit(context.WithoutCancel(ctx), s); err != nil {
		return err
	}
	return tell(report)
}

func (r benchRun) place(ctx context.Context, tell bench.Tell) error {
	n := r.command.N
	if n == 0 {
		n = 20_000
	}
	bet, stopBet := serveSim(betsim.New(betsim.Bench(benchLogin, benchLogin)))
	defer stopBet()
	r.cfg.BetURL, r.cfg.BetLogin, r.cfg.BetPassword = bet, benchLogin, benchLogin
	s, end, err := r.system(ctx, nil)
	if err != nil {
		return err
	}
	defer end()
	_, key, err := s.keys.Create(ctx, "bench", []access.Scope{access.ScopePlayers, access.ScopeCashier, access.ScopeCoupons})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	base, stopped := r.start(ctx, s)
	bar := r.bar(n, "place")
	report, err := bench.Place{N: n, BaseURL: base, APIKey: key, Progress: func(n int) { _ = bar.Set(n) }}.Run(ctx, r.baseline)
	stop()
	if stopErr := <-stopped; err == nil {
		err = stopErr
	}
	if err != nil {
		return err
	}
	if err := r.audit(context.WithoutCancel(ctx), s); err != nil {
		return err
	}
	return tell(report)
}

// start runs API, worker and clock, and returns the API's address.
func (r benchRun) start(ctx context.Context, s *system) (base string, stopped <-chan error) {
	done := make(chan error, 1)
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		done <- err
		return "", done
	}
	go func() {
		done <- runServices(ctx,
			func(ctx context.Context) error {
				return s.serveOn(ctx, listener{name: "api"}, socket, s.publicHandler())
			}, s.work, s.tick)
	}()
	return "http://" + socket.Addr().String(), done
}

// audit fails the benchmark when the books are not even.
func (r benchRun) audit(ctx context.Context, s *system) error {
	report, err := audit.Run(ctx, s.db)
	if err != nil {
		return err
	}
	if !report.Clean {
		return fmt.Errorf("the audit found violations: %w", report.Print(r.std.err))
	}
	fmt.Fprintln(r.std.err, "audit: clean")
	return nil
}

// bar shows progress on a terminal, and nothing elsewhere.
func (r benchRun) bar(n int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(watched(r.std.err)), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionClearOnFinish())
}

// watched is w where it is a terminal, and nothing elsewhere.
func watched(w io.Writer) io.Writer {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return io.Discard
}

// profile samples our CPU until stop.
func profile(path string) (stop func(), err error) {
	file, err := os.Create(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close()
	}, nil
}

// serveSim serves a simulated provider on a free loopback port.
func serveSim(handler http.Handler) (base string, stop func()) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with stop
	if err != nil {
		slog.Error("no loopback port for a simulated provider", "error", err)
		return "", func() {}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }
}
