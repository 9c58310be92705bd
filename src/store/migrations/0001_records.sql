-- One row for each record. What is sealed stands in a table of its own, so that renewing a lease
-- does not write a request of many megabytes again.
CREATE TABLE records (
    id          INTEGER PRIMARY KEY,
    kind        INTEGER NOT NULL,
    locator     BLOB    NOT NULL,
    grouping    BLOB,
    state       INTEGER NOT NULL,
    created_at  INTEGER NOT NULL, -- this and all times: milliseconds since 1970
    finished_at INTEGER,
    expires_at  INTEGER NOT NULL,
    attempts    INTEGER NOT NULL,
    owner       BLOB,             -- who works on it, or finished it
    leased_till INTEGER,          -- null: nobody works on it
    bytes       INTEGER NOT NULL, -- of both parts
    UNIQUE (kind, locator)
) STRICT;

CREATE INDEX records_by_expiry ON records (expires_at);
CREATE INDEX records_by_group ON records (kind, grouping, expires_at) WHERE grouping IS NOT NULL;

CREATE TABLE parts (
    record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
    part   INTEGER NOT NULL, -- 1 request, 2 result
    sealed BLOB    NOT NULL,
    PRIMARY KEY (record, part)
) STRICT;

-- One row: what the store holds, so that a bound is checked without counting.
CREATE TABLE usage (
    records INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
) STRICT;
INSERT INTO usage VALUES (0, 0);

CREATE TRIGGER usage_after_insert AFTER INSERT ON records BEGIN
    UPDATE usage SET records = records + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER usage_after_update AFTER UPDATE OF bytes ON records BEGIN
    UPDATE usage SET bytes = bytes + new.bytes - old.bytes;
END;
CREATE TRIGGER usage_after_delete AFTER DELETE ON records BEGIN
    UPDATE usage SET records = records - 1, bytes = bytes - old.bytes;
END;
