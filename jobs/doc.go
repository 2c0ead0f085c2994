// Package jobs has the tasks, their queues, the worker that runs them and the schedule of periodic ones.
//
// A task carries ids of rows, never facts. Work is a row in PostgreSQL before its task is enqueued, and
// the sweep, a periodic task, enqueues again what is left over.
//
// The queue is asynq on Redis. A task can be lost, repeated, stuck or handed on while its first
// run still goes on (see asynq's issues 1144, 1051, 1055); so every handler is idempotent in
// PostgreSQL, task ids carry a number that grows, and nothing about money depends on an enqueue.
package jobs
