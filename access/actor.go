package access

import "context"

type actorKey struct{}

// WithActor has the activity log name who makes or changes operators and keys in this context: an
// operator's e-mail, or the account of the machine where nobody was authenticated.
func WithActor(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

func actor(ctx context.Context) string {
	who, _ := ctx.Value(actorKey{}).(string)
	return who
}
