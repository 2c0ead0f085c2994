package coupon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/spool"
)

// spooled is an answer of BeT's to a placement that the database would not take, as a line of the spool.
type spooled struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	Coupon  uuid.UUID `json:"coupon_id"`
	Player  uuid.UUID `json:"player_id"`
	Status  Status    `json:"status"`
	BetCode string    `json:"bet_code,omitempty"`
	// Answer is BeT's acceptance as it was read, without its body.
	Answer  *bet.Answer  `json:"answer,omitempty"`
	Code    string       `json:"error_code,omitempty"`
	Message string       `json:"error_message,omitempty"`
	Kept    *spooledKept `json:"kept,omitempty"`
	// Raw is the body as it came, its secrets masked.
	Raw string `json:"raw,omitempty"`
}

// spooledKept is what is known of an answer that could not be taken; Raw has its body.
type spooledKept struct {
	HTTPStatus int    `json:"http_status"`
	Reason     string `json:"reason"`
	Size       int    `json:"size"`
}

const spoolVersion = 1

// spoolable reports whether an answer tells what nobody else knows: that BeT may have the coupon, or surely has not.
func (said outcome) spoolable() bool {
	return said.status != Unconfirmed || said.kept != nil
}

// spool keeps an answer that could not be written down, and says so in the log, once. It reports whether the answer
// is kept.
func (d *Desk) spool(ctx context.Context, placed Coupon, said outcome, cause error) bool {
	line := spooled{
		Version: spoolVersion, At: d.cfg.Now(), Coupon: placed.ID, Player: placed.Player, Status: said.status,
		Code: said.code, Message: d.masked([]byte(said.message)), BetCode: said.answer.BetCode,
	}
	raw := said.answer.Raw
	if said.status == Accepted {
		answer := said.answer
		answer.Raw, line.Answer = nil, &answer
	}
	if said.kept != nil {
		raw, line.BetCode = said.kept.body, said.kept.code
		line.Kept = &spooledKept{HTTPStatus: said.kept.status, Reason: d.masked([]byte(said.kept.reason)), Size: said.kept.size}
	}
	line.Raw = d.masked(raw[:min(len(raw), maxKept)])
	facts := []any{"coupon_id", placed.ID, "player_id", placed.Player, "status", said.status, "bet_code", line.BetCode, "error", cause}
	if d.cfg.Spool == nil || !said.spoolable() {
		d.cfg.Log.ErrorContext(ctx, "bookmaker's answer not recorded: the coupon stays open for the sweep", facts...)
		return false
	}
	text, err := json.Marshal(line)
	if err == nil {
		err = d.cfg.Spool.Add(text)
	}
	if err != nil { // the log is the last place
		d.cfg.Log.ErrorContext(ctx, "bookmaker's answer neither recorded nor spooled: the coupon stays open for the sweep",
			append(facts, "raw", line.Raw, "spool_error", err)...)
		return false
	}
	d.cfg.Log.ErrorContext(ctx, "bookmaker's answer not recorded: it is in the spool", facts...)
	return true
}

// masked is a text as it may be kept: stars stand for the secrets in it, so that what follows stays where it was.
func (d *Desk) masked(text []byte) string {
	for _, secret := range d.cfg.Secrets {
		for _, written := range []string{secret, strings.ReplaceAll(secret, "/", `\/`)} {
			if written != "" {
				text = bytes.ReplaceAll(text, []byte(written), bytes.Repeat([]byte("*"), len(written)))
			}
		}
	}
	return legible(string(text))
}

func readSpooled(text []byte) (spooled, outcome, error) {
	var line spooled
	if err := json.Unmarshal(text, &line); err != nil {
		return line, outcome{}, errors.Join(spool.ErrTorn, err)
	}
	if line.Version != spoolVersion || line.Coupon == uuid.Nil || !Placing.May(line.Status) || line.Status == Accepted && line.Answer == nil {
		return line, outcome{}, fmt.Errorf("%w: an answer of version %d, %q", spool.ErrTorn, line.Version, line.Status)
	}
	said := outcome{status: line.Status, code: line.Code, message: line.Message}
	if line.Answer != nil {
		said.answer = *line.Answer
		said.answer.Raw = []byte(line.Raw)
	}
	if line.Kept != nil {
		said.kept = &keptAnswer{
			code: line.BetCode, status: line.Kept.HTTPStatus, reason: line.Kept.Reason, body: []byte(line.Raw), size: line.Kept.Size,
		}
	}
	return line, said, nil
}

// TakeSpooled writes down the answers in the spool, as if they came now, and answers how many. Doing it twice is
// harmless. afresh takes up those too that could not be written down before, for other reasons than an absent database.
func (d *Desk) TakeSpooled(ctx context.Context, afresh bool) (int, error) {
	if d.cfg.Spool == nil {
		return 0, nil
	}
	n, err := d.cfg.Spool.Drain(ctx, afresh, func(ctx context.Context, text []byte) error {
		line, said, err := readSpooled(text)
		if err != nil {
			return err
		}
		_, err = d.answer(ctx, line.Coupon, line.Player, said, true)
		return err
	}, func(err error) bool { return postgres.Unavailable(err) || ctx.Err() != nil })
	if n > 0 {
		d.cfg.Log.InfoContext(ctx, "bookmaker's answers taken from the spool", "answers", n)
	}
	return n, err
}
