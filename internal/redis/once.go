package redis

import (
	"context"
	"errors"
	"io"
	"net"

	goredis "github.com/redis/go-redis/v9"
)

// sendOnce hides from the cluster client that a command's answer was lost in a way it would
// answer by sending the command again. Dials that failed stay visible: nothing was sent, and
// another node may do. Pipelines are decided on inside go-redis, out of a hook's reach: what
// must not be sent twice is a single command or a script.
type sendOnce struct{}

func (sendOnce) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (sendOnce) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		err := next(ctx, cmd)
		if answerLost(err) {
			return unanswered{err}
		}
		return err
	}
}

func (sendOnce) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

func answerLost(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return false
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// unanswered has no Unwrap on purpose: go-redis looks for timeouts inside.
type unanswered struct{ err error }

func (u unanswered) Error() string { return "no answer, the command may have run: " + u.err.Error() }
