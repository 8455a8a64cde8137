-- Every statement the store runs, by name. A statement goes on to the next line that begins with "-- name:".
--
-- Writing is one statement, `commit`, of one row in the temporary view `commits`, whose trigger puts everything where it
-- belongs. So a commit is a single step of a single statement, atomic without BEGIN, and the thread that runs it gives the
-- interpreter lock back once instead of once a row. Views and triggers belong to the connection, not to the file: the write
-- path changes with the program, without a migration.
--
-- What every transition writes comes table by table, as a JSON list of what stands in columns; the last two of these are
-- where the row's body begins in `bodies` and how long it is. So bodies, nearly all of what is written, are copied from the
-- program to the file without being read as JSON or quoted. What is written seldom comes in `rest`, one JSON document
-- {table: [row, ...]}, which goes through the view `batch` row by row.

-- name: commit
-- All of a batch or nothing. The parameters are the fields of `codec.Document`.
INSERT INTO commits (rest, executions, history, outbox, begun, done, events, seen, admissions, bodies)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: commits_view
-- Where a batch goes in; it never has a row.
CREATE TEMP VIEW commits (rest, executions, history, outbox, begun, done, events, seen, admissions, bodies)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;

-- name: write_commit
-- Tables in this order. Of executions the last one of an id wins, and what is fixed at the start is not written again. The
-- community of a history row is its execution's; without that execution there is none, and the row is refused. An effect
-- that is there already keeps its mark: asking again never makes a begun one due. The first event of an id counts.
CREATE TEMP TRIGGER write_commit INSTEAD OF INSERT ON commits BEGIN
    INSERT INTO batch (kind, row)
    SELECT tables.key, rows.value
    FROM json_each(NEW.rest) AS tables, json_each(tables.value) AS rows;

    INSERT INTO executions (id, community, workflow, revision, status, next_due, started_at, ended_at, slot, ears, body)
    SELECT
        json_extract(value, '$[0]'),
        json_extract(value, '$[1]'),
        json_extract(value, '$[2]'),
        json_extract(value, '$[3]'),
        json_extract(value, '$[4]'),
        json_extract(value, '$[5]'),
        json_extract(value, '$[6]'),
        json_extract(value, '$[7]'),
        json_extract(value, '$[8]'),
        json_extract(value, '$[9]'),
        CAST(substr(NEW.bodies, json_extract(value, '$[10]'), json_extract(value, '$[11]')) AS TEXT)
    FROM json_each(NEW.executions)
    WHERE true
    ON CONFLICT (id) DO UPDATE SET
        revision = excluded.revision,
        status = excluded.status,
        next_due = excluded.next_due,
        ended_at = excluded.ended_at,
        ears = excluded.ears,
        body = excluded.body;

    INSERT INTO history (community, execution, seq, body)
    SELECT
        (SELECT community FROM executions WHERE id = json_extract(value, '$[0]')),
        json_extract(value, '$[0]'),
        json_extract(value, '$[1]'),
        CAST(substr(NEW.bodies, json_extract(value, '$[2]'), json_extract(value, '$[3]')) AS TEXT)
    FROM json_each(NEW.history);

    INSERT INTO outbox (id, community, status, body)
    SELECT
        json_extract(value, '$[0]'),
        json_extract(value, '$[1]'),
        'due',
        CAST(substr(NEW.bodies, json_extract(value, '$[2]'), json_extract(value, '$[3]')) AS TEXT)
    FROM json_each(NEW.outbox)
    WHERE true
    ON CONFLICT (id) DO NOTHING;

    UPDATE outbox SET status = 'begun' WHERE id IN (SELECT value FROM json_each(NEW.begun));

    DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(NEW.done));

    INSERT INTO events (community, id, at, body)
    SELECT
        json_extract(value, '$[0]'),
        json_extract(value, '$[1]'),
        json_extract(value, '$[2]'),
        CAST(substr(NEW.bodies, json_extract(value, '$[3]'), json_extract(value, '$[4]')) AS TEXT)
    FROM json_each(NEW.events)
    WHERE true
    ON CONFLICT (community, id) DO NOTHING;

    INSERT INTO seen (community, key, expires_at)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
    FROM json_each(NEW.seen)
    WHERE true
    ON CONFLICT (community, key) DO UPDATE SET expires_at = excluded.expires_at;

    INSERT INTO admissions (community, id, workflow, at, body)
    SELECT
        json_extract(value, '$[0]'),
        json_extract(value, '$[1]'),
        json_extract(value, '$[2]'),
        json_extract(value, '$[3]'),
        CAST(substr(NEW.bodies, json_extract(value, '$[4]'), json_extract(value, '$[5]')) AS TEXT)
    FROM json_each(NEW.admissions)
    WHERE true
    ON CONFLICT (community, id) DO UPDATE SET body = excluded.body;
