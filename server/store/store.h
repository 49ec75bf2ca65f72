// Store, where a server's changes go: nowhere (memory), or into a SQLite file. The loop hands over
// one batch per turn and hears when it is durable.
#ifndef CHIMERA_SERVER_STORE_STORE_H_
#define CHIMERA_SERVER_STORE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace chimera::server {

struct WriteBatch {
  struct Events {
    std::string run_id;
    std::int64_t first_id = 0;
    std::string history;  // Serialized History.
  };
  struct RunRecord {
    std::string run_id, namespace_id, workflow_id;
    bool open = true;
    std::string side;  // What events do not tell, as the engine encodes it.
  };
  struct KeyValue {
    std::string table, key, value;
    bool erase = false;
  };
  std::vector<Events> events;
  std::vector<RunRecord> runs;
  std::vector<std::string> deleted_runs;
  std::vector<KeyValue> values;
  bool empty() const {
    return events.empty() && runs.empty() && deleted_runs.empty() && values.empty();
  }
};

// What a file held when it was opened.
struct StoredState {
  struct StoredRun {
    WriteBatch::RunRecord record;
    std::vector<std::string> batches;  // Serialized History each.
  };
  std::vector<StoredRun> runs;  // In the order of their creation.
  std::vector<WriteBatch::KeyValue> values;
};

// commit(): loop thread.
class Store {
 public:
  // Runs once, with what became of the batch. After an error the changes are kept and written as
  // soon as that is possible again. On a thread of the store's, or inside commit().
  using Written = absl::AnyInvocable<void(const absl::Status&) &&>;

  // Everything handed over is durable (or lost with a message, after an error), and whoever handed
  // it over has heard.
  virtual ~Store() = default;
  virtual bool durable() const = 0;
  virtual void commit(WriteBatch batch, Written written) = 0;
  virtual absl::StatusOr<StoredState> load() = 0;
  // kUnavailable, with the reason, while changes cannot be made durable. Any thread.
  virtual absl::Status health() const { return absl::OkStatus(); }
};

std::unique_ptr<Store> make_memory_store();

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_STORE_STORE_H_
