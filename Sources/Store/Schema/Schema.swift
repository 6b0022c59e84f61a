/// The tables, as docs/store.md describes them, and how older ones become newer ones.
enum Schema {
  /// `nnjb`: PRAGMA application_id of every store of ours.
  static let application: Int64 = 0x6E6E_6A62

  /// Version n is made from version n−1 by the n-th script; a released script never changes.
  static let migrations = [version1, version2, version3, version4]

  /// The version this program reads and writes.
  static var current: Int { migrations.count }

  /// The columns of a job, in the order `Job.init(row:)` reads them.
  static let jobColumns = """
    id, name, file, uid, state, priority, submitted, started, finished, attempts, forgiven, owner, \
    reason_code, reason_text, result, bytes, memory, cores, progress, inode, modified, held, \
    not_before, delays, time_limit, disk, granted, resumed, resumed_from
    """

  /// Makes SQLite walk the queue in its order; it would rather gather all queued jobs and sort them.
  static let inQueueOrder = "INDEXED BY jobs_in_queue_order"

  /// What a queued job must be to start; the index `jobs_ready` has these rows and no others.
  static let isReady = "state = 'queued' AND held = 0 AND not_before IS NULL"

  private static let version1 = """
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
    """

  /// Holding, putting off, time limits, fair share, and what the daemon was told.
  private static let version2 = """
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
    """

  /// Attempts that went on where another had stopped.
  private static let version3 = """
    ALTER TABLE jobs ADD COLUMN resumed      INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN resumed_from REAL;
    """

  /// What users' results take on disk, those of jobs included that are forgotten.
  private static let version4 = """
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
    """
}
