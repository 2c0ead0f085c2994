package redis

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// redirectLog takes go-redis's own log, one for the whole process and on stderr by default, to
// slog at debug level: what it says there comes back as errors as well.
var redirectLog = sync.OnceFunc(func() { goredis.SetLogger(debugLog{}) })

type debugLog struct{}

func (debugLog) Printf(ctx context.Context, format string, v ...any) {
	slog.DebugContext(ctx, "go-redis", "text", fmt.Sprintf(format, v...))
}
