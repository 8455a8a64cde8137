-- Every statement the store runs, by name. A statement goes on to the next line that begins with "-- name:".
--
-- Writing is one statement, `commit`: it unpacks the batch, one JSON document {table: [row, ...]}, into the temporary
-- view `batch`, whose triggers put each row where it belongs. So a commit is a single step of a single statement, atomic
-- without BEGIN, and the thread that runs it gives the interpreter lock back once instead of once a row. View and
-- triggers belong to the connection, not to the file: the write path changes with the program, without a migration.

-- name: commit
-- All of a batch or nothing. Rows are written in the document's order.
INSERT INTO batch (kind, row)
SELECT tables.key, rows.value
FROM json_each(?) AS tables, json_each(tables.value) AS rows;

-- name: batch_view
-- Where a batch goes in, a row at a time; it never has any.
CREATE TEMP VIEW batch (kind, row) AS SELECT NULL, NULL;

-- name: write_execution
-- The last one of an id wins; what is fixed at the start is not written again.
CREATE TEMP TRIGGER write_execution INSTEAD OF INSERT ON batch WHEN NEW.kind = 'executions' BEGIN
    INSERT INTO executions (id, community, workflow, revision, status, next_due, started_at, ended_at, slot, ears, body)
    VALUES (
        json_extract(NEW.row, '$.id'),
        json_extract(NEW.row, '$.community'),
        json_extract(NEW.row, '$.workflow'),
        json_extract(NEW.row, '$.revision'),
        json_extract(NEW.row, '$.status'),
        json_extract(NEW.row, '$.next_due'),
        json_extract(NEW.row, '$.started_at'),
        json_extract(NEW.row, '$.ended_at'),
        json_extract(NEW.row, '$.slot'),
        json_extract(NEW.row, '$.ears'),
        NEW.row
    )
    ON CONFLICT (id) DO UPDATE SET
        revision = excluded.revision,
        status = excluded.status,
        next_due = excluded.next_due,
        ended_at = excluded.ended_at,
        ears = excluded.ears,
        body = excluded.body;
END;

-- name: write_history
-- The community is its execution's; without that execution there is none, and the row is refused.
CREATE TEMP TRIGGER write_history INSTEAD OF INSERT ON batch WHEN NEW.kind = 'history' BEGIN
    INSERT INTO history (community, execution, seq, body)
    VALUES (
        (SELECT community FROM executions WHERE id = json_extract(NEW.row, '$.execution')),
        json_extract(NEW.row, '$.execution'),
        json_extract(NEW.row, '$.seq'),
        NEW.row
    );
END;

-- name: write_outbox
-- An effect that is there already keeps its mark: asking again never makes a begun one due.
CREATE TEMP TRIGGER write_outbox INSTEAD OF INSERT ON batch WHEN NEW.kind = 'outbox' BEGIN
    INSERT INTO outbox (id, community, status, body)
    VALUES (json_extract(NEW.row, '$.id'), json_extract(NEW.row, '$.community'), 'due', NEW.row)
    ON CONFLICT (id) DO NOTHING;
END;

-- name: write_begun
CREATE TEMP TRIGGER write_begun INSTEAD OF INSERT ON batch WHEN NEW.kind = 'begun' BEGIN
    UPDATE outbox SET status = 'begun' WHERE id = NEW.row;
END;

-- name: write_done
CREATE TEMP TRIGGER write_done INSTEAD OF INSERT ON batch WHEN NEW.kind = 'done' BEGIN
    DELETE FROM outbox WHERE id = NEW.row;
END;

-- name: write_event
CREATE TEMP TRIGGER write_event INSTEAD OF INSERT ON batch WHEN NEW.kind = 'events' BEGIN
    INSERT INTO events (community, id, at, body)
    VALUES (
        json_extract(NEW.row, '$.community'), json_extract(NEW.row, '$.id'), json_extract(NEW.row, '$.at'), NEW.row
    )
    ON CONFLICT (community, id) DO NOTHING;
END;

-- name: write_seen
-- The row is [community, key, expires_at].
CREATE TEMP TRIGGER write_seen INSTEAD OF INSERT ON batch WHEN NEW.kind = 'seen' BEGIN
    INSERT INTO seen (community, key, expires_at)
    VALUES (json_extract(NEW.row, '$[0]'), json_extract(NEW.row, '$[1]'), json_extract(NEW.row, '$[2]'))
    ON CONFLICT (community, key) DO UPDATE SET expires_at = excluded.expires_at;
END;

-- name: write_admission
CREATE TEMP TRIGGER write_admission INSTEAD OF INSERT ON batch WHEN NEW.kind = 'admissions' BEGIN
    INSERT INTO admissions (community, id, workflow, at, body)
    VALUES (
        json_extract(NEW.row, '$.community'),
        json_extract(NEW.row, '$.id'),
        json_extract(NEW.row, '$.workflow'),
        json_extract(NEW.row, '$.at'),
        NEW.row
    )
    ON CONFLICT (community, id) DO UPDATE SET body = excluded.body;
END;

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

-- name: proposals
SELECT body FROM proposals WHERE community = ? AND expires_at > ? ORDER BY number;

-- name: config
SELECT body FROM config WHERE community = ? ORDER BY key;

-- name: data
SELECT body FROM data WHERE community = ? ORDER BY owner, key;

-- name: prune
-- Parameters: now, and before when what happened may be forgotten.
INSERT INTO retention (now, before) VALUES (?, ?);

-- name: retention_view
-- As `batch`: so that all of it is one statement.
CREATE TEMP VIEW retention (now, before) AS SELECT NULL, NULL;

-- name: write_retention
-- Keys that no longer count, questions nobody answered, and events and admissions of old. Executions and their history
-- are kept.
CREATE TEMP TRIGGER write_retention INSTEAD OF INSERT ON retention BEGIN
    DELETE FROM seen WHERE expires_at <= NEW.now;
    DELETE FROM proposals WHERE expires_at <= NEW.now;
    DELETE FROM events WHERE at < NEW.before;
    DELETE FROM admissions WHERE at < NEW.before;
END;

-- name: copy_whole
-- A consistent copy into an empty file, whoever writes meanwhile.
VACUUM INTO ?;
