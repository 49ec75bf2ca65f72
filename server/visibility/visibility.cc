#include "server/visibility/visibility.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include <malloc.h>
#include <sqlite3.h>

#include "core/base/check.h"
#include "server/visibility/index.h"

namespace chimera::server::visibility {
namespace {

// So many changes are written even when no one asks.
constexpr std::size_t kEnoughChanges = 512;
constexpr int kBusyMilliseconds = 1000;
constexpr std::size_t kTrimAfter = 5'000;  // Deletions.
// A query that takes longer is stopped: others wait for it.
constexpr std::chrono::seconds kQueryMax{10};
// In steps of SQLite's machine: some tenths of a millisecond.
constexpr int kLookAround = 5000;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};

}  // namespace

// A database in memory that writer and reader share, or a file that is only read.
class Visibility::Tables {
 public:
  // Any statement ends soon once `stopping` is set.
  Tables(const std::string& filename, const std::atomic<bool>& stopping) : stopping_(stopping) {
    status_ = open(filename);
  }

  void write(const Changes& changes) {
    if (!status_.ok() || changes.empty()) return;
    const auto run = [this](const char* sql) {
      return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
    };
    bool done = run("BEGIN");
    for (const auto& [run_id, entry] : changes) {
      done = done && (entry ? writer_->put(*entry) : writer_->erase(run_id));
      if (!entry) ++erased_;
    }
    done = run("COMMIT") && done;
    // The allocator keeps what is freed; of many deletions the system gets it back.
    if (erased_ >= kTrimAfter) {
      erased_ = 0;
      malloc_trim(0);
    }
    // Only memory can be short. An index that misses something must not be read any more.
    if (!done) {
      status_ = absl::UnavailableError(absl::StrCat("the index of executions cannot be written: ",
                                                    sqlite3_errmsg(database_.get())));
    }
  }

  void answer(Task task) {
    until_ = std::chrono::steady_clock::now() + kQueryMax;
    if (status_.ok()) {
      std::move(task)(reader_.get());
    } else {
      std::move(task)(status_);
    }
    until_ = kNoEnd;
  }

 private:
  static constexpr auto kNoEnd = std::chrono::steady_clock::time_point::max();

  static int is_enough(void* tables) {
    const auto& self = *static_cast<Tables*>(tables);
    return self.stopping_ || std::chrono::steady_clock::now() > self.until_;
  }

  absl::Status open(const std::string& filename) {
    sqlite3* raw = nullptr;
    const bool memory = filename.empty();
    const int access = memory ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    const int code = sqlite3_open_v2(memory ? ":memory:" : filename.c_str(), &raw,
                                     access | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(raw);
    if (code != SQLITE_OK) {
      return absl::UnavailableError(
          absl::StrCat("the index of executions cannot be opened: ", sqlite3_errmsg(raw)));
    }
    sqlite3_busy_timeout(raw, kBusyMilliseconds);
    sqlite3_progress_handler(raw, kLookAround, is_enough, this);
    if (memory) {
      // Pages of what is erased are freed.
      sqlite3_exec(raw, "PRAGMA journal_mode=OFF; PRAGMA auto_vacuum=FULL", nullptr, nullptr,
                   nullptr);
      auto writer = IndexWriter::open(raw);
      if (!writer.ok()) return writer.status();
      writer_ = *std::move(writer);
    }
    auto reader = IndexReader::open(raw);
    if (!reader.ok()) return reader.status();
    reader_ = *std::move(reader);
    return absl::OkStatus();
  }

  std::unique_ptr<sqlite3, CloseDatabase> database_;
  std::unique_ptr<IndexWriter> writer_;
  std::unique_ptr<IndexReader> reader_;
  absl::Status status_;
  std::size_t erased_ = 0;  // Since memory was given back.
  const std::atomic<bool>& stopping_;
  std::chrono::steady_clock::time_point until_ = kNoEnd;
};

Visibility::Visibility(bool apart, std::string filename)
    : apart_(apart), filename_(std::move(filename)) {}

Visibility::~Visibility() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Visibility::put(Entry entry) {
  std::string run_id = entry.run_id;
  change(std::move(run_id), std::move(entry));
}

void Visibility::erase(const std::string& run_id) { change(run_id, std::nullopt); }

void Visibility::change(std::string run_id, std::optional<Entry> entry) {
  CHIMERA_CHECK(filename_.empty(), run_id);
  bool enough;
  {
    std::lock_guard lock(mutex_);
    changes_[std::move(run_id)] = std::move(entry);
    enough = changes_.size() == kEnoughChanges;
  }
  if (enough) wake();
}

void Visibility::list(std::string namespace_id, Query query, int size, std::optional<Place> after,
                      Listed done) {
  ask([namespace_id = std::move(namespace_id), query = std::move(query), size,
       after = std::move(after),
       done = std::move(done)](absl::StatusOr<IndexReader*> reader) mutable {
    if (!reader.ok()) return std::move(done)(reader.status());
    std::move(done)((*reader)->list(namespace_id, query, size, after));
  });
}

void Visibility::count(std::string namespace_id, Query query, Counted done) {
  ask([namespace_id = std::move(namespace_id), query = std::move(query),
       done = std::move(done)](absl::StatusOr<IndexReader*> reader) mutable {
    if (!reader.ok()) return std::move(done)(reader.status());
    std::move(done)((*reader)->count(namespace_id, query));
  });
}

void Visibility::ask(Task task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake();
}

void Visibility::wake() {
  if (!apart_) {
    Changes changes;
    std::vector<Task> tasks;
    {
      std::lock_guard lock(mutex_);
      changes.swap(changes_);
      tasks.swap(tasks_);
    }
    return work(std::move(changes), std::move(tasks));
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_one();
}

void Visibility::run() {
  for (;;) {
    Changes changes;
    std::vector<Task> tasks;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] {
        return stopping_ || !tasks_.empty() || changes_.size() >= kEnoughChanges;
      });
      if (stopping_) return;
      changes.swap(changes_);
      tasks.swap(tasks_);
    }
    work(std::move(changes), std::move(tasks));
  }
}

void Visibility::work(Changes changes, std::vector<Task> tasks) {
  if (tables_ == nullptr) tables_ = std::make_unique<Tables>(filename_, stopping_);
  tables_->write(changes);
  for (Task& task : tasks) {
    if (!stopping_) tables_->answer(std::move(task));
  }
}

}  // namespace chimera::server::visibility
