-- The broker's store, version 2. One process and one connection write it (store.h).
--
-- hit is what the watchers submitted, alert what the broker decided to send. Each has a dense
-- number of its own that the broker counts in meta, in the same transaction: a number without a
-- row means loss, never a skipped duplicate. crc is CRC-32 over every other column (store.c),
-- because a flipped bit in a text passes SQLite's own integrity check.

CREATE TABLE meta(
    key   TEXT PRIMARY KEY,       -- epoch, head, hhead, first, hfirst, commits, stored_at; clock, wall, boot, boot_ns
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- A run is what one broker process has stored. Commits that stored something are counted; those from
-- `first` up to the next run's are a run's own. A copy of this file that was put back knows neither the
-- runs after it nor how far its last one went: by that a watcher that was told of one finds out.
CREATE TABLE run(
    first INTEGER PRIMARY KEY,
    id    BLOB NOT NULL UNIQUE    -- 16 random bytes
) STRICT;

-- The record of an article as it came (frame 1 of PUT), once for all its hits.
CREATE TABLE article(
    source  TEXT NOT NULL,
    id      TEXT NOT NULL,
    version INTEGER NOT NULL,
    crc     INTEGER NOT NULL,
    record  BLOB NOT NULL,
    hseq    INTEGER NOT NULL DEFAULT 0, -- no hit above this number refers to it; not in crc
    PRIMARY KEY(source, id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX article_hseq ON article(hseq);

CREATE TABLE hit(
    hseq    INTEGER PRIMARY KEY,  -- dense, from hfirst
    id      BLOB NOT NULL UNIQUE, -- 16 bytes: the same hit again is a duplicate
    watch   TEXT NOT NULL,        -- namespace/name
    source  TEXT NOT NULL,
    article TEXT NOT NULL,
    version INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    crc     INTEGER NOT NULL,
    body    BLOB NOT NULL         -- HIT of common/hit.h
) STRICT;

-- Ids outlive bodies: the hits that retention has removed, so that one that comes again after
-- that is still a duplicate.
CREATE TABLE seen(
    hseq INTEGER PRIMARY KEY,
    id   BLOB NOT NULL UNIQUE,
    crc  INTEGER NOT NULL         -- the hit's
) STRICT;

-- No unique index on id: it is a function of the hit's id, which is unique already, and a random
-- index is the most expensive part of an insert.
CREATE TABLE alert(
    seq       INTEGER PRIMARY KEY, -- dense, from first
    id        BLOB NOT NULL,
    topic     TEXT NOT NULL,       -- namespace/watch/severity/
    labels    TEXT NOT NULL,       -- JSON object of texts, no blanks
    story     BLOB NOT NULL,
    hseq      INTEGER NOT NULL,    -- the hit that caused it
    stored_at INTEGER NOT NULL,    -- ns since 1970 UTC, never less than the alert's before
    crc       INTEGER NOT NULL,
    body      BLOB NOT NULL        -- the event, as it goes out
) STRICT;
CREATE INDEX alert_topic ON alert(topic, seq);
CREATE INDEX alert_time ON alert(stored_at);

-- Where the history stood when an hour of the trusted clock began (age.h): how retention knows
-- what is how old, whatever the wall clock has said.
CREATE TABLE hour(
    hour  INTEGER PRIMARY KEY,    -- since 1970
    head  INTEGER NOT NULL,
    hhead INTEGER NOT NULL
) STRICT;

CREATE TABLE watch(
    hash       BLOB PRIMARY KEY,   -- 16 bytes, over the definition
    name       TEXT NOT NULL,
    definition BLOB NOT NULL,
    since      INTEGER NOT NULL    -- when the broker first saw it, ns
) STRICT, WITHOUT ROWID;

CREATE TABLE consumer(
    name    TEXT PRIMARY KEY,
    cursor  INTEGER NOT NULL,      -- everything up to this alert is dealt with
    start   INTEGER NOT NULL,      -- the cursor it began with
    seen    INTEGER NOT NULL,      -- its last ACK, SEEK or ATTACH, or first FETCH, ns
    epoch   BLOB NOT NULL DEFAULT x'', -- of the history that cursor counts in; none: this one
    owner   TEXT NOT NULL DEFAULT '', -- whose it is: a name of access.yaml, "~" the local socket's, "" nobody's yet
    lease   BLOB NOT NULL DEFAULT x'', -- 16 bytes; none: nobody holds it
    filters TEXT NOT NULL DEFAULT ''   -- JSON list, as ATTACH gave it; "": none
) STRICT, WITHOUT ROWID;
