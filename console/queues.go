package console

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"

	"evens/access"
	"evens/activity"
)

// Dashboard is the queue dashboard (asynqmon), which has no login of its own.
type Dashboard struct {
	acting, reading http.Handler
	policy          string // Content-Security-Policy: only its own scripts, and nothing from elsewhere
}

const queuesPath = consolePath + "queues"

// NewDashboard returns the dashboard, to be mounted at /console/queues/.
func NewDashboard(rdb redis.UniversalClient) *Dashboard {
	options := asynqmon.Options{RootPath: queuesPath, RedisConnOpt: connection{rdb}}
	acting := asynqmon.New(options)
	options.ReadOnly = true
	d := &Dashboard{acting: ownFontsOnly(acting), reading: ownFontsOnly(asynqmon.New(options))}
	d.policy = dashboardPolicy(d.acting, d.reading)
	return d
}

// connection hands asynq our own client, whose retries are off.
type connection struct{ rdb redis.UniversalClient }

// MakeRedisClient implements asynq.RedisConnOpt.
func (c connection) MakeRedisClient() any { return c.rdb }

// Record appends to the activity log.
type Record func(ctx context.Context, entry activity.Entry) error

// EventQueueAction is the event of the activity log that an action on the dashboard leaves.
const EventQueueAction = "queue.action"

// longestAction bounds the body of an action: the ids of tasks that a page shows.
const longestAction = 1 << 20

// loggedBody is how much of an action's body goes to the activity log.
const loggedBody = 4 << 10

// queueOperation is what a request to the dashboard is: reading, or acting.
func queueOperation(r *http.Request) access.Operation {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return access.ReadQueues
	}
	return access.ManageQueues
}

// queues serves the dashboard: to read for all, to act for those who may. An action is in the activity
// log before it is done, or it is not done.
func queues(dashboard *Dashboard, record Record, now func() time.Time, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operator := operatorOf(r)
		w.Header().Set("Content-Security-Policy", dashboard.policy)
		if !operator.Role.May(access.ManageQueues) {
			dashboard.reading.ServeHTTP(w, r)
			return
		}
		if queueOperation(r) == access.ManageQueues {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestAction))
			if err != nil {
				http.Error(w, "the action could not be read", http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			entry := activity.Entry{At: now(), Event: EventQueueAction, Operator: operator.Email, Detail: map[string]string{
				"method": r.Method, "path": strings.TrimPrefix(r.URL.Path, queuesPath),
				"body": strings.ToValidUTF8(strings.ReplaceAll(string(body[:min(len(body), loggedBody)]), "\x00", "?"), "?"),
			}}
			if err := record(r.Context(), entry); err != nil {
				log.ErrorContext(r.Context(), "write down an action on queues", "error", err)
				http.Error(w, "the action could not be written down, so it was not done", http.StatusServiceUnavailable)
				return
			}
		}
		dashboard.acting.ServeHTTP(w, r)
	})
}
