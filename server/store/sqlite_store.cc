#include "server/store/sqlite_store.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/string_view.h"
#include <signal.h>
#include <sqlite3.h>

#include "core/telemetry/log.h"

namespace chimera::server {
namespace {

constexpr int kApplicationId = 0x43484d52;  // "CHMR"
constexpr std::chrono::milliseconds kRetryAfter{200};
constexpr char kSchema[] = R"(
CREATE TABLE IF NOT EXISTS value(tab TEXT, key TEXT, data BLOB, PRIMARY KEY(tab, key))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run(pk INTEGER PRIMARY KEY, run_id TEXT UNIQUE, namespace_id TEXT,
                               workflow_id TEXT, open INTEGER, side BLOB);
CREATE TABLE IF NOT EXISTS event(run_id TEXT, first_id INTEGER, data BLOB,
                                 PRIMARY KEY(run_id, first_id))
  WITHOUT ROWID;
)";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// A prepared statement, bound and run again and again. Writer thread.
class Statement {
 public:
  Statement() = default;
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  int prepare(sqlite3* database, const char* sql) {
    return sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  Statement& text(int index, absl::string_view value) {
    sqlite3_bind_text(statement_, index, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& blob(int index, absl::string_view value) {
    sqlite3_bind_blob(statement_, index, value.data(), static_cast<int>(value.size()),
                      SQLITE_STATIC);
    return *this;
  }
  Statement& number(int index, std::int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  bool run() {
    const int code = sqlite3_step(statement_);
    sqlite3_reset(statement_);
    return code == SQLITE_DONE || code == SQLITE_ROW;
  }
  bool next() {
    code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
  }
  // next() gave false because there was no more, not because of an error.
  bool at_end() const { return code_ == SQLITE_DONE; }
  std::string column(int index) {
    const void* data = sqlite3_column_blob(statement_, index);
    return std::string(static_cast<const char*>(data), sqlite3_column_bytes(statement_, index));
  }
  std::int64_t column_number(int index) { return sqlite3_column_int64(statement_, index); }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;  // Of the last next().
};

// Under a limit on file sizes (ulimit -f) the system kills who writes beyond it; a thread that
// blocks the signal gets an error from the write instead, as on a full disk.
void get_errors_of_file_sizes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

class SqliteStore : public Store {
 public:
  explicit SqliteStore(std::string filename) : filename_(std::move(filename)) {}

  ~SqliteStore() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status open() {
    if (absl::Status status = check_place(); !status.ok()) return status;
    sqlite3* raw = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(filename_.c_str(), &raw, flags, nullptr);
    database_.reset(raw);
    if (code != SQLITE_OK)
      return problem("cannot be opened", "Check the folder and its permissions.");
    if (sqlite3_db_readonly(raw, "main") == 1) {  // SQLite opens it all the same.
      return absl::FailedPreconditionError(absl::StrCat(
          "the database file ", filename_,
          " is read-only. Give this user the permission to write it, or choose another file."));
    }
    sqlite3_busy_timeout(raw, 1000);
    if (absl::Status status = check_owner(); !status.ok()) return status;
    if (!execute("PRAGMA locking_mode=EXCLUSIVE") || !execute("PRAGMA journal_mode=WAL") ||
        !execute("PRAGMA synchronous=NORMAL") || !execute("BEGIN IMMEDIATE") || !execute(kSchema) ||
        !execute("COMMIT")) {
      return sqlite3_errcode(raw) == SQLITE_BUSY
                 ? problem("is used by another server", "Stop that one, or choose another file.")
                 : problem("cannot be written", "Check its permissions and the free space.");
    }
    return prepare();
  }

  bool durable() const override { return true; }

  void commit(WriteBatch batch, Written written) override {
    bool wake;
    {
      std::lock_guard lock(mutex_);
      wake = queue_.empty();
      queue_.push_back({std::move(batch), std::move(written)});
    }
    if (wake) wake_.notify_one();
  }

  absl::Status health() const override {
    if (healthy_) return absl::OkStatus();
    std::lock_guard lock(health_mutex_);
    return health_;
  }

  absl::StatusOr<StoredState> load() override {
    StoredState state;
    Statement values, runs;
    if (values.prepare(database_.get(), "SELECT tab, key, data FROM value") != SQLITE_OK ||
        runs.prepare(database_.get(),
                     "SELECT run_id, namespace_id, workflow_id, open, side FROM run ORDER BY pk") !=
            SQLITE_OK) {
      return unreadable();
    }
    while (values.next())
      state.values.push_back({values.column(0), values.column(1), values.column(2), false});
    if (!values.at_end()) return unreadable();
    while (runs.next()) {
      auto& run = state.runs.emplace_back();
      run.record = {runs.column(0), runs.column(1), runs.column(2), runs.column_number(3) != 0,
                    runs.column(4)};
      Statement events;
      if (events.prepare(database_.get(),
                         "SELECT data FROM event WHERE run_id=?1 ORDER BY first_id") != SQLITE_OK) {
        return unreadable();
      }
      events.text(1, run.record.run_id);
      while (events.next()) run.batches.push_back(events.column(0));
      if (!events.at_end()) return unreadable();
    }
    if (!runs.at_end()) return unreadable();
    thread_ = std::thread([this] { write_loop(); });
    return state;
  }

 private:
  absl::Status unreadable() { return problem("cannot be read", "Restore a copy of it."); }
  absl::Status problem(absl::string_view what, absl::string_view advice) {
    return absl::FailedPreconditionError(absl::StrCat("the database file ", filename_, " ", what,
                                                      " (", sqlite3_errmsg(database_.get()), "). ",
                                                      advice));
  }

  bool execute(const char* sql) {
    return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  }

  absl::Status check_place() const {
    namespace fs = std::filesystem;
    std::error_code ignored;
    const fs::path file(filename_), folder = fs::absolute(file, ignored).parent_path();
    if (fs::is_directory(file, ignored)) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database file ", filename_, " is a folder. Choose a file name in it."));
    }
    if (fs::is_directory(folder, ignored)) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("the database file ", filename_, " cannot be made: the folder ",
                     folder.string(), " is not there. Create it, or choose another file name."));
  }

  // An empty file becomes ours; any other must be.
  absl::Status check_owner() {
    Statement id, tables;
    if (id.prepare(database_.get(), "PRAGMA application_id") != SQLITE_OK || !id.next() ||
        tables.prepare(database_.get(), "SELECT count(*) FROM sqlite_master") != SQLITE_OK ||
        !tables.next()) {
      return sqlite3_errcode(database_.get()) == SQLITE_BUSY
                 ? problem("is used by another server", "Stop that one, or choose another file.")
                 : problem("is not a database", "Choose another file name.");
    }
    if (id.column_number(0) == kApplicationId) return absl::OkStatus();
    if (tables.column_number(0) > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database file ", filename_,
                       " belongs to another program (perhaps a genuine Temporal server). Choose "
                       "another file name."));
    }
    return execute(absl::StrCat("PRAGMA application_id=", kApplicationId).c_str())
               ? absl::OkStatus()
               : problem("cannot be written", "Check its permissions and the free space.");
  }

