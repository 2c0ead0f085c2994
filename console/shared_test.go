package console

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/jobs"
	"evens/settlement"
)

// Two brands share a Redis: the dashboard of each has its own tasks in queues of the usual names, and no other's.
func TestDashboardShowsItsOwnQueues(t *testing.T) {
	t.Parallel()
	redisURL := testbed.Redis(t)
	for space, waiting := range map[redis.Space]int{"evens-1": 3, "evens-2": 1} {
		client, err := redis.OpenIn(redisURL, space)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		if err := jobs.RegisterQueues(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		bell := jobs.NewBell(client, slog.New(slog.DiscardHandler))
		for id := range waiting {
			bell.Ring([]settlement.Chunk{{ID: int64(id), Rung: 1}})
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			sizes := dashboardSizes(t, NewDashboard(client))
			if len(sizes) != 5 {
				t.Fatalf("%s: queues %v", space, sizes)
			}
			if sizes[jobs.QueueSettlement] == waiting {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: queues %v, want %d tasks of settlement", space, sizes, waiting)
			}
		}
		bell.Close()
	}
}

// dashboardSizes are the tasks of each queue as the dashboard has them.
func dashboardSizes(t *testing.T, dashboard *Dashboard) map[string]int {
	t.Helper()
	answer := httptest.NewRecorder()
	dashboard.reading.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, queuesPath+"/api/queues", nil))
	var body struct {
		Queues []struct {
			Queue string
			Size  int
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
	}
	sizes := make(map[string]int)
	for _, queue := range body.Queues {
		sizes[queue.Queue] = queue.Size
	}
	return sizes
}
