package main

import "context"

type upCommand struct{}

// Run is the whole system in one process.
func (upCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	if err := cfg.checkUnsigned(); err != nil {
		return err
	}
	s, err := open(ctx, cfg, role{name: "evens-up", migrate: true, works: true}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	s.warn()
	s.takeSpooled(ctx)
	return runServices(ctx, s.serveAPI, s.serveOps, s.work, s.tick, s.watchSpool)
}

type apiCommand struct{}

// Run serves the public and the operators' listener.
func (apiCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	if err := cfg.checkUnsigned(); err != nil {
		return err
	}
	s, err := open(ctx, cfg, role{name: "evens-api", works: true}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	s.warn()
	s.takeSpooled(ctx)
	return runServices(ctx, s.serveAPI, s.serveOps, s.watchSpool)
}

type workerCommand struct{}

// Run works jobs off.
func (workerCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := open(ctx, cfg, role{name: "evens-worker", works: true}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	s.warn()
	s.takeSpooled(ctx)
	return runServices(ctx, s.serveOps, s.work)
}

type cronCommand struct{}

// Run ticks.
func (cronCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	s, err := open(ctx, cfg, role{name: "evens-cron", works: true}, std.err)
	if err != nil {
		return err
	}
	defer s.close()
	s.warn()
	return runServices(ctx, s.serveOps, s.tick)
}
