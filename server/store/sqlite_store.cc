#include "server/store/sqlite_store.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/telemetry/log.h"
#include "server/store/sqlite_layout.h"
#include "server/store/sqlite_reading.h"
#include "server/visibility/index.h"
#include "server/visibility/statement.h"

namespace chimera::server {
namespace {

using visibility::Statement;

constexpr std::chrono::milliseconds kRetryAfter{200};
constexpr std::chrono::milliseconds kIdle{200};  // Nothing was written: time to give pages back.
constexpr std::int64_t kGiveBackAfter = 20'000;  // Deletions under load.
constexpr int kApplicationId = 0x43484d52;       // "CHMR"

// A file that one server has, for as long as this lives. SQLite's own locks let others of the
// process, and readers, in.
class FileLock {
 public:
  ~FileLock() {
    if (file_ >= 0) close(file_);
  }
  // False: another has it.
  bool take(const std::string& filename) {
    file_ = ::open(filename.c_str(), O_RDONLY | O_CLOEXEC);
    return file_ < 0 || flock(file_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  }

 private:
  int file_ = -1;
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
    if (!lock_.take(filename_)) return used_by_another();
    sqlite3_busy_timeout(raw, 1000);
    if (absl::Status status = check_owner(); !status.ok()) return status;
    if (!execute("PRAGMA journal_mode=WAL") || !execute("PRAGMA synchronous=NORMAL") ||
        !execute("BEGIN IMMEDIATE") || !make_tables(raw) || !execute("COMMIT")) {
      return sqlite3_errcode(raw) == SQLITE_BUSY
                 ? used_by_another()
                 : problem("cannot be written", "Check its permissions and the free space.");
    }
    if (absl::Status status = prepare(); !status.ok()) return status;
    auto index = visibility::IndexWriter::open(raw);
    if (!index.ok()) return index.status();
    index_ = *std::move(index);
    Statement vacuum;
    can_shrink_ = vacuum.prepare(raw, "PRAGMA auto_vacuum") == SQLITE_OK && vacuum.next() &&
                  vacuum.number(0) == 2;
    return reading_.open(filename_) ? absl::OkStatus() : unreadable();
  }

  bool durable() const override { return true; }
  const std::string& index_filename() const override { return filename_; }

  void commit(WriteBatch batch, Written written) override {
    bool wake;
    {
      std::lock_guard lock(mutex_);
      wake = queue_.empty();
      queue_.push_back({std::move(batch), std::move(written)});
    }
    note_commit();
    if (wake) wake_.notify_one();
  }

  absl::Status health() const override {
    if (healthy_) return absl::OkStatus();
    std::lock_guard lock(health_mutex_);
    return health_;
  }

  absl::StatusOr<StoredState> load() override {
    StoredState state;
    sqlite3* db = database_.get();
    Statement values, last;
    if (values.prepare(db, "SELECT tab, key, data FROM value") != SQLITE_OK ||
        last.prepare(db, "SELECT max(number) FROM run") != SQLITE_OK) {
      return unreadable();
    }
    while (values.next())
      state.values.push_back({values.text(0), values.text(1), values.text(2), false});
    if (values.failed() || !last.next()) return unreadable();
    state.last_number = static_cast<std::uint64_t>(last.number(0));
    last.reset();
    if (!reading_.load_open(state.runs)) return unreadable();
    thread_ = std::thread([this] { write_loop(); });
    return state;
  }

  std::optional<StoredRun> read(const std::string& run_id) override {
    return reading_.read(run_id);
  }
  std::optional<Place> newest(const std::string& namespace_id, const std::string& workflow_id,
                              absl::FunctionRef<bool(std::uint64_t)> passed_over) override {
    return reading_.newest(namespace_id, workflow_id, passed_over);
  }
  std::vector<ClosedRun> first_closed(const std::string& namespace_id, int limit) override {
    return reading_.first_closed(namespace_id, limit);
  }

