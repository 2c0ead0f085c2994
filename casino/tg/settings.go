package tg

import "evens/casino"

// Settings are TG's.
type Settings struct {
	URL          string   `name:"tg-url" help:"TG's API; off when empty." placeholder:"URL"`
	AgentID      string   `name:"tg-agent-id" help:"TG's agent id."`
	Key          string   `name:"tg-key" help:"TG's API key: 64 hex digits, or 32 bytes in base64."`
	SecretKey    string   `name:"tg-secret-key" help:"TG's secret key, for their sign-on only."`
	OldSignature bool     `name:"tg-old-signature" help:"Sign our calls as TG's older documents have it."`
	JackpotApart bool     `name:"tg-jackpot-apart" help:"TG's winAmt does not include jackpotWin."`
	Allow        []string `name:"tg-allow" help:"CIDRs that may call; any when empty." placeholder:"CIDR"`
}

// Address implements casino.Settings.
func (s *Settings) Address() *string { return &s.URL }

// Check implements casino.Settings.
func (s *Settings) Check(problem casino.Problem) {
	casino.Allow("EVENS_TG_ALLOW", s.Allow, problem)
	if s.URL == "" {
		return
	}
	casino.Need("EVENS_TG_AGENT_ID", s.AgentID, problem)
	casino.Need("EVENS_TG_KEY", s.Key, problem)
	if s.Key != "" {
		if _, err := ParseKey(s.Key); err != nil {
			problem("EVENS_TG_KEY", err)
		}
	}
}

// Door implements casino.Settings: only they can encrypt their calls.
func (s *Settings) Door() *casino.Door { return nil }

// Open implements casino.Settings.
func (s *Settings) Open(parts casino.Parts) (casino.Platform, error) {
	key, err := ParseKey(s.Key)
	if err != nil {
		return nil, err
	}
	return New(Config{
		URL: s.URL, AgentID: s.AgentID, Key: key, SecretKey: s.SecretKey, OldSignature: s.OldSignature, JackpotApart: s.JackpotApart,
		Allow: casino.Allow("", s.Allow, casino.Checked),
	}, parts.Floor)
}
