-- Commands that clients run in containers now. Whoever has one is written here before it begins, so that it is ended
-- when its client has gone, be it that the daemon has gone too. Of a stack that is forgotten they stay: their container
-- may outlive it.
CREATE TABLE execs (
  id         TEXT PRIMARY KEY,            -- the value of STACKD_RUN in its environment
  stack_id   TEXT NOT NULL,
  service    TEXT NOT NULL,
  container  TEXT NOT NULL,
  exec       TEXT NOT NULL,               -- the engine's id
  command    TEXT NOT NULL,               -- for people, secrets masked
  started_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