  absl::Status prepare() {
    sqlite3* db = database_.get();
    const bool ok =
        put_event_.prepare(
            db, "INSERT OR REPLACE INTO event(run_id, first_id, data) VALUES(?1,?2,?3)") ==
            SQLITE_OK &&
        put_run_.prepare(
            db,
            "INSERT INTO run(run_id, namespace_id, workflow_id, open, side) "
            "VALUES(?1,?2,?3,?4,?5) ON CONFLICT(run_id) DO UPDATE SET open=?4, side=?5") ==
            SQLITE_OK &&
        put_value_.prepare(db, "INSERT OR REPLACE INTO value(tab, key, data) VALUES(?1,?2,?3)") ==
            SQLITE_OK &&
        erase_value_.prepare(db, "DELETE FROM value WHERE tab=?1 AND key=?2") == SQLITE_OK &&
        erase_run_.prepare(db, "DELETE FROM run WHERE run_id=?1") == SQLITE_OK &&
        erase_events_.prepare(db, "DELETE FROM event WHERE run_id=?1") == SQLITE_OK;
    return ok ? absl::OkStatus()
              : problem("has another layout",
                        "It may be of another version: choose another file name.");
  }

  struct Handed {
    WriteBatch batch;
    Written written;  // Null: it has heard.
  };

