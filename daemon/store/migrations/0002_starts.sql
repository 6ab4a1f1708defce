-- The last start of each replica that somebody has answered for: an operation that started it, or that ran its hooks
-- after the engine did (X30). A container whose StartedAt is another one was started behind our back.
CREATE TABLE starts (
  stack_id   TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  service    TEXT NOT NULL,
  number     INTEGER NOT NULL,
  container  TEXT NOT NULL,
  started_at TEXT NOT NULL,               -- the engine's word; '' when its hooks are still owed
  state      TEXT NOT NULL CHECK (state IN ('running', 'stopped', 'lost')),
  PRIMARY KEY (stack_id, service, number)
) STRICT, WITHOUT ROWID;

-- Restarts since the process last ran well: what the next pause and the limit go by. `restarts` counts them all.
ALTER TABLE processes ADD COLUMN streak INTEGER NOT NULL DEFAULT 0;
