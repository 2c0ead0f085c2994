package betron

import (
	"evens/casino"
	"evens/money"
)

// Settings are BetronTech's.
type Settings struct {
	URL        string   `name:"betron-url" help:"BetronTech's API; off when empty." placeholder:"URL"`
	AgentCode  string   `name:"betron-agent-code" help:"BetronTech's agent code."`
	AgentToken string   `name:"betron-agent-token" help:"BetronTech's agent token."`
	SecretKey  string   `name:"betron-secret-key" help:"BetronTech's agent secret key."`
	PathSecret string   `name:"betron-path-secret" help:"Path segment behind /casino/betron: their calls carry no signature."`
	Currency   string   `name:"betron-currency" help:"The agent's currency; players in another are refused. Each player's own when empty."`
	Allow      []string `name:"betron-allow" help:"CIDRs that may call; any when empty." placeholder:"CIDR"`
}

// Variables of what keeps strangers out.
const (
	pathSecretSetting = "EVENS_BETRON_PATH_SECRET"
	allowSetting      = "EVENS_BETRON_ALLOW"
)

// Address implements casino.Settings.
func (s *Settings) Address() *string { return &s.URL }

// Check implements casino.Settings.
func (s *Settings) Check(problem casino.Problem) {
	casino.Allow(allowSetting, s.Allow, problem)
	if s.Currency != "" {
		if _, err := money.ParseCurrency(s.Currency); err != nil {
			problem("EVENS_BETRON_CURRENCY", err)
		}
	}
	if s.URL == "" {
		return
	}
	casino.Need("EVENS_BETRON_AGENT_CODE", s.AgentCode, problem)
	casino.Need("EVENS_BETRON_AGENT_TOKEN", s.AgentToken, problem)
	casino.Need("EVENS_BETRON_SECRET_KEY", s.SecretKey, problem)
	if !plainSegment(s.PathSecret) {
		problem(pathSecretSetting, errPathSecret)
	}
}

// Door implements casino.Settings.
func (s *Settings) Door() *casino.Door {
	return &casino.Door{
		Secret: s.PathSecret, Allow: casino.Allow("", s.Allow, casino.Checked), SecretSetting: pathSecretSetting, AllowSetting: allowSetting,
	}
}

// Open implements casino.Settings.
func (s *Settings) Open(parts casino.Parts) (casino.Platform, error) {
	return New(Config{
		URL: s.URL, AgentCode: s.AgentCode, AgentToken: s.AgentToken, SecretKey: s.SecretKey, PathSecret: s.PathSecret,
		Currency: money.Currency(s.Currency), Allow: casino.Allow("", s.Allow, casino.Checked),
	}, parts.Floor, parts.Players)
}