END;

-- name: batch_view
-- Where the rows of `rest` go in, one at a time; it never has any.
CREATE TEMP VIEW batch (kind, row) AS SELECT NULL, NULL;

-- name: write_revision
CREATE TEMP TRIGGER write_revision INSTEAD OF INSERT ON batch WHEN NEW.kind = 'revisions' BEGIN
    INSERT INTO revisions (community, workflow, number, body)
    VALUES (
        json_extract(NEW.row, '$.community'),
        json_extract(NEW.row, '$.workflow'),
        json_extract(NEW.row, '$.number'),
        NEW.row
    );
END;

-- name: write_workflow
CREATE TEMP TRIGGER write_workflow INSTEAD OF INSERT ON batch WHEN NEW.kind = 'workflows' BEGIN
    INSERT INTO workflows (community, id, name, deleted, revision, body)
    VALUES (
        json_extract(NEW.row, '$.community'),
        json_extract(NEW.row, '$.id'),
        json_extract(NEW.row, '$.name'),
        coalesce(json_extract(NEW.row, '$.deleted'), 0),
        json_extract(NEW.row, '$.revision'),
        NEW.row
    )
    ON CONFLICT (community, id) DO UPDATE SET
        name = excluded.name, deleted = excluded.deleted, revision = excluded.revision, body = excluded.body;
END;

-- name: write_change
CREATE TEMP TRIGGER write_change INSTEAD OF INSERT ON batch WHEN NEW.kind = 'changes' BEGIN
    INSERT INTO changes (community, id, workflow, body)
    VALUES (
        json_extract(NEW.row, '$.community'),
        json_extract(NEW.row, '$.id'),
        json_extract(NEW.row, '$.workflow'),
        NEW.row
    );
END;

-- name: write_proposal
CREATE TEMP TRIGGER write_proposal INSTEAD OF INSERT ON batch WHEN NEW.kind = 'proposals' BEGIN
    INSERT INTO proposals (id, community, expires_at, body)
    VALUES (
        json_extract(NEW.row, '$.id'),
        json_extract(NEW.row, '$.community'),
        json_extract(NEW.row, '$.expires_at'),
        NEW.row
    )
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, body = excluded.body;
END;

-- name: write_proposal_answered
CREATE TEMP TRIGGER write_proposal_answered INSTEAD OF INSERT ON batch WHEN NEW.kind = 'proposals_answered' BEGIN
    DELETE FROM proposals WHERE id = NEW.row;
END;

-- name: write_config
CREATE TEMP TRIGGER write_config INSTEAD OF INSERT ON batch WHEN NEW.kind = 'config' BEGIN
    INSERT INTO config (community, key, body)
    VALUES (json_extract(NEW.row, '$.community'), json_extract(NEW.row, '$.key'), NEW.row)
    ON CONFLICT (community, key) DO UPDATE SET body = excluded.body;
END;

-- name: write_marks
-- A record without marks goes.
CREATE TEMP TRIGGER write_marks INSTEAD OF INSERT ON batch WHEN NEW.kind = 'marks' BEGIN
    INSERT INTO marks (community, workflow, key, body)
    VALUES (
        json_extract(NEW.row, '$.community'), json_extract(NEW.row, '$.workflow'), json_extract(NEW.row, '$.key'), NEW.row
    )
    ON CONFLICT (community, workflow, key) DO UPDATE SET body = excluded.body;
    DELETE FROM marks
    WHERE community = json_extract(NEW.row, '$.community')
        AND workflow = json_extract(NEW.row, '$.workflow')
        AND key = json_extract(NEW.row, '$.key')
        AND json_array_length(NEW.row, '$.marks') = 0;
END;

