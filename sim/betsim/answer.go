package betsim

import (
	"strconv"
	"time"
)

// The answers are written by hand, in the order and the shape of the seed's two examples: the
// single complete, the express without the original coefficients and with a comma after the
// last field of every selection, which no JSON encoder would write.

// appendPlaced is the answer to a coupon that was taken.
func appendPlaced(b []byte, c *coupon, now time.Time, misquote bool) []byte {
	express := len(c.selections) > 1
	stake, events := c.stake, int64(len(c.selections))
	if misquote {
		stake, events = 2*stake, events+1
	}
	n := namesIn(c.lang)

	b = appendText(b, `{"betCode":`, c.code)
	b = append(b, `,"status":1,"errorCode":0,"fullErrorCode":0,"d":{"BetHeadDetail":{`...)
	b = appendText(b, `"LiveType":`, n.kind)
	b = appendNumber(b, `,"AmountOut":`, c.win, amountDigits)
	if !express {
		b = appendNumber(b, `,"CoefOrig":`, c.selections[0].coef, coefDigits)
	}
	b = appendText(b, `,"BetCode":`, c.code)
	b = appendNumber(b, `,"BetDate":`, c.placedAt.UnixMilli(), 0)
	b = appendNumber(b, `,"Bet":`, stake, amountDigits)
	b = appendNumber(b, `,"Status":1,"CountEvents":`, events, 0)
	b = appendText(b, `,"BetId":`, c.code)
	b = appendNumber(b, `,"Coef":`, c.coef, coefDigits)
	if !express {
		b = strconv.AppendBool(append(b, `,"IsLive":`...), c.selections[0].live)
	}
	b = appendNumber(b, `,"PosWin":`, c.win, amountDigits)
	b = append(b, `}},"__type":"BR.Web.BLL.Objects.Bets.BetInfo","BetsContentDataList":[`...)
	for i, s := range c.selections {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSelection(b, n, s, express, now)
	}
	return append(b, `],"errorMessage":""}`...)
}

func appendSelection(b []byte, n *names, s selection, express bool, now time.Time) []byte {
	m := n.match(s, now)
	b = append(append(b, `{"LinesId":`...), trimZeros(s.match)...)
	if !express {
		b = append(b, `,"CountResults":0`...)
	}
	b = append(b, `,"Outcome":`...)
	b = append(b, trimZeros(s.outcome)...)
	b = appendText(b, `,"TournamentName":`, m.tournament)
	if !express {
		b = append(b, `,"IsBonus":false`...)
		b = appendNumber(b, `,"CoefOrig":`, s.coef, coefDigits)
	}
	b = appendNumber(b, `,"Coef":`, s.accepted, coefDigits)
	b = append(n.appendBetName(append(b, `,"BetName":"`...), s), '"')
	b = appendText(b, `,"Result":`, n.noResult)
	b = appendNumber(b, `,"SportId":`, m.sportID, 0)
	b = strconv.AppendBool(append(b, `,"IsLive":`...), s.live)
	b = appendNumber(b, `,"EventDate":`, m.start.UnixMilli(), 0)
	b = append(b, `,"Teams":"`...)
	b = append(append(append(b, m.home...), " - "...), m.away...)
	if express {
		return append(b, `",}`...)
	}
	return append(b, `"}`...)
}

// trimZeros makes digits a JSON number.
func trimZeros(digits string) string {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

// appendRefused is the answer to a coupon that was not taken.
func appendRefused(b []byte, r refusal, zeroCode bool) []byte {
	code := `""`
	if zeroCode {
		code = "0"
	}
	b = append(append(append(b, `{"betCode":`...), code...), `,"status":0,"errorCode":1`...)
	b = appendNumber(b, `,"fullErrorCode":`, r.fullErrorCode, 0)
	b = append(b, `,"d":{},"__type":"BR.Web.BLL.Objects.Bets.BetInfo","BetsContentDataList":[]`...)
	b = appendText(b, `,"errorMessage":`, r.label)
	return append(b, '}')
}

// appendText and appendNumber write a key and its value. No text here needs escaping: all are
// ours, or digits.
func appendText(b []byte, key, value string) []byte {
	b = append(append(b, key...), '"')
	return append(append(b, value...), '"')
}

func appendNumber(b []byte, key string, n int64, places int) []byte {
	return appendDecimal(append(b, key...), n, places)
}
