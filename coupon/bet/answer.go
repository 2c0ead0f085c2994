package bet

import (
	"cmp"
	"slices"
	"time"

	"evens/money"
)

// Answer is a coupon as BeT accepted it. Only BetCode is certain to be there. What BeT left out is
// the zero value; what it wrote unreadably is the zero value too, and named in Unread.
type Answer struct {
	// BetCode names the coupon from now on; results come by it (as BarCode).
	BetCode string
	// BetID is BeT's other id, the same text in all known answers.
	BetID string
	// Coef is the whole coupon's coefficient as accepted, CoefOrig the one before a change.
	Coef, CoefOrig money.Coef
	// Stake is the realAmount BeT counts with.
	Stake money.Amount
	// PossibleWin is PosWin, or AmountOut without one.
	PossibleWin money.Amount
	// BetDate is when BeT took the coupon, UTC.
	BetDate time.Time
	// LiveType is a word for people, in the language asked for ("Обычный").
	LiveType string
	Live     bool
	// Events is how many selections BeT counted.
	Events     int
	Selections []AcceptedSelection
	// Unread names the figures that were there and make no sense, by BeT's own names: "Coef",
	// "Bet", "PosWin", "AmountOut", "CoefOrig". What they say is not known.
	Unread []string
	// Raw is the body as it came, for the record.
	Raw []byte
}

// AcceptedSelection is one selection of an accepted coupon, in the words of BeT's line.
type AcceptedSelection struct {
	// LineID is LinesId, by BeT's document the id of the match.
	LineID     string
	Tournament string
	Teams      string
	BetName    string
	Outcome    string
	Coef       money.Coef
	CoefOrig   money.Coef
	// Unread names the figures that make no sense: "Coef", "CoefOrig".
	Unread  []string
	SportID int
	Live    bool
	// EventDate is when the match starts, UTC.
	EventDate time.Time
}

// placed is the answer to /bet/place/ on the wire: acceptance and refusal have one shape.
type placed struct {
	BetCode       text  `json:"betCode"`
	Status        *code `json:"status"`
	ErrorCode     code  `json:"errorCode"`
	FullErrorCode code  `json:"fullErrorCode"`
	ErrorMessage  text  `json:"errorMessage"`
	D             struct {
		Head placedHead `json:"BetHeadDetail"`
	} `json:"d"`
	Bets []placedBet `json:"BetsContentDataList"`
}

// placedHead is d.BetHeadDetail. Some clients look for the error codes here as well.
type placedHead struct {
	LiveType      text   `json:"LiveType"`
	AmountOut     figure `json:"AmountOut"`
	PosWin        figure `json:"PosWin"`
	CoefOrig      figure `json:"CoefOrig"`
	Coef          figure `json:"Coef"`
	BetCode       text   `json:"BetCode"`
	BetID         text   `json:"BetId"`
	BetDate       figure `json:"BetDate"`
	Bet           figure `json:"Bet"`
	Status        *code  `json:"Status"`
	CountEvents   figure `json:"CountEvents"`
	IsLive        flag   `json:"IsLive"`
	ErrorCode     code   `json:"ErrorCode"`
	FullErrorCode code   `json:"FullErrorCode"`
}

// placedBet is one of BetsContentDataList.
type placedBet struct {
	LinesID        text   `json:"LinesId"`
	Outcome        text   `json:"Outcome"`
	TournamentName text   `json:"TournamentName"`
	CoefOrig       figure `json:"CoefOrig"`
	Coef           figure `json:"Coef"`
	BetName        text   `json:"BetName"`
	SportID        figure `json:"SportId"`
	IsLive         flag   `json:"IsLive"`
	EventDate      figure `json:"EventDate"`
	Teams          text   `json:"Teams"`
}

// verdict is what an answer says about the placement itself, apart from the coupon's details.
type verdict struct {
	status                   code
	errorCode, fullErrorCode code
	message                  string
	// contradiction says in words why the answer cannot be taken as it is, "" where it can.
	contradiction string
}

// answerMembers are the members by which an answer to /bet/place/ is known.
var answerMembers = []string{
	"betcode", "status", "errorcode", "fullerrorcode", "errormessage", "d", "betscontentdatalist",
}

