package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"

	"evens/access"
	"evens/reconcile"
	"evens/wallet"
)

type reconcileCommand struct {
	Provider string    `required:"" help:"${any_provider}." enum:"${providers}"`
	From     time.Time `help:"Beginning of the window; the watermark when empty, or the file's first line." placeholder:"TIME"`
	To       time.Time `help:"End of the window; a little before now when empty, or the file's last line." placeholder:"TIME"`
	File     string    `help:"A list in a file (.csv, .csv.gz, .zip, .xlsx); - for standard input. The provider is asked when empty." placeholder:"F.csv"`
	Mapping  string    `help:"How the file is to be read; evens mapping drafts one." placeholder:"M.yaml"`
	Complete bool      `help:"The file is the whole of its window: what it lacks does not exist there."`
	DryRun   bool      `name:"dry-run" help:"Find and say what would be done, and change nothing."`
	JSON     bool      `name:"json" help:"One JSON object."`
}

// uses implements command: what heals differs with the provider, and a file asks nobody.
func (c reconcileCommand) uses() parts {
	p := usesWallet | usesPolicy
	switch c.Provider {
	case reconcile.BeT:
		return p | usesBookmaker | usesGuard | usesStakeOrder
	case wallet.CashSource:
		return p | usesCampaigns
	}
	if c.File == "" {
		p |= usesPlatforms
	}
	return p
}

func (c reconcileCommand) asks() string { return c.Provider }

// Run does one run. Breaks that stay open end it with exit code 1.
func (c reconcileCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	request := reconcile.Request{Provider: c.Provider, From: c.From, To: c.To, DryRun: c.DryRun, Complete: c.Complete}
	if c.Complete && c.File == "" {
		return errors.New("--complete is said of a --file")
	}
	if c.Mapping != "" {
		file, err := os.Open(c.Mapping)
		if err != nil {
			return err
		}
		defer file.Close()
		if request.Mapping, err = reconcile.ReadMapping(file); err != nil {
			return fmt.Errorf("%s: %w", c.Mapping, err)
		}
	}
	switch c.File {
	case "":
	case "-":
		request.File = std.in
	default:
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer file.Close()
		request.File = file
	}
	s, err := open(ctx, cfg, role{name: "evens-reconcile", migrate: cfg.DatabaseURL == "", uses: use{c.uses(), c.asks()}}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	bar := linesBar(std.err)
	request.Progress = func(lines int64) { _ = bar.Set64(lines) }
	report, err := s.reconciler.Run(ctx, request)
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(std.out)
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(report)
	} else {
		err = printReport(std.out, report)
	}
	if err == nil && !report.Even() {
		err = errFound
	}
	return err
}

// linesBar shows how many lines have been read, on a terminal.
func linesBar(w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions64(-1, progressbar.OptionSetWriter(watched(w)), progressbar.OptionSetDescription("lines"),
		progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetSpinnerChangeInterval(0)) // or it draws from a goroutine of its own
}

func printReport(w io.Writer, r *reconcile.Report) error {
	fmt.Fprintf(w, "%s, %s to %s: %d lines, %d of ours, %d agree, %d breaks, %d closed by themselves\n", r.Provider,
		r.From.Format(time.RFC3339), r.To.Format(time.RFC3339), r.Lines, r.Ours, r.Matched, len(r.Breaks), r.Closed)
	if r.Unreadable > 0 {
		fmt.Fprintf(w, "%d lines could not be read and were left aside: each is a break\n", r.Unreadable)
	}
	if r.Cut {
		fmt.Fprintln(w, "it lacks so much of ours that nothing of what it lacks is believed: those are a person's")
	}
	fmt.Fprintf(w, "left out: %d by the mapping, %d of other times, %d undone there and never here; %d prove nothing yet\n",
		r.Ignored, r.Outside, r.CancelledOut, r.Pending)
	moved := "moved"
	if r.DryRun {
		moved = "would move"
		fmt.Fprintln(w, "tried only: nothing was changed")
	}
	for _, currency := range slices.Sorted(maps.Keys(r.Sums)) {
		sum := r.Sums[currency]
		fmt.Fprintf(w, "%s %s: paid %s, given back %s, taken %s\n", moved, currency, sum.Paid, sum.GivenBack, sum.Taken)
	}
	if len(r.Breaks) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND\tTRANSACTION\tPLAYER\tOURS\tTHEIRS\tSTATE\tACTION")
	for _, b := range r.Breaks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", b.Kind, b.TransactionID, b.PlayerID, orDash(b.Ours), orDash(b.Theirs), b.State, b.Action)
	}
	return table.Flush()
}

