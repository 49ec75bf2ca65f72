// Batches, the batch operations of a server that are under way. A batch is a run, as in the genuine
// server, but one without a worker: its start holds the request, its end what became of it. Here is
// what it has still to do; that and what was done to the executions is stored together, so that
// after a restart it goes on behind the last one. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_BATCHES_H_
#define CHIMERA_SERVER_ENGINE_BATCHES_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "server/engine/run/run.h"
#include "server/timers/timer_heap.h"
#include "server/visibility/entry.h"

namespace chimera::server {

class Engine;

// The genuine server's names (1.29, 1.32).
inline constexpr char kBatchDivision[] = "TemporalBatcher";
inline constexpr char kBatchType[] = "temporal-sys-batch-workflow-protobuf";
inline constexpr char kBatchQueue[] = "temporal-sys-per-ns-tq";
inline constexpr char kBatchReason[] = "batch_operation_reason";  // In its memo.

using BatchRequest = wf::StartBatchOperationRequest;

class Batches {
 public:
  // Does a batch's operation to one execution, now. kNotFound: there is nothing to do; what may
  // pass (kResourceExhausted, kUnavailable) is tried again. `batch`: its run id.
  using Operate = absl::Status (*)(Engine& engine, const std::string& batch,
                                   const BatchRequest& request,
                                   const common::WorkflowExecution& execution);

  explicit Batches(Engine& engine);
  ~Batches();
  void configure(Operate operate) { operate_ = operate; }  // Before recovery.

  std::size_t under_way(const Namespace& ns) const;
  // Makes its run. The request has been checked; its job id is free.
  void start(Namespace& ns, BatchRequest request, const std::string& identity, common::Memo memo);
  struct Progress {
    std::int64_t total = 0, complete = 0, failed = 0;
  };
  // Of one that is under way; null: it is not.
  const Progress* progress(const Run& run) const;
  // What the run was started with; nothing if it is no batch.
  static std::optional<BatchRequest> request_of(const Run& run);
  static bool of_activities(const BatchRequest& request);  // Which stand alone.

  // --- The store.
  static constexpr char kTable[] = "batch";
  absl::Status restore(const std::string& key, const std::string& value);
  void resume();  // When runs are there.

 private:
  struct Batch;

  Batch* find(const std::string& run_id);
  Batch& add(const std::string& run_id);
  // By value: what calls them goes with the batch.
  void erase(std::string run_id);
  void save(Batch& batch);

  // Does some of what there is to do; then its turn comes again.
  void advance(std::string run_id);
  void work(Batch& batch, const Run& run);
  bool may_go_on(Batch& batch);  // By its rate; false: a timer brings it back.
  // The next execution; none: the page is done.
  std::optional<common::WorkflowExecution> next(Batch& batch);
  void pass(Batch& batch);  // The next one is done.
  bool has_more(const Batch& batch) const;
  void count(const std::string& run_id, Batch& batch, const Run& run);
  void fetch(const std::string& run_id, Batch& batch, const Run& run);
  void complete(const std::string& run_id, const Run& run);
  void fail(const std::string& run_id, const absl::Status& why);

  Engine& engine_;
  Operate operate_ = nullptr;
  absl::flat_hash_map<std::string, std::unique_ptr<Batch>> all_;  // By run id.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_BATCHES_H_
