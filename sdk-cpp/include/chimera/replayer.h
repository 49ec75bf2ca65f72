// Replayer, which runs recorded histories through workflow code without a server: the test that a
// change of a workflow's code does not break the runs under way.
//   chimera::Replayer replayer;
//   replayer.add(kOrder);
//   replayer.replay(chimera::WorkflowHistory::from_json(text));
//   const auto report = replayer.replay_files("tests/histories");
//   EXPECT_TRUE(report.ok()) << report.text();
#ifndef CHIMERA_REPLAYER_H_
#define CHIMERA_REPLAYER_H_

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/codec.h"
#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/external_storage.h"
#include "chimera/workflow.h"

namespace chimera {

class Client;
class FailureConverter;
class Interceptor;

// A run's events. Immutable; copies share.
class WorkflowHistory {
 public:
  // As WorkflowHandle::fetch_history(), the web UI and `temporal workflow show --output json` write
  // it. Both throw std::invalid_argument that says what is wrong with the text. An empty id is
  // taken from the history where that holds it.
  static WorkflowHistory from_json(std::string_view json, std::string workflow_id = "");
  // A serialized temporal.api.history.v1.History.
  static WorkflowHistory from_binary(std::string_view bytes, std::string workflow_id = "");

  const std::string& workflow_id() const;
  const std::string& workflow_type() const;
  std::size_t size() const;  // Events.

 private:
  friend class Replayer;
  class State;
  explicit WorkflowHistory(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// The code would have failed the history's last workflow task, or one before: what() says why.
class ReplayError : public TemporalError {
 public:
  explicit ReplayError(std::string what) : TemporalError(std::move(what)) {}
};
// History and code disagree: what() is the report that docs/errors.md shows, TMPRL1100.
class NondeterminismError : public ReplayError {
 public:
  using ReplayError::ReplayError;
};

struct ReplayerOptions {
  std::string namespace_ = "ReplayNamespace";  // What workflow::info() says,
  std::string task_queue = "ReplayTaskQueue";  // as of this.
  // Those of the client that the workers have.
  std::shared_ptr<const PayloadCodec> payload_codec = {};
  std::shared_ptr<const FailureConverter> failure_converter = {};
  ExternalStorage external_storage = {};
  std::size_t workflow_stack_bytes = std::size_t{1} << 20;  // As WorkerOptions'.
  FailureExceptions workflow_failure_exceptions = {};       // As the workers'.
  // Those of the workers, where they have a part in what the code does.
  std::vector<std::shared_ptr<Interceptor>> interceptors = {};
};

// One history of several, and whether the code agrees with it.
struct ReplayResult {
  std::string source;                      // The file, or "workflow ID, run RUN".
  std::string workflow_id, workflow_type;  // Empty where the history could not be read.
  std::exception_ptr error = {};           // What replay() or the reading threw; null: it agrees.
  std::string message = {};                // Its what().
  bool ok() const { return error == nullptr; }
};

struct ReplayReport {
  std::vector<ReplayResult> results;
  bool ok() const { return failures() == 0; }
  std::size_t failures() const;
  // "2 of 3 histories replay", and a paragraph for each that does not.
  std::string text() const;
};

// Add, then replay. One thread uses a replayer; each replay runs on it. Activities are not needed.
class Replayer : public Registry {
 public:
  explicit Replayer(ReplayerOptions options = {});
  ~Replayer();
  Replayer(Replayer&&) noexcept;

  // Throws NondeterminismError or ReplayError; std::invalid_argument if the workflow's type was not
  // added.
  void replay(const WorkflowHistory& history);

  // The rest replay all that they find, whatever some of it throws, and throw only when there is
  // nothing to replay: a test that replays nothing would pass for ever.

  // A JSON file, or those (*.json) of a folder and the folders in it, by name.
  ReplayReport replay_files(const std::string& path);
  // The histories of the executions that a list filter finds ("WorkflowType = 'Order'"), newest
  // first and at most `limit` of them, as client.list_workflows() does. Throws RpcError, too.
  ReplayReport replay_workflows(const Client& client, const std::string& query,
                                std::size_t limit = 1000);

 private:
  ReplayResult try_replay(std::string source, const std::string& json,
                          const std::string& workflow_id);

  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chimera

#endif  // CHIMERA_REPLAYER_H_