 private:
  absl::Status unreadable() { return problem("cannot be read", "Restore a copy of it."); }
  absl::Status used_by_another() const {
    return absl::FailedPreconditionError(
        absl::StrCat("the database file ", filename_,
                     " is used by another server. Stop that one, or choose another file."));
  }
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
                 ? used_by_another()
                 : problem("is not a database", "Choose another file name.");
    }
    if (id.number(0) == kApplicationId) return absl::OkStatus();
    if (tables.number(0) > 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database file ", filename_,
                       " belongs to another program (perhaps a genuine Temporal server). Choose "
                       "another file name."));
    }
    // Pages of deleted runs can be given back: that is settled before a file's first page.
    return execute("PRAGMA auto_vacuum=INCREMENTAL") &&
                   execute(absl::StrCat("PRAGMA application_id=", kApplicationId).c_str())
               ? absl::OkStatus()
               : problem("cannot be written", "Check its permissions and the free space.");
  }

  absl::Status prepare() {
    sqlite3* db = database_.get();
    const bool ok =
        put_event_.prepare(db,
                           "INSERT OR REPLACE INTO event(run, first_id, data) VALUES(?1,?2,?3)") ==
            SQLITE_OK &&
        put_run_.prepare(
            db,
            "INSERT INTO run(number, run_id, namespace_id, workflow_id, closed, side) "
            "VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT(number) DO UPDATE SET closed=?5, side=?6") ==
            SQLITE_OK &&
        put_row_.prepare(
            db, "INSERT OR REPLACE INTO run_row(run, tab, key, data) VALUES(?1,?2,?3,?4)") ==
            SQLITE_OK &&
        erase_row_.prepare(db, "DELETE FROM run_row WHERE run=?1 AND tab=?2 AND key=?3") ==
            SQLITE_OK &&
        put_value_.prepare(db, "INSERT OR REPLACE INTO value(tab, key, data) VALUES(?1,?2,?3)") ==
            SQLITE_OK &&
        erase_value_.prepare(db, "DELETE FROM value WHERE tab=?1 AND key=?2") == SQLITE_OK &&
        erase_run_.prepare(db, "DELETE FROM run WHERE number=?1") == SQLITE_OK &&
        erase_events_.prepare(db, "DELETE FROM event WHERE run=?1") == SQLITE_OK &&
        erase_rows_.prepare(db, "DELETE FROM run_row WHERE run=?1") == SQLITE_OK;
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
    const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
    for (const auto& r : batch.runs) {
      ok = ok && put_run_.number(1, number(r.number))
                     .text(2, r.run_id)
                     .text(3, r.namespace_id)
                     .text(4, r.workflow_id)
                     .number(5, r.closed)
                     .blob(6, r.side)
                     .run();
    }
    for (const auto& e : batch.events)
      ok = ok && put_event_.number(1, number(e.run)).number(2, e.first_id).blob(3, e.history).run();
    for (const auto& r : batch.rows) {
      Statement& row = r.erase ? erase_row_ : put_row_;
      row.number(1, number(r.run)).text(2, r.table).text(3, r.key);
      if (!r.erase) row.blob(4, r.value);
      ok = ok && row.run();
    }
    for (const auto& v : batch.values) {
      ok = ok && (v.erase ? erase_value_.text(1, v.table).text(2, v.key).run()
                          : put_value_.text(1, v.table).text(2, v.key).blob(3, v.value).run());
    }
    for (const auto& run : batch.deleted_runs) {
      for (Statement* erase : {&erase_run_, &erase_events_, &erase_rows_})
        ok = ok && erase->number(1, number(run.number)).run();
      ++deleted_;
    }
    return ok;
  }

  // The rows of lists: of a run that changed several times only the last one.
  bool show(const std::vector<Handed>& handed) {
    absl::flat_hash_map<absl::string_view, const visibility::Entry*> last;
    bool ok = true;
    for (const Handed& one : handed) {
      for (const visibility::Entry& entry : one.batch.shown) last[entry.run_id] = &entry;
      for (const auto& run : one.batch.deleted_runs) {
        last.erase(run.run_id);
        ok = ok && index_->erase(run.run_id);
      }
    }
    for (const auto& [run_id, entry] : last) ok = ok && index_->put(*entry);
    return ok;
  }

  absl::Status write_all(std::vector<Handed>& handed) {
    bool changes = false;
    for (const Handed& one : handed) changes = changes || !one.batch.empty();
    if (!changes) return absl::OkStatus();
    bool ok = execute("BEGIN IMMEDIATE");
    for (Handed& one : handed) ok = ok && write(one.batch);
    if (ok && show(handed) && execute("COMMIT")) return absl::OkStatus();
    absl::Status status = absl::UnavailableError(absl::StrCat(
        "the database file ", filename_, " cannot be written (", sqlite3_errmsg(database_.get()),
        "). Free space on its disk, or mend its permissions: the server goes on by itself then."));
    if (sqlite3_get_autocommit(database_.get()) == 0) execute("ROLLBACK");
    // It remembers what the transaction made.
    if (auto index = visibility::IndexWriter::open(database_.get()); index.ok())
      index_ = *std::move(index);
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
    while (unwritten.empty() && deleted_ > 0 && !wake_.wait_for(lock, kIdle, ready)) {
      lock.unlock();
      give_back();
      lock.lock();
    }
    if (unwritten.empty())
      wake_.wait(lock, ready);
    else
      wake_.wait_for(lock, kRetryAfter, ready);
    if (stopping_ && queue_.empty()) return false;
    taken_ += queue_.size();
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
      if (status.ok()) {
        unwritten.clear();
        note_written(std::exchange(taken_, 0));
      } else {
        std::erase_if(unwritten, [](const Handed& one) { return one.batch.empty(); });
      }
      if (deleted_ >= kGiveBackAfter) give_back();
    }
    if (!unwritten.empty()) {
      core::log(core::LogLevel::kError, "server",
                "the server stops with unwritten changes; their callers know");
    }
  }

  // Pages that deletions have freed go back to the system, some at a time: commits wait for it.
  void give_back() {
    execute("PRAGMA incremental_vacuum(5000)");
    execute("PRAGMA wal_checkpoint(TRUNCATE)");
    Statement free_pages;
    const bool more = free_pages.prepare(database_.get(), "PRAGMA freelist_count") == SQLITE_OK &&
                      free_pages.next() && free_pages.number(0) > 0 && can_shrink_;
    deleted_ = more ? 1 : 0;
  }

  const std::string filename_;
  FileLock lock_;  // Outlives the connections: to close the file ends their locks.
  Database database_;
  Statement put_event_, put_run_, put_row_, erase_row_, put_value_, erase_value_;
  Statement erase_run_, erase_events_, erase_rows_;
  std::unique_ptr<visibility::IndexWriter> index_;
  std::int64_t deleted_ = 0;  // Since pages were given back. Writer thread.
  std::uint64_t taken_ = 0;   // Commits that wait to be written. Writer thread.
  bool can_shrink_ = false;   // Not a file of the first layout.
  SqliteReading reading_;     // Loop thread.
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
