-- What keeping and forgetting need.

-- What people asked for that is no change of a workflow: who, when, what, and what came of it.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (community, id)
) STRICT;

-- Runs that have ended, by when: those that are old enough go.
CREATE INDEX executions_ended ON executions (ended_at) WHERE ended_at IS NOT NULL;
