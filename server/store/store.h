// Store, where a server's changes go: into memory, or into a SQLite file. The loop hands over one
// batch per turn and hears when it is durable. What has closed is kept here alone, and read back
// when it is asked for.
#ifndef CHIMERA_SERVER_STORE_STORE_H_
#define CHIMERA_SERVER_STORE_STORE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "server/visibility/entry.h"

namespace chimera::server {

// A run goes by its number: 1, 2, ... in the order of creation.
struct WriteBatch {
  struct Events {
    std::uint64_t run = 0;
    std::int64_t first_id = 0;
    std::string history;  // Serialized History: one batch of it.
  };
  struct RunRecord {
    std::uint64_t number = 0;
    std::string run_id, namespace_id, workflow_id;
    std::int64_t closed = 0;  // When, in nanoseconds since 1970; 0: it is open.
    std::string side;         // What events do not tell, as the engine encodes it.
  };
  // Of what a run has open, each a row, so that a change of one writes only that one. They go with
  // their run.
  struct RunRow {
    std::uint64_t run = 0;
    std::string table, key, value;
    bool erase = false;
  };
  struct KeyValue {
    std::string table, key, value;
    bool erase = false;
  };
  struct DeletedRun {
    std::uint64_t number = 0;
    std::string run_id;
  };
  std::vector<RunRecord> runs;
  std::vector<Events> events;
  std::vector<RunRow> rows;
  std::vector<visibility::Entry> shown;  // For a store that keeps the index of executions.
  std::vector<DeletedRun> deleted_runs;
  std::vector<KeyValue> values;
  bool empty() const {
    return events.empty() && runs.empty() && rows.empty() && shown.empty() &&
           deleted_runs.empty() && values.empty();
  }
};

struct StoredRun {
  WriteBatch::RunRecord record;
  std::vector<std::string> batches;  // Serialized History each.
  std::vector<WriteBatch::RunRow> rows;
};

// What a file held when it was opened.
struct StoredState {
  std::vector<StoredRun> runs;    // Those that are open, in the order of their creation.
  std::uint64_t last_number = 0;  // Of all runs, closed ones too.
  std::vector<WriteBatch::KeyValue> values;
};

// Loop thread, but for what says otherwise.
class Store {
 public:
  // Runs once, with what became of the batch. After an error the changes are kept and written as
  // soon as that is possible again. On a thread of the store's, or inside commit().
  using Written = absl::AnyInvocable<void(const absl::Status&) &&>;

  // Everything handed over is durable (or lost with a message, after an error), and whoever handed
  // it over has heard.
  virtual ~Store() = default;
  // Whether it wants the changes of open runs, too.
  virtual bool durable() const = 0;
  virtual void commit(WriteBatch batch, Written written) = 0;
  virtual absl::StatusOr<StoredState> load() = 0;
  // kUnavailable, with the reason, while changes cannot be made durable. Any thread.
  virtual absl::Status health() const { return absl::OkStatus(); }

  // The file that has the index of executions, which then is this store's to write; empty: none.
  virtual const std::string& index_filename() const {
    static const auto* none = new std::string;
    return *none;
  }
  bool keeps_index() const { return !index_filename().empty(); }

  // Commits so far, and how many of them have been written, which is what can be read back.
  std::uint64_t committed() const { return committed_; }
  std::uint64_t written() const { return written_.load(std::memory_order_acquire); }

  // --- Of what was written.
  // Nothing if it has no such run; what cannot be read is logged as an error and nothing as well.
  virtual std::optional<StoredRun> read(const std::string& run_id) {
    static_cast<void>(run_id);
    return std::nullopt;
  }
  struct Place {
    std::uint64_t number = 0;
    std::string run_id;
  };
  // The youngest run of a workflow id among those that are not passed over.
  virtual std::optional<Place> newest(const std::string& namespace_id,
                                      const std::string& workflow_id,
                                      absl::FunctionRef<bool(std::uint64_t)> passed_over) {
    static_cast<void>(namespace_id), static_cast<void>(workflow_id);
    static_cast<void>(passed_over);
    return std::nullopt;
  }
  struct ClosedRun {
    std::uint64_t number = 0;
    std::string run_id;
    std::int64_t closed = 0;  // Nanoseconds since 1970.
  };
  // Those of a namespace that closed first, at most so many.
  virtual std::vector<ClosedRun> first_closed(const std::string& namespace_id, int limit) {
    static_cast<void>(namespace_id), static_cast<void>(limit);
    return {};
  }

 protected:
  void note_commit() { ++committed_; }
  void note_written(std::uint64_t commits) {
    written_.fetch_add(commits, std::memory_order_release);
  }

 private:
  std::uint64_t committed_ = 0;
  std::atomic<std::uint64_t> written_{0};
};

std::unique_ptr<Store> make_memory_store();

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_STORE_STORE_H_
