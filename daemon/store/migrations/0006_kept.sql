-- What an up has taken out of service and keeps until after_up has worked (semantics.md, X34): a row is written before
-- anything is done to it. A failed up puts it back by this.
CREATE TABLE kept (
  stack_id  TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  service   TEXT NOT NULL,
  container TEXT NOT NULL,                -- id; '' for the process of the service
  name      TEXT NOT NULL,                -- its former name
  state     TEXT NOT NULL,                -- its former state: running, paused, exited …
  policy    TEXT NOT NULL,                -- its former restart policy
  retries   INTEGER NOT NULL,             -- of on-failure
  endpoints TEXT NOT NULL,                -- JSON: network -> its settings there
  aside     INTEGER NOT NULL,             -- 1: something else gets its place; 0: it was only stopped
  number    INTEGER NOT NULL,             -- in which order: the first of a name is what was up, later ones are wrecks
  PRIMARY KEY (stack_id, service, container)
) STRICT, WITHOUT ROWID;

-- What a stack that is up was made from, while an up makes it from something else.
CREATE TABLE former_stacks (
  stack_id TEXT PRIMARY KEY NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  format   TEXT NOT NULL,
  profile  TEXT NOT NULL,
  spec     TEXT NOT NULL,                 -- JSON
  facts    TEXT NOT NULL                  -- JSON
) STRICT;
CREATE TABLE former_ports (
  stack_id TEXT NOT NULL REFERENCES stacks (id) ON DELETE CASCADE,
  service  TEXT NOT NULL,
  key      TEXT NOT NULL,
  port     INTEGER NOT NULL,
  host_ip  TEXT NOT NULL,
  protocol TEXT NOT NULL,
  active   INTEGER NOT NULL,
  PRIMARY KEY (stack_id, service, key)
) STRICT, WITHOUT ROWID;

-- The spec that an operation was about, when its stack has gone back to the former one.
CREATE TABLE refused_specs (
  operation_id TEXT PRIMARY KEY NOT NULL REFERENCES operations (id) ON DELETE CASCADE,
  spec         TEXT NOT NULL
) STRICT;
