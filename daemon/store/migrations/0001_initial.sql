-- Times are milliseconds since the epoch, UTC. Columns said to be JSON are written and read by whoever owns the document.
-- Text that may be missing is '' and not NULL: a row is a plain struct of strings.

CREATE TABLE stacks (
  id             TEXT PRIMARY KEY NOT NULL,
  name           TEXT NOT NULL,
  directory      TEXT NOT NULL,
  format         TEXT NOT NULL,
  spec           TEXT NOT NULL,           -- JSON
  facts          TEXT NOT NULL,           -- JSON
  status         TEXT NOT NULL,
  profile        TEXT NOT NULL,
  last_operation TEXT NOT NULL,           -- '' before the first; no reference, because operations are pruned
  extra          TEXT NOT NULL,           -- JSON
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE operations (
  number           INTEGER PRIMARY KEY,   -- the order in which they were submitted, whatever the clock did
  id               TEXT NOT NULL UNIQUE,
  stack_id         TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  kind             TEXT NOT NULL,
  request          TEXT NOT NULL,         -- JSON
  state            TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
  mode             TEXT NOT NULL CHECK (mode IN ('forward', 'rollback')),
  after            TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL,
  error            TEXT NOT NULL,         -- JSON, '' while there is none
  warnings         TEXT NOT NULL,         -- JSON list
  created_at       INTEGER NOT NULL,
  ended_at         INTEGER
) STRICT;
CREATE INDEX operations_of_stack ON operations (stack_id, number);
CREATE INDEX operations_running ON operations (number) WHERE state = 'running';

CREATE TABLE steps (
  operation_id TEXT NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
  ordinal      INTEGER NOT NULL,
  key          TEXT NOT NULL,
  kind         TEXT NOT NULL,
  service      TEXT NOT NULL,
  params       TEXT NOT NULL,             -- JSON
  needs        TEXT NOT NULL,             -- JSON list of keys
  on_error     TEXT NOT NULL CHECK (on_error IN ('stop', 'go_on')),
  state        TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'skipped', 'failed', 'cancelled')),
  reason       TEXT NOT NULL,
  result       TEXT NOT NULL,             -- JSON
  started_at   INTEGER,
  ended_at     INTEGER,
  PRIMARY KEY (operation_id, ordinal),
  UNIQUE (operation_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE hook_runs (
  number       INTEGER PRIMARY KEY,       -- the order in which they began
  id           TEXT NOT NULL UNIQUE,
  stack_id     TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  operation_id TEXT NOT NULL,             -- no reference: `run: once` remembers longer than operations are kept
  step         INTEGER NOT NULL,
  phase        TEXT NOT NULL,
  service      TEXT NOT NULL,
  container    TEXT NOT NULL,
  place        TEXT NOT NULL,
  command      TEXT NOT NULL,
  entry        INTEGER NOT NULL,          -- index in the phase's composed list
  attempt      INTEGER NOT NULL,
  state        TEXT NOT NULL,
  exit_code    INTEGER,
  reason       TEXT NOT NULL,
  log          TEXT NOT NULL,
  out_tail     TEXT NOT NULL,
  err_tail     TEXT NOT NULL,
  definition   TEXT NOT NULL,
  started_at   INTEGER NOT NULL,
  ended_at     INTEGER
) STRICT;
CREATE INDEX hook_runs_of_entry ON hook_runs (stack_id, service, phase, entry, number);
CREATE INDEX hook_runs_of_stack ON hook_runs (stack_id, number);
CREATE INDEX hook_runs_of_operation ON hook_runs (operation_id, number);
CREATE INDEX hook_runs_running ON hook_runs (number) WHERE state = 'running';
CREATE INDEX hook_runs_succeeded ON hook_runs (stack_id, service, phase, definition, container)
  WHERE state = 'succeeded';

CREATE TABLE ports (
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  service  TEXT NOT NULL,
  key      TEXT NOT NULL,
  port     INTEGER NOT NULL,
  host_ip  TEXT NOT NULL,
  protocol TEXT NOT NULL,
  active   INTEGER NOT NULL,              -- 0: remembered, for the stack's next time
  PRIMARY KEY (stack_id, service, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ports_active ON ports (port, protocol) WHERE active = 1;

CREATE TABLE processes (
  stack_id      TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  service       TEXT NOT NULL,
  run_directory TEXT NOT NULL,
  log           TEXT NOT NULL,
  definition    TEXT NOT NULL,
  log_offset    INTEGER NOT NULL,
  operation_id  TEXT NOT NULL,
  state         TEXT NOT NULL,
  restarts      INTEGER NOT NULL,
  PRIMARY KEY (stack_id, service)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice, so that a client may always go on after the last one that it saw.
CREATE TABLE events (
  sequence     INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  stack_id     TEXT NOT NULL,             -- '' for the daemon's own; no reference: events may outlive what they tell of
  operation_id TEXT NOT NULL,
  kind         TEXT NOT NULL,
  data         TEXT NOT NULL              -- JSON
) STRICT;
CREATE INDEX events_of_stack ON events (stack_id, sequence);
CREATE INDEX events_of_operation ON events (operation_id, sequence);

CREATE TRIGGER stacks_removed AFTER DELETE ON stacks BEGIN
  DELETE FROM events WHERE stack_id = old.id;
END;
