package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// ErrEviction says that the server may throw away keys when memory runs out: with them go the
// leases of running tasks.
var ErrEviction = errors.New("redis maxmemory-policy must be noeviction")

// CheckEviction answers ErrEviction when a server that keeps data (in a cluster: any of them)
// has an eviction policy. It reads INFO, which hosted servers allow where they forbid CONFIG. A
// server that tells neither is taken as fit; one that does not answer is an error.
func CheckEviction(ctx context.Context, client goredis.UniversalClient) error {
	if cluster, ok := client.(*goredis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *goredis.Client) error {
			return checkEviction(ctx, node)
		})
	}
	return checkEviction(ctx, client)
}

func checkEviction(ctx context.Context, client goredis.Cmdable) error {
	info, err := client.Info(ctx, "memory").Result()
	if refused(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read redis memory policy: %w", err)
	}
	for line := range strings.Lines(info) {
		policy, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		if ok && policy != "noeviction" {
			return fmt.Errorf("%w, it is %s", ErrEviction, policy)
		}
	}
	return nil
}

// refused tells a server that answered with an error of its own from one that did not answer.
// A server still loading, or one that wants a password, has not said anything about memory.
func refused(err error) bool {
	answer, ok := errors.AsType[goredis.Error](err)
	if !ok {
		return false
	}
	for _, state := range []string{"LOADING", "NOAUTH", "WRONGPASS", "MASTERDOWN", "CLUSTERDOWN"} {
		if strings.HasPrefix(answer.Error(), state) {
			return false
		}
	}
	return true
}
