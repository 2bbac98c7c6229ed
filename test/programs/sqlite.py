"""SQLite with a database in a file: what it prints, and the file itself, are those of the native one."""

import pathlib

from workshop import ROOT, Skip, must, need, same

ROWS, BATCH = 100_000, 1000


def script():
    """Durable commits, an index, updates, deletions and a vacuum; nothing that differs by platform."""
    yield "PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE; PRAGMA cache_size = 200;"
    yield "CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT, part INTEGER, body BLOB);"
    for first in range(0, ROWS, BATCH):
        yield (f"BEGIN; WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n "
               f"WHERE i < {first + BATCH - 1}) INSERT INTO rows SELECT i, 'name ' || (i * 7919 % {ROWS}), "
               "i % 97, zeroblob(i % 50) FROM n; COMMIT;")
    yield "CREATE UNIQUE INDEX by_name ON rows(name);"
    yield "SELECT count(*), sum(id), sum(length(body)), min(name), max(name) FROM rows;"
    yield "UPDATE rows SET body = CAST(name AS BLOB) WHERE part = 13;"
    yield "DELETE FROM rows WHERE part BETWEEN 20 AND 40;"
    yield "SELECT part, count(*), group_concat(id % 10, '') FROM rows WHERE id < 5000 GROUP BY part ORDER BY part;"
    yield "SELECT a.id, b.id FROM rows a JOIN rows b ON b.name = 'name ' || a.id WHERE a.part = 1 ORDER BY a.id LIMIT 300;"
    yield "BEGIN; DELETE FROM rows; ROLLBACK; SELECT count(*) FROM rows;"
    yield "VACUUM; PRAGMA integrity_check; SELECT hex(body) FROM rows WHERE part = 13 ORDER BY id LIMIT 50;"


def hundred_thousand_rows(shop, scratch):
    need("make")
    must(["make", "-s", "-C", ROOT / "test" / "guests", "sqlite"])
    module, native = ROOT / "build/guests/sqlite.wasm", ROOT / "build/guests/sqlite-native"
    if not module.exists():
        raise Skip("SQLite's source cannot be had (test/guests/Makefile)")
    scratch = pathlib.Path(scratch)
    (scratch / "script.sql").write_text("\n".join(script()))
    shop.compile(module)
    seen = shop.guest(module, "/guest.db", "/script.sql", root=scratch, env=["SQLITE_TMPDIR=/"])
    wanted = must([native, scratch / "native.db", scratch / "script.sql"])
    same(seen.status, 0, repr(seen))
    same(seen.out, wanted.out, "output")
    same((scratch / "guest.db").read_bytes(), (scratch / "native.db").read_bytes(), "database")
    same(sorted(path.name for path in scratch.iterdir()), ["guest.db", "native.db", "script.sql"], "files")