// decodeAnswer reads a body of /bet/place/. Its only error is a body without readable JSON;
// the answer then has the bet code alone, if one can be found.
func decodeAnswer(body []byte) (Answer, verdict, error) {
	var wire placed
	unclear, err := decode(body, &wire, answerSpellings, answerMembers...)
	if err != nil {
		return Answer{BetCode: searchCode(body), Raw: body}, verdict{}, err
	}
	head := wire.D.Head
	code, inHead := told(wire.BetCode), told(head.BetCode)
	var missing unread
	answer := Answer{
		BetCode:    cmp.Or(code, inHead),
		BetID:      string(head.BetID),
		Coef:       missing.coef("Coef", head.Coef),
		CoefOrig:   missing.coef("CoefOrig", head.CoefOrig),
		Stake:      missing.stake("Bet", head.Bet),
		BetDate:    milliseconds(head.BetDate),
		LiveType:   string(head.LiveType),
		Live:       bool(head.IsLive),
		Events:     int(head.CountEvents.integer()),
		Selections: acceptedSelections(wire.Bets),
		Raw:        body,
	}
	possible, amountOut := missing.stake("PosWin", head.PosWin), missing.stake("AmountOut", head.AmountOut)
	drop(&missing, unclear, "Coef", &answer.Coef)
	drop(&missing, unclear, "CoefOrig", &answer.CoefOrig)
	drop(&missing, unclear, "Bet", &answer.Stake)
	drop(&missing, unclear, "PosWin", &possible)
	drop(&missing, unclear, "AmountOut", &amountOut)
	answer.PossibleWin = cmp.Or(possible, amountOut)
	answer.Unread = missing
	v := verdict{
		// No status at all is as good as an accepted one: the bet code and the absence of an
		// error say the same.
		status:        *cmp.Or(wire.Status, head.Status, new(statusAccepted)),
		errorCode:     cmp.Or(wire.ErrorCode, head.ErrorCode),
		fullErrorCode: cmp.Or(wire.FullErrorCode, head.FullErrorCode),
		message:       string(wire.ErrorMessage),
		contradiction: contradiction(code, inHead, unclear),
	}
	return answer, v, nil
}

// deciding are the members that say whether a coupon was taken.
var deciding = []string{"betcode", "status", "errorcode", "fullerrorcode", "errormessage", "d", "betheaddetail"}

// contradiction says what an answer says twice or unclearly, "" where it agrees with itself.
func contradiction(code, inHead string, unclear []string) string {
	if code != "" && inHead != "" && code != inHead {
		return "two bet codes"
	}
	for _, name := range deciding {
		if slices.Contains(unclear, name) {
			return name + " comes twice, or in other letters"
		}
	}
	return ""
}

func acceptedSelections(bets []placedBet) []AcceptedSelection {
	selections := make([]AcceptedSelection, 0, len(bets))
	for _, b := range bets {
		if b == (placedBet{}) {
			continue
		}
		var missing unread
		s := AcceptedSelection{
			LineID:     string(b.LinesID),
			Tournament: string(b.TournamentName),
			Teams:      string(b.Teams),
			BetName:    string(b.BetName),
			Outcome:    string(b.Outcome),
			Coef:       missing.coef("Coef", b.Coef),
			CoefOrig:   missing.coef("CoefOrig", b.CoefOrig),
			SportID:    int(b.SportID.integer()),
			Live:       bool(b.IsLive),
			EventDate:  milliseconds(b.EventDate),
		}
		s.Unread = missing
		selections = append(selections, s)
	}
	return selections
}

// lastMillisecond is the end of the year 9999, past which neither JSON nor people follow.
const lastMillisecond = 253_402_300_799_999

// milliseconds reads BeT's dates: milliseconds since 1970. The zero time when absent.
func milliseconds(f figure) time.Time {
	ms := f.integer()
	if ms <= 0 || ms > lastMillisecond {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// ReadAnswer reads a body of /bet/place/ again that was kept, whatever it said about itself; false
// where it is no readable answer.
func ReadAnswer(body []byte) (Answer, bool) {
	answer, v, err := decodeAnswer(body)
	if v.contradiction != "" {
		answer.Coef, answer.Unread = 0, append(answer.Unread, "Coef") // said twice, nothing holds
	}
	return answer, err == nil
}
