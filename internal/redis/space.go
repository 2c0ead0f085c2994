package redis

import (
	"context"
	"strings"

	goredis "github.com/redis/go-redis/v9"
)

// Space keeps the keys and channels of one installation apart from those of others on the same server. Its
// name goes before each of them; the empty Space changes nothing.
type Space string

// ours is how every key and channel begins that this program or a library of its own uses: asynq's, those of the
// counted calls, and our own. No value that is stored begins so.
var ours = []string{"asynq:", "rate:", "evens:"}

// Name is a key or channel within the space. The braces that tie keys of a cluster to one slot stay the first
// ones: a space has none.
func (s Space) Name(key string) string {
	if s == "" {
		return key
	}
	return string(s) + ":" + key
}

// OpenIn is Open for a client whose commands name keys and channels within the space, whoever gives them: a queue
// is called the same in every installation and is another one. Subscriptions are no commands: see Subscriber.
func OpenIn(url string, space Space) (goredis.UniversalClient, error) {
	client, err := Open(url)
	if err != nil || space == "" {
		return client, err
	}
	client.AddHook(within{space})
	return client, nil
}

// Subscriber is the client for those who subscribe to channels by names that know no space.
func (s Space) Subscriber(client goredis.UniversalClient) goredis.UniversalClient {
	if s == "" {
		return client
	}
	return subscriber{UniversalClient: client, space: s}
}

type subscriber struct {
	goredis.UniversalClient
	space Space
}

// Subscribe implements goredis.UniversalClient.
func (s subscriber) Subscribe(ctx context.Context, channels ...string) *goredis.PubSub {
	named := make([]string, len(channels))
	for i, channel := range channels {
		named[i] = s.space.Name(channel)
	}
	return s.UniversalClient.Subscribe(ctx, named...)
}

// within renames the keys and channels of commands on their way out, and names them as the caller did in what scripts
// answer: asynq's read numbers by the keys that they gave. Doing it twice does it once: what has been renamed begins
// otherwise.
type within struct{ space Space }

// DialHook implements goredis.Hook.
func (within) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook implements goredis.Hook.
func (h within) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		h.rename(cmd)
		err := next(ctx, cmd)
		h.answer(cmd)
		return err
	}
}

// ProcessPipelineHook implements goredis.Hook.
func (h within) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		for _, cmd := range cmds {
			h.rename(cmd)
		}
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			h.answer(cmd)
		}
		return err
	}
}

func (h within) rename(cmd goredis.Cmder) {
	args := cmd.Args()
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok || i == 0 {
			continue
		}
		for _, prefix := range ours {
			if strings.HasPrefix(text, prefix) {
				args[i] = h.space.Name(text)
				break
			}
		}
	}
}

func (h within) answer(cmd goredis.Cmder) {
	if script, ok := cmd.(*goredis.Cmd); ok {
		script.SetVal(h.asked(script.Val()))
	}
}

// asked is an answer in the caller's names.
func (h within) asked(value any) any {
	switch v := value.(type) {
	case string:
		return strings.TrimPrefix(v, h.space.Name(""))
	case []any:
		for i := range v {
			v[i] = h.asked(v[i])
		}
	}
	return value
}
