package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"evens/coupon"
)

// printWaitingCodes shows the unconfirmed coupons whose bet code is known from an answer that could
// not be taken.
func printWaitingCodes(out io.Writer, list []coupon.WaitingCode) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nUnconfirmed coupons whose bet code is known: BeT is asked, nothing goes back by itself")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COUPON\tBET CODE\tSTAKE\tPLACED\tANSWER\tASKED\tBET SAYS")
	for _, w := range list {
		fmt.Fprintf(table, "%s\t%s\t%s %s\t%s\t%s\t%d\t%s\n", w.Coupon, w.BetCode, w.Stake, w.Currency,
			w.PlacedAt.Format(time.RFC3339), w.Reason, w.Asked, w.Told)
	}
	return table.Flush()
}

// encodeWaitingCodes writes them as JSON, one object a line.
func encodeWaitingCodes(encoder *json.Encoder, list []coupon.WaitingCode) error {
	for _, w := range list {
		object := map[string]any{
			"why": "unconfirmed_with_code", "reason": w.Reason, "bar_code": w.BetCode, "coupon_id": w.Coupon, "player_id": w.Player,
			"currency": w.Currency, "stake": w.Stake.String(), "placed_at": w.PlacedAt, "asked": w.Asked, "told": w.Told,
		}
		if err := encoder.Encode(object); err != nil {
			return err
		}
	}
	return nil
}
