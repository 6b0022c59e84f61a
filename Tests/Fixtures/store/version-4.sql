-- The schema of version 4 as it was released: this file never changes, and a store made by it opens for ever.
CREATE TABLE jobs (
  id          INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
  name        TEXT    NOT NULL,
  file        TEXT    NOT NULL,
  uid         INTEGER NOT NULL,
  state       TEXT    NOT NULL,
  priority    INTEGER NOT NULL,
  submitted   REAL    NOT NULL,
  started     REAL,
  finished    REAL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  forgiven    INTEGER NOT NULL DEFAULT 0 CHECK (forgiven BETWEEN 0 AND attempts),
  owner       TEXT,
  reason_code TEXT,
  reason_text TEXT,
  result      TEXT,
  bytes       INTEGER NOT NULL,
  memory      INTEGER NOT NULL,
  cores       INTEGER NOT NULL,
  progress    REAL    NOT NULL DEFAULT 0,
  inode       INTEGER NOT NULL,
  modified    INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_in_queue_order ON jobs (priority DESC, id) WHERE state = 'queued';
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_by_user ON jobs (uid, id);
CREATE INDEX jobs_by_time ON jobs (submitted, id);
CREATE INDEX jobs_by_end ON jobs (finished, id);
CREATE INDEX jobs_by_user_and_end ON jobs (uid, finished, id);
CREATE INDEX jobs_by_dropped_file ON jobs (inode, modified);

CREATE TABLE totals (
  uid   INTEGER NOT NULL,
  state TEXT    NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (uid, state)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER count_new_job AFTER INSERT ON jobs BEGIN
  INSERT INTO totals VALUES (new.uid, new.state, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER count_changed_job AFTER UPDATE OF state, uid ON jobs
WHEN old.state <> new.state OR old.uid <> new.uid BEGIN
  UPDATE totals SET count = count - 1 WHERE uid = old.uid AND state = old.state;
  INSERT INTO totals VALUES (new.uid, new.state, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER count_removed_job AFTER DELETE ON jobs BEGIN
  UPDATE totals SET count = count - 1 WHERE uid = old.uid AND state = old.state;
END;


ALTER TABLE jobs ADD COLUMN held       INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));
ALTER TABLE jobs ADD COLUMN not_before REAL;
ALTER TABLE jobs ADD COLUMN delays     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN time_limit REAL CHECK (time_limit > 0);
ALTER TABLE jobs ADD COLUMN disk       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN granted    INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET disk = bytes WHERE state IN ('queued', 'running', 'failed', 'cancelled');
CREATE INDEX jobs_ready ON jobs (priority DESC, uid, id)
  WHERE state = 'queued' AND held = 0 AND not_before IS NULL;
CREATE INDEX jobs_put_off ON jobs (not_before) WHERE not_before IS NOT NULL;

CREATE TABLE shares (
  uid          INTEGER PRIMARY KEY,
  core_seconds REAL NOT NULL,
  as_of        REAL NOT NULL
) STRICT;
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;


ALTER TABLE jobs ADD COLUMN resumed      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN resumed_from REAL;

CREATE TABLE results (
  folder TEXT    PRIMARY KEY,
  job    INTEGER NOT NULL,
  uid    INTEGER NOT NULL,
  bytes  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX results_by_job ON results (job);
CREATE INDEX results_by_user ON results (uid);
CREATE TABLE result_totals (
  uid   INTEGER PRIMARY KEY,
  bytes INTEGER NOT NULL
) STRICT;
CREATE TRIGGER count_new_result AFTER INSERT ON results BEGIN
  INSERT INTO result_totals VALUES (new.uid, new.bytes)
    ON CONFLICT DO UPDATE SET bytes = bytes + new.bytes;
END;
CREATE TRIGGER count_removed_result AFTER DELETE ON results BEGIN
  UPDATE result_totals SET bytes = bytes - old.bytes WHERE uid = old.uid;
END;
CREATE TRIGGER note_result AFTER UPDATE OF state ON jobs
WHEN new.state = 'succeeded' AND new.result IS NOT NULL BEGIN
  DELETE FROM results WHERE folder = new.result;
  INSERT INTO results VALUES (new.result, new.id, new.uid, max(new.disk, new.bytes));
END;
CREATE TRIGGER note_result_of_new_job AFTER INSERT ON jobs
WHEN new.state = 'succeeded' AND new.result IS NOT NULL BEGIN
  DELETE FROM results WHERE folder = new.result;
  INSERT INTO results VALUES (new.result, new.id, new.uid, max(new.disk, new.bytes));
END;
INSERT OR REPLACE INTO results SELECT result, id, uid, max(disk, bytes) FROM jobs
  WHERE state = 'succeeded' AND result IS NOT NULL ORDER BY id;
DELETE FROM result_totals;
INSERT INTO result_totals SELECT uid, sum(bytes) FROM results GROUP BY uid;

-- What a daemon of version 4 left: jobs that run, wait, are held or put off, or ended; what users had; its settings.
INSERT INTO jobs VALUES
  (1, 'digits', '1-digits.safetensors', 1000, 'succeeded', 0, 1764000000.25, 1764000001.5, 1764000002.75, 1, 0, NULL, NULL, NULL, 'digits', 4662400, 52428800, 2, 1, 11, 1764000000250000000, 0, NULL, 0, NULL, 4664000, 0, 0, NULL),
  (2, 'slow', '2-slow.json', 1000, 'failed', 5, 1764000003, 1764000004, 1764000065, 1, 0, NULL, 'time-limit', 'slow was ended after 60 s, its time limit', NULL, 1024, 52428800, 1, 0.5, 12, 1764000003000000000, 0, NULL, 0, 60, 2048, 0, 0, NULL),
  (3, 'later', '3-later.json', 1001, 'queued', -3, 1764000006, 1764000007, NULL, 2, 2, NULL, 'disk-full', 'no space left on results', NULL, 1024, 52428800, 1, 0, 13, 1764000006000000000, 0, 1764000300, 2, NULL, 2048, 0, 0, NULL),
  (4, 'long', '4-long.json', 1001, 'running', 0, 1764000007, 1764000008, NULL, 1, 0, 'b7c1/3/0', NULL, NULL, NULL, 1073741824, 62914560, 2, 0.25, -1, 1764000007000000000, 0, NULL, 0, 3600, 1073742000, 2, 2, 0.75),
  (5, 'kept', '5-kept.json', 1000, 'queued', 0, 1764000009, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, 1024, 52428800, 1, 0, 15, 1764000009000000000, 1, NULL, 0, NULL, 2048, 0, 0, NULL),
  (6, 'bad.json', 'bad.json', 1000, 'refused', 0, 1764000011, NULL, 1764000011, 0, 0, NULL, 'invalid', 'cannot read jobs/bad.json', NULL, 0, 0, 1, 0, 16, 1764000011000000000, 0, NULL, 0, NULL, 0, 0, 0, NULL),
  (7, 'next', '7-next.json', 1000, 'queued', 0, 1764000012, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, 1024, 52428800, 1, 0, 17, 1764000012000000000, 0, NULL, 0, NULL, 2048, 0, 0, NULL);
INSERT INTO shares VALUES (1000, 7200.5, 1764000002.75);
INSERT INTO settings VALUES ('cores', '2'), ('memory', '17179869184');
-- A result whose job is forgotten.
INSERT INTO results VALUES ('forgotten', 9, 1000, 4096);
PRAGMA application_id = 1852729954;
PRAGMA user_version = 4;
PRAGMA journal_mode = WAL;
