-- The first schema.
--
-- A row keeps its record as one JSON body; only what a statement looks for is a column of its own. `number` is the
-- order of commits. Every table has the community. All times are UTC seconds and come from the program. The file has to
-- work with SQLite 3.37, so: STRICT tables, no `->>`, no `unixepoch`.

PRAGMA application_id = 1397247831;

-- A workflow as it stands.
CREATE TABLE workflows (
    community TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, id)
) STRICT, WITHOUT ROWID;

-- One version of a definition. Written once; a second one under the same number is refused.
CREATE TABLE revisions (
    community TEXT NOT NULL,
    workflow TEXT NOT NULL,
    number INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, workflow, number)
) STRICT;

-- One change of one workflow: what history tells and undo takes back.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    id TEXT NOT NULL,
    workflow TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (community, id)
) STRICT;
CREATE INDEX changes_of_workflow ON changes (community, workflow);

-- A run. `next_due` is the one truth for timers: the earliest time at which it goes on by itself.
CREATE TABLE executions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    community TEXT NOT NULL,
    workflow TEXT NOT NULL,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL,
    next_due REAL,
    started_at REAL NOT NULL,
    ended_at REAL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX executions_of_workflow ON executions (community, workflow);
CREATE INDEX executions_live ON executions (community) WHERE status NOT IN ('completed', 'failed', 'stopped', 'cancelled');
CREATE INDEX executions_due ON executions (next_due) WHERE next_due IS NOT NULL;

-- What an execution went through, from 0, without gaps; a second row under one number is refused.
CREATE TABLE history (
    number INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    execution TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (execution, seq)
) STRICT;

-- Effects not known to be done: due, or begun (handed over).
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    community TEXT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- What happened. The first event of an id counts.
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    id TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (community, id)
) STRICT;

-- De-duplication keys, each with the time until which it counts.
CREATE TABLE seen (
    community TEXT NOT NULL,
    key TEXT NOT NULL,
    expires_at REAL NOT NULL,
    PRIMARY KEY (community, key)
) STRICT, WITHOUT ROWID;

-- Why something was started, or was not.
CREATE TABLE admissions (
    number INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    id TEXT NOT NULL,
    workflow TEXT NOT NULL,
    at REAL NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (community, id)
) STRICT;
CREATE INDEX admissions_of_workflow ON admissions (community, workflow);

-- Questions that wait for their asker's answer.
CREATE TABLE proposals (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    community TEXT NOT NULL,
    expires_at REAL NOT NULL,
    body TEXT NOT NULL
) STRICT;

-- Settings and kept values. Some are secret, therefore the file is readable by its owner only.
CREATE TABLE config (
    community TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, key)
) STRICT, WITHOUT ROWID;