-- name: write_held
CREATE TEMP TRIGGER write_held INSTEAD OF INSERT ON batch WHEN NEW.kind = 'held' BEGIN
    INSERT INTO held (community, id, body)
    VALUES (json_extract(NEW.row, '$.event.community'), json_extract(NEW.row, '$.event.id'), NEW.row)
    ON CONFLICT (community, id) DO NOTHING;
END;

-- name: write_released
-- The row is [community, id].
CREATE TEMP TRIGGER write_released INSTEAD OF INSERT ON batch WHEN NEW.kind = 'released' BEGIN
    DELETE FROM held WHERE community = json_extract(NEW.row, '$[0]') AND id = json_extract(NEW.row, '$[1]');
END;

-- name: write_data
-- A row without a value takes away what was there.
CREATE TEMP TRIGGER write_data INSTEAD OF INSERT ON batch WHEN NEW.kind = 'data' BEGIN
    INSERT INTO data (community, owner, key, body)
    VALUES (
        json_extract(NEW.row, '$.community'), json_extract(NEW.row, '$.owner'), json_extract(NEW.row, '$.key'), NEW.row
    )
    ON CONFLICT (community, owner, key) DO UPDATE SET body = excluded.body;
    DELETE FROM data
    WHERE community = json_extract(NEW.row, '$.community')
        AND owner = json_extract(NEW.row, '$.owner')
        AND key = json_extract(NEW.row, '$.key')
        AND coalesce(json_type(NEW.row, '$.value'), 'null') = 'null';
END;

-- name: write_audit
CREATE TEMP TRIGGER write_audit INSTEAD OF INSERT ON batch WHEN NEW.kind = 'audit' BEGIN
    INSERT INTO audit (community, id, at, body)
    VALUES (
        json_extract(NEW.row, '$.community'), json_extract(NEW.row, '$.id'), json_extract(NEW.row, '$.at'), NEW.row
    );
END;

-- name: live_executions
-- By start. The list of final statuses is written as in the partial index, or that is not used.
SELECT body FROM executions
WHERE community = ? AND status NOT IN ('completed', 'failed', 'stopped', 'cancelled')
ORDER BY number;

-- name: sleepers
SELECT id, workflow, revision, status, next_due, slot, ears FROM executions
WHERE community = ? AND status NOT IN ('completed', 'failed', 'stopped', 'cancelled')
ORDER BY number;

-- name: executions_of
-- The ids come as one JSON list.
SELECT body FROM executions WHERE id IN (SELECT value FROM json_each(?));

-- name: marks
SELECT body FROM marks WHERE community = ? ORDER BY workflow, key;

-- name: held
SELECT body FROM held WHERE community = ? ORDER BY number;

-- name: outbox
SELECT status, body FROM outbox WHERE community = ? ORDER BY number;

-- name: execution
SELECT body FROM executions WHERE id = ?;

-- name: executions
SELECT body FROM executions WHERE community = ? ORDER BY number DESC LIMIT ?;

-- name: executions_of_workflow
SELECT body FROM executions WHERE community = ? AND workflow = ? ORDER BY number DESC LIMIT ?;

-- name: history
SELECT body FROM history WHERE execution = ? ORDER BY seq;

-- name: workflows
SELECT body FROM workflows WHERE community = ? AND deleted <= ? ORDER BY name, id;

-- name: revision
SELECT body FROM revisions WHERE community = ? AND workflow = ? AND number = ?;

-- name: current_revisions
SELECT revisions.body
FROM workflows
JOIN revisions
    ON revisions.community = workflows.community
    AND revisions.workflow = workflows.id
    AND revisions.number = workflows.revision
WHERE workflows.community = ? AND workflows.deleted = 0
ORDER BY workflows.name, workflows.id;

-- name: revisions
SELECT body FROM revisions WHERE community = ? AND workflow = ? ORDER BY number;

-- name: changes
SELECT body FROM changes WHERE community = ? ORDER BY number DESC LIMIT ?;

-- name: changes_of_workflow
SELECT body FROM changes WHERE community = ? AND workflow = ? ORDER BY number DESC LIMIT ?;

-- name: seen
-- The keys come as one JSON list.
SELECT key FROM seen WHERE community = ? AND key IN (SELECT value FROM json_each(?)) AND expires_at > ?;

