// Package broadcast tells every process which coupons and wallets have changed, so that open
// event streams can show it. A change names rows and carries no facts: its receiver reads
// PostgreSQL.
//
// Changes travel over one Redis pub/sub channel, in messages of up to some hundreds. Publishing
// never waits: what does not fit into the buffer, or meets a Redis that is away, is dropped and
// counted. Each process holds one subscription and hands what it hears to its own subscribers.
//
// # Gaps
//
// A subscriber's channel is closed when it may have missed something: it read too slowly, or the
// subscription to Redis was interrupted. Whoever still wants to know subscribes again and reads
// the present state first. So between a subscription and the closing of its channel nothing is
// lost that Redis was told.
package broadcast
