#include "server/store/sqlite_reading.h"

#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"

namespace chimera::server {
namespace {

using visibility::Statement;

WriteBatch::RunRecord record_of(Statement& row) {
  return {static_cast<std::uint64_t>(row.number(0)),
          row.text(1),
          row.text(2),
          row.text(3),
          row.number(4),
          row.text(5)};
}

// Ends what next() began; false: it ended with an error.
bool end(Statement& statement) {
  const bool good = !statement.failed();
  statement.reset();
  return good;
}

}  // namespace

bool SqliteReading::open(const std::string& filename) {
  filename_ = filename;
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(filename.c_str(), &raw, flags, nullptr);
  database_.reset(raw);
  if (code != SQLITE_OK) return false;
  sqlite3_busy_timeout(raw, 1000);
  const auto prepared = [raw](Statement& statement, const char* sql) {
    return statement.prepare(raw, sql) == SQLITE_OK;
  };
  return prepared(open_,
                  "SELECT number, run_id, namespace_id, workflow_id, closed, side FROM run "
                  "WHERE closed = 0 ORDER BY number") &&
         prepared(run_,
                  "SELECT number, run_id, namespace_id, workflow_id, closed, side FROM run "
                  "WHERE run_id=?1") &&
         prepared(events_, "SELECT data FROM event WHERE run=?1 ORDER BY first_id") &&
         prepared(rows_, "SELECT tab, key, data FROM run_row WHERE run=?1") &&
         prepared(newest_,
                  "SELECT number, run_id FROM run WHERE workflow_id=?1 AND namespace_id=?2 "
                  "ORDER BY number DESC") &&
         prepared(closed_,
                  "SELECT number, run_id, closed FROM run WHERE namespace_id=?1 AND closed > 0 "
                  "ORDER BY closed LIMIT ?2");
}

bool SqliteReading::load_open(std::vector<StoredRun>& runs) {
  bool good = true;
  while (good && open_.next()) {
    runs.emplace_back().record = record_of(open_);
    good = complete(runs.back());
  }
  return end(open_) && good;
}

bool SqliteReading::complete(StoredRun& stored) {
  const auto number = static_cast<std::int64_t>(stored.record.number);
  events_.number(1, number);
  while (events_.next()) stored.batches.push_back(events_.text(0));
  bool good = end(events_);
  rows_.number(1, number);
  while (rows_.next()) {
    stored.rows.push_back(
        {stored.record.number, rows_.text(0), rows_.text(1), rows_.text(2), false});
  }
  return end(rows_) && good;
}

std::optional<StoredRun> SqliteReading::read(const std::string& run_id) {
  std::optional<StoredRun> stored;
  if (run_.text(1, run_id).next()) stored.emplace().record = record_of(run_);
  if (end(run_) && (!stored || complete(*stored))) return stored;
  log_unreadable();
  return std::nullopt;
}

std::optional<Store::Place> SqliteReading::newest(
    const std::string& namespace_id, const std::string& workflow_id,
    absl::FunctionRef<bool(std::uint64_t)> passed_over) {
  std::optional<Store::Place> place;
  newest_.text(1, workflow_id).text(2, namespace_id);
  while (!place && newest_.next()) {
    const auto number = static_cast<std::uint64_t>(newest_.number(0));
    if (!passed_over(number)) place = Store::Place{number, newest_.text(1)};
  }
  if (!end(newest_)) log_unreadable();
  return place;
}

std::vector<Store::ClosedRun> SqliteReading::first_closed(const std::string& namespace_id,
                                                          int limit) {
  std::vector<Store::ClosedRun> runs;
  closed_.text(1, namespace_id).number(2, limit);
  while (closed_.next()) {
    runs.push_back(
        {static_cast<std::uint64_t>(closed_.number(0)), closed_.text(1), closed_.number(2)});
  }
  if (!end(closed_)) log_unreadable();
  return runs;
}

void SqliteReading::log_unreadable() const {
  core::log(core::LogLevel::kError, "server",
            absl::StrCat("the database file ", filename_, " cannot be read (",
                         sqlite3_errmsg(database_.get()),
                         "): what has closed is not found. Restore a copy of it."));
}

}  // namespace chimera::server
