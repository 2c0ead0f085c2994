package main

// commandLine is every command and every option.
type commandLine struct {
	Config

	Up        upCommand        `cmd:"" help:"Run API, worker and cron in one process; private servers when none are configured."`
	API       apiCommand       `cmd:"" name:"api" help:"Run the API and callbacks alone."`
	Worker    workerCommand    `cmd:"" help:"Run the job worker alone."`
	Cron      cronCommand      `cmd:"" help:"Run the clock alone."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database schema up to date."`
	Demo      demoCommand      `cmd:"" help:"Show the whole system with simulated providers."`
	Audit     auditCommand     `cmd:"" help:"Re-derive every balance, payout and state from the transfers; exit 1 on a violation."`
	Results   resultsCommand   `cmd:"" help:"List, apply or refuse results that wait for a person."`
	Coupon    couponCommand    `cmd:"" help:"End a coupon that needs a person: adopt or cancel it."`
	Reconcile reconcileCommand `cmd:"" help:"Hold our books against a provider's list; exit 1 if breaks stay open."`
	Mapping   mappingCommand   `cmd:"" help:"Look at a statement file and draft the mapping that reads it."`
	Breaks    breaksCommand    `cmd:"" help:"List, show or end differences to providers' lists."`
	Failures  failuresCommand  `cmd:"" help:"The Failed Transactions report: what was refused, undone or waits, and what was done about it."`
	Closing   closingCommand   `cmd:"" help:"A day's closing, ours beside theirs, as CSV."`
	Player    playerCommand    `cmd:"" help:"Block, unblock or close a player; show a player's limits."`
	Adjust    adjustCommand    `cmd:"" help:"Give a player money by hand, or take it, with a reason; large sums need a second person."`
	Bonus     bonusCommand     `cmd:"" help:"List a player's bonuses, take one back, show the campaigns."`
	Debts     debtsCommand     `cmd:"" help:"Purses below zero, oldest first."`
	Suspense  suspenseCommand  `cmd:"" help:"Payments that belong to no player we know, or that a gateway contradicts: list, assign or close them."`
	Explain   explainCommand   `cmd:"" help:"The whole story of one coupon or balance, with the reason of each step."`
	Callback  callbackCommand  `cmd:"" help:"Show what a provider sent, what it was answered and what that moved; for operators who may."`
	Apikey    apikeyCommand    `cmd:"" help:"Create, list or revoke API keys."`
	Operator  operatorCommand  `cmd:"" help:"List, create, disable, enable operators; change their passwords and roles."`
	Sim       simCommand       `cmd:"" help:"Run the simulated providers alone."`
	Bench     benchCommand     `cmd:"" help:"Run the benchmarks, each beside its baseline on the same server."`
	Version   versionCommand   `cmd:"" help:"Print version, commit and Go."`
}