-- name: admissions
SELECT body FROM admissions WHERE community = ? ORDER BY number DESC LIMIT ?;

-- name: admissions_of_workflow
SELECT body FROM admissions WHERE community = ? AND workflow = ? ORDER BY number DESC LIMIT ?;

-- name: event
SELECT body FROM events WHERE community = ? AND id = ?;

-- name: events
SELECT body FROM events WHERE community = ? ORDER BY number DESC LIMIT ?;

-- name: own_events
-- Read seldom, after a crash, so it goes without an index that every commit would have to keep.
SELECT body FROM events WHERE community = ? AND json_extract(body, '$.own') ORDER BY number DESC LIMIT ?;

-- name: proposals
SELECT body FROM proposals WHERE community = ? AND expires_at > ? ORDER BY number;

-- name: config
SELECT body FROM config WHERE community = ? ORDER BY key;

-- name: data
SELECT body FROM data WHERE community = ? ORDER BY owner, key;
-- name: audit
SELECT body FROM audit WHERE community = ? ORDER BY number DESC LIMIT ?;

-- name: unfinished
-- Parameters: community, now, community.
SELECT
    (SELECT count(*) FROM executions WHERE community = ? AND next_due <= ?),
    (
        SELECT count(*) FROM outbox
        WHERE community = ? AND status = 'begun' AND NOT json_extract(body, '$.repeatable')
    );

-- Keeping: what may go is looked for by a reader, which holds nobody up however much there is; the writer gets the rows by
-- number and looks only at those. Each parameter list ends with how many rows are wanted at most.

-- name: seen_over
SELECT community, key FROM seen WHERE expires_at <= ? LIMIT ?;

-- name: proposals_over
SELECT number FROM proposals WHERE expires_at <= ? LIMIT ?;

-- name: events_before
SELECT number FROM events WHERE at < ? ORDER BY number LIMIT ?;

-- name: events_beyond
-- Those that are too many if the newest are kept, counted in bytes.
SELECT number
FROM (SELECT number, sum(length(CAST(body AS BLOB))) OVER (ORDER BY number DESC) AS size FROM events)
WHERE size > ?
ORDER BY number
LIMIT ?;

-- name: admissions_before
SELECT number FROM admissions WHERE at < ? ORDER BY number LIMIT ?;

-- name: executions_before
-- Runs that nothing holds any more: no effect of them is under way, and no run they started goes on.
SELECT number, id FROM executions
WHERE ended_at < ?
    AND status IN ('completed', 'failed', 'stopped', 'cancelled')
    AND coalesce(json_array_length(body, '$.orphans'), 0) = 0
    AND id NOT IN (
        SELECT json_extract(body, '$.execution') FROM outbox
        UNION ALL
        SELECT json_extract(body, '$.parent') FROM executions
        WHERE status NOT IN ('completed', 'failed', 'stopped', 'cancelled')
            AND json_extract(body, '$.parent') IS NOT NULL
    )
ORDER BY ended_at
LIMIT ?;

-- name: history_of
-- The executions come as one JSON list.
SELECT number FROM history WHERE execution IN (SELECT value FROM json_each(?)) LIMIT ?;

-- name: prune
-- Rows by table, one JSON document {table: [number, ...]}, deleted in the document's order.
INSERT INTO pruning (kind, row)
SELECT tables.key, rows.value
FROM json_each(?) AS tables, json_each(tables.value) AS rows;

-- name: pruning_view
-- As `batch`: so that all of it is one statement.
CREATE TEMP VIEW pruning (kind, row) AS SELECT NULL, NULL;

-- name: write_prune_seen
-- The row is [community, key].
CREATE TEMP TRIGGER write_prune_seen INSTEAD OF INSERT ON pruning WHEN NEW.kind = 'seen' BEGIN
    DELETE FROM seen WHERE community = json_extract(NEW.row, '$[0]') AND key = json_extract(NEW.row, '$[1]');
END;

-- name: write_prune_proposal
CREATE TEMP TRIGGER write_prune_proposal INSTEAD OF INSERT ON pruning WHEN NEW.kind = 'proposals' BEGIN
    DELETE FROM proposals WHERE number = NEW.row;
END;

-- name: write_prune_event
CREATE TEMP TRIGGER write_prune_event INSTEAD OF INSERT ON pruning WHEN NEW.kind = 'events' BEGIN
    DELETE FROM events WHERE number = NEW.row;
