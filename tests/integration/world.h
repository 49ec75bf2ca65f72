// World, an embedded server in this process, a client of it, and what the process logs meanwhile.
// Each case has a task queue of its own.
#ifndef CHIMERA_TESTS_INTEGRATION_WORLD_H_
#define CHIMERA_TESTS_INTEGRATION_WORLD_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/client.h"
#include "chimera/runtime.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"
#include "core/base/api.h"
#include "server/server.h"

namespace chimera::integration {

using api::history::v1::HistoryEvent;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class World : public ::testing::Test {
 protected:
  // `config`: dynamic configuration of the server.
  explicit World(std::map<std::string, std::string> config = {});
  ~World() override;

  // A worker's options for this case's queue; what goes wrong shows quickly.
  WorkerOptions options() const { return {.task_queue = queue, .deadlock_timeout = 5s}; }
  WorkflowOptions start(const std::string& id) const { return {.id = id, .task_queue = queue}; }
  static ActivityOptions once() {
    return {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.maximum_attempts = 1}};
  }

  // Waits for the run's first event of the type; fails the case if the run ends without one.
  HistoryEvent wait_for(const std::string& id, api::enums::v1::EventType type);
  // Waits for a failed workflow task, checks that the workflow itself goes on, and ends it.
  std::string task_failure(const std::string& id);
  // The messages of the process's log that contain the text, each with its fields behind it.
  std::vector<std::string> logged(const std::string& text);
  // What the workflow's failure came from.
  template <class R>
  static std::string failure_of(const WorkflowHandle<R>& handle) {
    try {
      handle.result();
    } catch (const WorkflowFailureError& error) {
      return error.what();
    }
    return "the workflow completed";
  }

  const std::string queue;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<const Runtime> runtime_;  // Serves metrics on a free port.
  Client client_{nullptr};

 private:
  absl::Mutex mutex_;
  std::vector<std::string> log_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::integration

#endif  // CHIMERA_TESTS_INTEGRATION_WORLD_H_
