#include "server/store/sqlite_layout.h"

#include "absl/strings/str_cat.h"

#include "server/visibility/statement.h"

namespace chimera::server {
namespace {

constexpr int kLayout = 2;  // user_version; the first was 0.
constexpr char kSchema[] = R"(
CREATE TABLE IF NOT EXISTS value(tab TEXT, key TEXT, data BLOB, PRIMARY KEY(tab, key))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run(number INTEGER PRIMARY KEY, run_id TEXT UNIQUE, namespace_id TEXT,
                               workflow_id TEXT, closed INTEGER, side BLOB);
CREATE INDEX IF NOT EXISTS run_open ON run(number) WHERE closed = 0;
CREATE INDEX IF NOT EXISTS run_closed ON run(namespace_id, closed) WHERE closed > 0;
CREATE INDEX IF NOT EXISTS run_workflow ON run(workflow_id, number);
CREATE TABLE IF NOT EXISTS event(run INTEGER, first_id INTEGER, data BLOB,
                                 PRIMARY KEY(run, first_id))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run_row(run INTEGER, tab TEXT, key TEXT, data BLOB,
                                   PRIMARY KEY(run, tab, key))
  WITHOUT ROWID;
)";

// From the first layout, in which events and rows went by run ids and closed runs had no time. The
// engine knows it and writes them once more (kUpgrade).
constexpr char kUpgrade[] = R"(
ALTER TABLE run RENAME TO old_run;
ALTER TABLE event RENAME TO old_event;
)";
constexpr char kUpgradeRows[] = R"(
INSERT INTO run SELECT pk, run_id, namespace_id, workflow_id,
  CASE open WHEN 0 THEN CAST(strftime('%s', 'now') AS INTEGER) * 1000000000 ELSE 0 END, side
  FROM old_run;
INSERT INTO event SELECT pk, first_id, data FROM old_event JOIN old_run USING(run_id);
INSERT INTO run_row SELECT pk, tab, CAST(substr(CAST(key AS BLOB), 37) AS TEXT), data
  FROM value JOIN old_run ON run_id = CAST(substr(CAST(key AS BLOB), 1, 36) AS TEXT)
  WHERE tab NOT IN ('meta', 'namespace');
DELETE FROM value WHERE tab NOT IN ('meta', 'namespace');
INSERT INTO value VALUES('meta', 'upgrade', '1');
DROP TABLE old_event;
DROP TABLE old_run;
)";

}  // namespace

bool make_tables(sqlite3* database) {
  const auto execute = [database](const char* sql) {
    return sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  visibility::Statement layout, old;
  if (layout.prepare(database, "PRAGMA user_version") != SQLITE_OK || !layout.next() ||
      old.prepare(database, "SELECT 1 FROM sqlite_master WHERE name='event'") != SQLITE_OK) {
    return false;
  }
  const bool is_old = layout.number(0) == 0 && old.next();
  layout.reset(), old.reset();
  return (!is_old || execute(kUpgrade)) && execute(kSchema) && (!is_old || execute(kUpgradeRows)) &&
         execute(absl::StrCat("PRAGMA user_version=", kLayout).c_str());
}

}  // namespace chimera::server
