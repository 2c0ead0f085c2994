package main

// What each command uses, and so which settings can stop it. Commands that decide about money ask for a second person
// where it is much; those that only read, or change what is not money, open the database alone.

func (upCommand) uses() parts     { return usesEverything }
func (apiCommand) uses() parts    { return usesEverything }
func (workerCommand) uses() parts { return usesEverything }
func (cronCommand) uses() parts   { return usesEverything }
func (demoCommand) uses() parts   { return usesEverything }
func (benchCommand) uses() parts  { return usesEverything }

func (simCommand) uses() parts            { return 0 }
func (versionCommand) uses() parts        { return 0 }
func (mappingCommand) uses() parts        { return 0 }
func (bonusCampaignsCommand) uses() parts { return usesCampaigns }

func (migrateCommand) uses() parts      { return usesDatabase }
func (auditCommand) uses() parts        { return usesDatabase }
func (explainWhat) uses() parts         { return usesDatabase }
func (debtsCommand) uses() parts        { return usesDatabase }
func (failuresCommand) uses() parts     { return usesDatabase }
func (closingCommand) uses() parts      { return usesDatabase }
func (resultsListCommand) uses() parts  { return usesDatabase }
func (breaksListCommand) uses() parts   { return usesDatabase }
func (breaksShowCommand) uses() parts   { return usesDatabase }
func (playerLimitsCommand) uses() parts { return usesDatabase }
func (bonusListCommand) uses() parts    { return usesDatabase }
func (adjustListCommand) uses() parts   { return usesDatabase }
func (suspenseListCommand) uses() parts { return usesDatabase }
func (apikeyListCommand) uses() parts   { return usesDatabase }
func (operatorListCommand) uses() parts { return usesDatabase }

func (managing) uses() parts             { return usesDatabase | usesPassword }
func (callbackCommand) uses() parts      { return usesDatabase | usesPassword }
func (playerStatus) uses() parts         { return usesDatabase | usesPassword }
func (breaksEnd) uses() parts            { return usesDatabase | usesPassword }
func (resultsRefuseCommand) uses() parts { return usesDatabase | usesPassword }

func (adjusting) uses() parts           { return usesWallet | usesPassword | usesApproval }
func (bonusForfeitCommand) uses() parts { return usesWallet | usesPassword | usesApproval }
func (suspenseDecision) uses() parts    { return usesWallet | usesPassword | usesApproval }
func (resultsApplyCommand) uses() parts { return usesWallet | usesPassword | usesApproval }
func (couponCancelCommand) uses() parts { return usesWallet | usesPassword | usesApproval }

// uses implements command: the stake is taken again, and the results that wait are settled.
func (couponAdoptCommand) uses() parts {
	return usesWallet | usesPassword | usesApproval | usesStakeOrder | usesGuard
}
