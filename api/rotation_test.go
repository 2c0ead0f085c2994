package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/access"
)

// A retry that comes with the key which replaced the first one is answered as the first was: no second
// coupon, no second refusal. Keys of different owners never meet.
func TestARetryThroughARotatedKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	scopes := access.Scopes()
	mint := func(owner, name string) string {
		t.Helper()
		_, secret, err := b.config.Keys.CreateFor(t.Context(), owner, name, scopes)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	place := func(secret string) string {
		t.Helper()
		return b.place(t, p.ID, header("Authorization", "Bearer "+secret), idempotent("k1")).ID
	}
	old := mint("", "shop")
	first := place(old)
	successor := mint("shop", "shop-2")
	if err := b.config.Keys.Revoke(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	sameName := mint("", "shop")
	for name, key := range map[string]string{"a key of that owner": successor, "a key of that name": sameName} {
		if again := place(key); again != first {
			t.Errorf("%s placed a second coupon", name)
		}
	}
	if place(mint("", "other")) == first {
		t.Error("another owner was answered with the shop's coupon")
	}
	if got := b.cash(t, p.ID); got != "69.00" {
		t.Errorf("cash %s", got)
	}
	// A release before kept it by the API key's id.
	var id uuid.UUID
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT id FROM api_keys WHERE name = 'shop' AND revoked_at IS NOT NULL`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.db.Pool.Exec(t.Context(), `UPDATE api_keys SET owner = '' WHERE id = $1`, id); err != nil {
		t.Fatal(err)
	}
	tag, err := b.db.Pool.Exec(t.Context(), `UPDATE requests SET scope = $1 WHERE scope = 'owner shop:coupon'`, id.String()+":coupon")
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatal(tag, err)
	}
	if again := place(successor); again != first {
		t.Error("what an earlier release kept is forgotten")
	}
	other := couponBody(p.ID).with("stake", "11.00")
	b.call(t, "POST", "/v1/coupons", other, header("Authorization", "Bearer "+successor), idempotent("k1")).check(t, http.StatusConflict, CodeIdempotencyConflict)
}

// A deposit to a closed account is refused as a request.
func TestADepositToAClosedAccountIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "10")
	if _, err := b.db.Pool.Exec(t.Context(), `UPDATE players SET status = 'closed' WHERE id = $1`, p.ID); err != nil {
		t.Fatal(err)
	}
	answer := b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("5"), idempotent("k1"))
	answer.check(t, http.StatusForbidden, CodePlayerBlocked)
	if !strings.Contains(answer.body, "closed") {
		t.Errorf("the answer does not say why: %s", answer.body)
	}
	if got := b.call(t, "POST", "/v1/players/"+p.ID+"/withdrawals", depositBody("10"), idempotent("k2")); got.status != http.StatusOK {
		t.Errorf("a withdrawal: %d %s", got.status, got.body)
	}
}
