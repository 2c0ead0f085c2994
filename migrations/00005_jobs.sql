-- What the queue gave up on, written down before it forgets: rows are found again by the sweep,
-- this table tells a person that something kept failing.
-- +goose Up
CREATE TABLE job_failures (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id   text        NOT NULL,
    type      text        NOT NULL,
    queue     text        NOT NULL,
    payload   text        NOT NULL,
    error     text        NOT NULL,
    retried   integer     NOT NULL,
    failed_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE job_failures;
