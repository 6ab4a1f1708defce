-- What was told last of each service's status (semantics.md, W8), and of a stack's ('' as its service). After a restart the
-- list is held against it. No reference to the stack: it is written along with other commits, and must not fail theirs.
CREATE TABLE statuses (
  stack_id  TEXT NOT NULL,                -- '' for the engine
  service   TEXT NOT NULL,
  status    TEXT NOT NULL,
  reason    TEXT NOT NULL,
  since     INTEGER NOT NULL,
  PRIMARY KEY (stack_id, service)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER stack_statuses_removed AFTER DELETE ON stacks BEGIN
  DELETE FROM statuses WHERE stack_id = old.id;
END;