  bool write(WriteBatch& batch) {
    bool ok = true;
    for (const auto& e : batch.events) {
      ok = ok && put_event_.text(1, e.run_id).number(2, e.first_id).blob(3, e.history).run();
    }
    for (const auto& r : batch.runs) {
      ok = ok && put_run_.text(1, r.run_id)
                     .text(2, r.namespace_id)
                     .text(3, r.workflow_id)
                     .number(4, r.open)
                     .blob(5, r.side)
                     .run();
    }
    for (const auto& v : batch.values) {
      ok = ok && (v.erase ? erase_value_.text(1, v.table).text(2, v.key).run()
                          : put_value_.text(1, v.table).text(2, v.key).blob(3, v.value).run());
    }
    for (const auto& id : batch.deleted_runs) {
      ok = ok && erase_run_.text(1, id).run() && erase_events_.text(1, id).run();
    }
    return ok;
  }

  absl::Status write_all(std::vector<Handed>& handed) {
    bool changes = false;
    for (const Handed& one : handed) changes = changes || !one.batch.empty();
    if (!changes) return absl::OkStatus();
    bool ok = execute("BEGIN IMMEDIATE");
    for (Handed& one : handed) ok = ok && write(one.batch);
    if (ok && execute("COMMIT")) return absl::OkStatus();
    absl::Status status = absl::UnavailableError(absl::StrCat(
        "the database file ", filename_, " cannot be written (", sqlite3_errmsg(database_.get()),
        "). Free space on its disk, or mend its permissions: the server goes on by itself then."));
    if (sqlite3_get_autocommit(database_.get()) == 0) execute("ROLLBACK");
    return status;
  }

  void set_health(const absl::Status& status) {
    if (status.ok() == healthy_.load()) return;  // As before.
    {
      std::lock_guard lock(health_mutex_);
      health_ = status;
    }
    healthy_ = status.ok();
    if (status.ok()) {
      core::log(core::LogLevel::kWarn, "server",
                absl::StrCat("the database file ", filename_, " is written again"));
    } else {
      core::log(core::LogLevel::kError, "server", std::string(status.message()));
    }
  }

  // Moves what was handed over behind `unwritten`; false: stop.
  bool wait_for_work(std::vector<Handed>& unwritten) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return stopping_ || !queue_.empty(); };
    if (unwritten.empty())
      wake_.wait(lock, ready);
    else
      wake_.wait_for(lock, kRetryAfter, ready);
    if (stopping_ && queue_.empty()) return false;
    if (unwritten.empty()) {
      unwritten.swap(queue_);
    } else {
      std::move(queue_.begin(), queue_.end(), std::back_inserter(unwritten));
      queue_.clear();
    }
    return true;
  }

  // Nothing that was not written may be acknowledged. Its callers hear of the error at once; the
  // changes stay, because the loop's state has them, and go first when the file can be written
  // again.
  void write_loop() {
    get_errors_of_file_sizes();
    std::vector<Handed> unwritten;
    while (wait_for_work(unwritten)) {
      const absl::Status status = write_all(unwritten);
      set_health(status);
      for (Handed& one : unwritten) {
        if (one.written) std::exchange(one.written, nullptr)(status);
      }
      if (status.ok())
        unwritten.clear();
      else
        std::erase_if(unwritten, [](const Handed& one) { return one.batch.empty(); });
    }
    if (!unwritten.empty()) {
      core::log(core::LogLevel::kError, "server",
                "the server stops with unwritten changes; their callers know");
    }
  }

  const std::string filename_;
  Database database_;
  Statement put_event_, put_run_, put_value_, erase_value_, erase_run_, erase_events_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Handed> queue_;
  bool stopping_ = false;
  std::atomic<bool> healthy_{true};
  mutable std::mutex health_mutex_;
  absl::Status health_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> open_sqlite_store(const std::string& filename) {
  auto store = std::make_unique<SqliteStore>(filename);
  if (absl::Status status = store->open(); !status.ok()) return status;
  return store;
}

}  // namespace chimera::server
