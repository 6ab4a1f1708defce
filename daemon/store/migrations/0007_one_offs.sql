-- Containers of `run`. Each is written here before it is made, so that it goes when its client has gone, be it that the
-- daemon has gone too. Of a stack that is forgotten they stay, as execs do.
CREATE TABLE one_offs (
  id         TEXT PRIMARY KEY,            -- the operation among its container's labels
  stack_id   TEXT NOT NULL,
  service    TEXT NOT NULL,
  name       TEXT NOT NULL,               -- of the container
  remove     INTEGER NOT NULL,            -- 1: it goes once it has ended
  attached   INTEGER NOT NULL,            -- 1: it ends with its client
  started_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
