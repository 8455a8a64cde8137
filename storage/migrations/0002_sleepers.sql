-- What has to be known of a run that sleeps in the store, what is remembered of starts, and events that wait for others.

-- A run takes up a slot if it must not go on beside others of it; `ears` is what it listens for, as JSON.
ALTER TABLE executions ADD COLUMN slot TEXT;
ALTER TABLE executions ADD COLUMN ears TEXT;

-- Times of earlier starts, for cooldowns, rates and once per user.
CREATE TABLE marks (
    community TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (community, workflow, key)
) STRICT, WITHOUT ROWID;

-- Events that wait for another one to which they may belong.
CREATE TABLE held (
    number INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (community, id)
) STRICT;