END;

-- name: write_prune_admission
CREATE TEMP TRIGGER write_prune_admission INSTEAD OF INSERT ON pruning WHEN NEW.kind = 'admissions' BEGIN
    DELETE FROM admissions WHERE number = NEW.row;
END;

-- name: write_prune_history
-- Between looking and deleting a run may have been taken up again.
CREATE TEMP TRIGGER write_prune_history INSTEAD OF INSERT ON pruning WHEN NEW.kind = 'history' BEGIN
    DELETE FROM history
    WHERE number = NEW.row
        AND (SELECT status FROM executions WHERE id = history.execution)
            IN ('completed', 'failed', 'stopped', 'cancelled');
END;

-- name: write_prune_execution
-- Its history goes first, perhaps in several goes.
CREATE TEMP TRIGGER write_prune_execution INSTEAD OF INSERT ON pruning WHEN NEW.kind = 'executions' BEGIN
    DELETE FROM executions
    WHERE number = NEW.row
        AND status IN ('completed', 'failed', 'stopped', 'cancelled')
        AND NOT EXISTS (SELECT 1 FROM history WHERE execution = executions.id);
END;

-- Forgetting: rows are read a page at a time in their order, and written again by number.

-- name: page_of_events
SELECT number, body FROM events WHERE community = ? AND number > ? ORDER BY number LIMIT ?;

-- name: page_of_admissions
SELECT number, body FROM admissions WHERE community = ? AND number > ? ORDER BY number LIMIT ?;

-- name: page_of_proposals
SELECT number, body FROM proposals WHERE community = ? AND number > ? ORDER BY number LIMIT ?;

-- name: page_of_executions
SELECT number, body FROM executions WHERE community = ? AND number > ? ORDER BY number LIMIT ?;

-- name: page_of_history
-- Of runs that have ended.
SELECT number, body FROM history
WHERE community = ? AND number > ?
    AND (SELECT status FROM executions WHERE id = history.execution)
        IN ('completed', 'failed', 'stopped', 'cancelled')
ORDER BY number
LIMIT ?;

-- name: rewrite
-- Rows by table, one JSON document {table: [[number, body], ...]}; the body is a text.
INSERT INTO rewriting (kind, number, body)
SELECT tables.key, json_extract(rows.value, '$[0]'), json_extract(rows.value, '$[1]')
FROM json_each(?) AS tables, json_each(tables.value) AS rows;

-- name: rewriting_view
CREATE TEMP VIEW rewriting (kind, number, body) AS SELECT NULL, NULL, NULL;

-- name: write_rewrite_event
CREATE TEMP TRIGGER write_rewrite_event INSTEAD OF INSERT ON rewriting WHEN NEW.kind = 'events' BEGIN
    UPDATE events SET body = NEW.body WHERE number = NEW.number;
END;

-- name: write_rewrite_admission
CREATE TEMP TRIGGER write_rewrite_admission INSTEAD OF INSERT ON rewriting WHEN NEW.kind = 'admissions' BEGIN
    UPDATE admissions SET body = NEW.body WHERE number = NEW.number;
END;

-- name: write_rewrite_proposal
CREATE TEMP TRIGGER write_rewrite_proposal INSTEAD OF INSERT ON rewriting WHEN NEW.kind = 'proposals' BEGIN
    UPDATE proposals SET body = NEW.body WHERE number = NEW.number;
END;

-- name: write_rewrite_execution
-- Between reading and writing a run may have been taken up again; then it is left as it is.
CREATE TEMP TRIGGER write_rewrite_execution INSTEAD OF INSERT ON rewriting WHEN NEW.kind = 'executions' BEGIN
    UPDATE executions SET body = NEW.body
    WHERE number = NEW.number AND status IN ('completed', 'failed', 'stopped', 'cancelled');
END;

-- name: write_rewrite_history
CREATE TEMP TRIGGER write_rewrite_history INSTEAD OF INSERT ON rewriting WHEN NEW.kind = 'history' BEGIN
    UPDATE history SET body = NEW.body WHERE number = NEW.number;
END;

-- name: copy_whole
-- A consistent copy into an empty file, whoever writes meanwhile.
VACUUM INTO ?;