func orDash(text json.RawMessage) string {
	if len(text) == 0 {
		return "-"
	}
	return string(text)
}

type breaksCommand struct {
	List    breaksListCommand    `cmd:"" help:"List breaks, oldest first."`
	Show    breaksShowCommand    `cmd:"" help:"Show one break and its history."`
	Resolve breaksResolveCommand `cmd:"" help:"End a break that has been seen to."`
	Ignore  breaksIgnoreCommand  `cmd:"" help:"End a break for good: it is not opened again."`
}

type breaksListCommand struct {
	Provider string   `help:"Of one provider only."`
	State    []string `help:"open, healing, resolved, ignored." default:"open,healing"`
	Limit    int      `help:"Rows at the most." default:"200"`
	JSON     bool     `name:"json" help:"One JSON object a line."`
}

// Run lists breaks.
func (c breaksListCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := openFor(ctx, cfg, "breaks", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	filter := reconcile.Filter{Provider: c.Provider, Limit: c.Limit}
	for _, state := range c.State {
		filter.States = append(filter.States, reconcile.State(state))
	}
	list, err := s.reconciler.Breaks(ctx, filter)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(std.out)
		for _, b := range list {
			if err := encoder.Encode(b); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tPROVIDER\tKIND\tTRANSACTION\tPLAYER\tAMOUNT\tSTATE\tACTION\tAGE")
	for _, b := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s %s\t%s\t%s\t%s\n", b.ID, b.Provider, b.Kind, b.TransactionID, b.Player, b.Amount, b.Currency,
			b.State, b.Action, s.now().Sub(b.FirstSeen).Round(time.Second))
	}
	return table.Flush()
}

type breaksShowCommand struct {
	ID string `arg:""`
}

// Run prints one break as JSON.
func (c breaksShowCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return reconcile.ErrNoBreak
	}
	s, err := openFor(ctx, cfg, "breaks", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	b, events, err := s.reconciler.Break(ctx, id)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		reconcile.Break
		History []reconcile.Event `json:"history"`
	}{b, events})
}

type breaksResolveCommand struct{ breaksEnd }

// Run resolves breaks.
func (c breaksResolveCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.end(ctx, cfg, std, reconcile.StateResolved)
}

type breaksIgnoreCommand struct{ breaksEnd }

// Run ignores breaks.
func (c breaksIgnoreCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.end(ctx, cfg, std, reconcile.StateIgnored)
}

type breaksEnd struct {
	IDs     []string `arg:"" name:"id"`
	Comment string   `required:"" help:"Why; kept for good."`
	deciding
}

// end ends breaks one after the other; the first that cannot be ended ends the command.
func (c breaksEnd) end(ctx context.Context, cfg *Config, std streams, to reconcile.State) error {
	s, err := openFor(ctx, cfg, "breaks", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	ctx, who, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.DecideBreaks)
	if err != nil {
		return err
	}
	for _, text := range c.IDs {
		id, err := uuid.Parse(text)
		if err != nil {
			err = reconcile.ErrNoBreak
		} else {
			err = s.reconciler.End(ctx, id, to, who.Email, c.Comment)
		}
		if err != nil {
			return fmt.Errorf("break %s: %w", text, err)
		}
		fmt.Fprintf(std.out, "break %s: %s\n", text, to)
	}
	return nil
}

// wireReconciler makes the reconciler with the lists of the providers that have one.
func (s *system) wireReconciler(role role) {
	cfg := reconcile.Config{
		DB: s.db, Poster: s.poster, Players: s.directory, Floor: s.games.floor, Inbox: s.inbox, Desk: s.desk,
		Sources: make(map[string]reconcile.Source), Platforms: s.cfg.kinds(), Policy: s.settings.policy, Now: s.now,
		Observe: func(provider string, ok bool, kind reconcile.Kind, n int) {
			s.metrics.Reconciled(provider, ok, string(kind), n)
		}, Log: s.log,
	}
	if role.settling > 0 {
		cfg.Policy.Delay, cfg.Policy.Delays = role.settling, nil
	}
	for _, platform := range s.games.platforms {
		if list := platform.List(); list != nil {
			cfg.Sources[platform.Name()] = list
		}
	}
	if s.bookmaker != nil {
		cfg.Sources[reconcile.BeT] = &reconcile.BetList{DB: s.db, Client: s.bookmaker, Now: s.now}
	}
	s.reconciler = reconcile.New(cfg)
}

// books is one run over a window, for the demo.
func (s *system) books(ctx context.Context, provider string, from, to time.Time) (*reconcile.Report, error) {
	return s.reconciler.Run(ctx, reconcile.Request{Provider: provider, From: from, To: to})
}
