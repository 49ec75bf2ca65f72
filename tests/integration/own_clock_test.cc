// A workflow whose own clock skips what it waits for, on a C++ worker, and its history in replay.
#include "chimera/replayer.h"
#include "sdk-cpp/src/client_state.h"
#include "tests/integration/world.h"

namespace chimera::integration {
namespace {

namespace wf = api::workflowservice::v1;

struct Sleepy {
  std::int64_t run() {
    const Time begin = workflow::now();
    for (int i = 0; i < 3; ++i) workflow::sleep(240h);
    return std::chrono::duration_cast<std::chrono::hours>(workflow::now() - begin).count();
  }
};
const auto kSleepy = define_workflow<&Sleepy::run>("Sleepy");

class OwnClockTest : public World {
 protected:
  OwnClockTest() : World({{"frontend.WorkflowTimeSkippingEnabled", "true"}}) {}

  absl::Status skip(const std::string& id) {
    wf::UpdateWorkflowExecutionOptionsRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.mutable_update_mask()->add_paths("time_skipping_config");
    request.mutable_workflow_execution_options()->mutable_time_skipping_config()->set_enabled(true);
    wf::UpdateWorkflowExecutionOptionsResponse reply;
    return client_.state()->connection->call_blocking(
        CHIMERA_WORKFLOW_SERVICE(UpdateWorkflowExecutionOptions), request, reply);
  }
};

TEST_F(OwnClockTest, TakesNoTimeAndReplays) {
  Worker worker(client_, options());
  worker.add(kSleepy);
  worker.start();
  auto handle = client_.start_workflow<kSleepy>(start("sleepy"));
  wait_for("sleepy", api::enums::v1::EVENT_TYPE_TIMER_STARTED);

  ASSERT_TRUE(skip("sleepy").ok());

  EXPECT_GE(handle.result(), 720);
  wait_for("sleepy", api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED);
  Replayer replayer;
  replayer.add(kSleepy);
  const ReplayReport report = replayer.replay_workflows(client_, "WorkflowType = 'Sleepy'");
  EXPECT_TRUE(report.ok()) << report.text();
}

}  // namespace
}  // namespace chimera::integration
