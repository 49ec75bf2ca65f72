// Batches, one operation on many executions, which the server does by and by:
//
//   BatchHandle batch = client.start_batch(
//       BatchSignal{.name = "stop"}, {.query = "WorkflowType = 'Order'", .reason = "closing"});
//   const BatchDescription so_far = batch.describe();
#ifndef CHIMERA_BATCH_H_
#define CHIMERA_BATCH_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chimera/client_options.h"
#include "chimera/executions.h"

namespace chimera {

struct BatchTerminate {
  std::vector<Payload> details = {};  // By make_payload().
};
struct BatchCancel {};
struct BatchSignal {
  std::string name = {};
  std::vector<Payload> args = {};  // By make_payload().
};
struct BatchDelete {};  // Open ones are terminated first.
struct BatchReset {
  ResetTo to = ResetTo::kLastWorkflowTask;  // Not kEvent.
  // Instead: to the first workflow task that this build has completed.
  std::string build_id = {};
  bool current_run_only = false;  // Of a build, look in no earlier run of the chain.
  std::vector<ResetExclude> exclude = {};
  std::vector<PostResetOperation> post_reset_operations = {};
};
using BatchUpdateOptions = WorkflowExecutionOptionsUpdate;
struct BatchUnpauseActivities {
  std::string activity_type = {};  // Empty: of all types.
  bool reset_attempts = false;     // They begin to count anew,
  bool reset_heartbeat = false;    // and find no heartbeat details.
  Duration jitter{};               // Each begins by chance up to so much later.
};
using BatchOperation = std::variant<BatchTerminate, BatchCancel, BatchSignal, BatchDelete,
                                    BatchReset, BatchUpdateOptions, BatchUnpauseActivities>;

struct BatchExecution {
  std::string workflow_id = {};
  std::string run_id = {};  // Empty: the one that is current.
};

// What to do it to: what a list filter finds when the batch begins, or these executions.
struct BatchOptions {
  std::string query = {};
  std::vector<BatchExecution> executions = {};
  std::string reason = {};              // Required.
  std::string job_id = {};              // A random one when empty.
  float max_operations_per_second = 0;  // 0: as many as the server likes.
};

enum class BatchState { kUnspecified = 0, kRunning = 1, kCompleted = 2, kFailed = 3 };
enum class BatchType {
  kUnspecified = 0,
  kTerminate = 1,
  kCancel = 2,
  kSignal = 3,
  kDelete = 4,
  kReset = 5,
  kUpdateOptions = 6,
  kUnpauseActivities = 7,
  kUpdateActivityOptions = 8,
  kResetActivities = 9,
};

struct BatchDescription {
  std::string job_id;
  BatchType type = BatchType::kUnspecified;
  BatchState state = BatchState::kUnspecified;
  Time start_time, close_time;  // The epoch while it runs.
  std::int64_t total = 0, completed = 0, failed = 0;
  std::string identity, reason;  // Of who started it, and why.
};

struct BatchListEntry {
  std::string job_id;
  BatchState state = BatchState::kUnspecified;
  Time start_time, close_time;
};

// A batch that exists, or did. Calls block, and throw RpcError; any thread, cheap to copy, not from
// workflow code.
class BatchHandle {
 public:
  BatchHandle(detail::ClientPtr client, std::string job_id)
      : client_(std::move(client)), job_id_(std::move(job_id)) {}
  const std::string& job_id() const { return job_id_; }
  // The same handle, whose calls have these options.
  BatchHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), job_id_};
  }

  BatchDescription describe() const;
  // What it has done stays done. Throws std::invalid_argument without a reason.
  void stop(const std::string& reason) const;

 private:
  detail::ClientPtr client_;
  std::string job_id_;
};

}  // namespace chimera

#endif  // CHIMERA_BATCH_H_
