#include "sdk-cpp/src/testing/own_clock.h"

#include <chrono>
#include <stdexcept>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/rpc_parts.h"

namespace chimera::sdk {
namespace {

namespace ws = api::workflowservice::v1;
namespace enums = api::enums::v1;

std::string doing(const std::string& id) {
  return absl::StrCat("cannot fast-forward workflow '", id, "'");
}

// Until the answer tells how it ended.
ws::PollWorkflowExecutionTimeSkippingResponse wait_for(
    detail::ClientState& client, const ws::PollWorkflowExecutionTimeSkippingRequest& request) {
  constexpr std::chrono::minutes kPoll{1};  // Longer than a server waits.
  for (;;) {
    ws::PollWorkflowExecutionTimeSkippingResponse reply;
    client.must(doing(request.workflow_execution().workflow_id()),
                CHIMERA_WORKFLOW_SERVICE(PollWorkflowExecutionTimeSkipping), request, reply, kPoll);
    if (reply.fast_forward_polling_result() != enums::FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT)
      return reply;
  }
}

}  // namespace

std::optional<Time> clock_of(detail::ClientState& client, const std::string& id,
                             const std::string& run_id) {
  ws::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(client.namespace_);
  request.mutable_execution()->set_workflow_id(id);
  request.mutable_execution()->set_run_id(run_id);
  ws::DescribeWorkflowExecutionResponse reply;
  client.must(absl::StrCat("cannot tell the time of workflow '", id, "'"),
              CHIMERA_WORKFLOW_SERVICE(DescribeWorkflowExecution), request, reply);
  const auto& info = reply.workflow_extended_info();
  if (!info.has_time_skipping_info()) return std::nullopt;
  return base::to_wall_time(info.time_skipping_info().current_time());
}

bool forward_clock(detail::ClientState& client, const std::string& id, const std::string& run_id,
                   Duration time, const TimeSkippingConfig& skipping) {
  if (time <= Duration{0}) {
    throw std::invalid_argument(absl::StrCat("chimera::TestEnvironment::fast_forward: time is ",
                                             std::chrono::duration<double>(time).count(),
                                             " s; it must be positive"));
  }
  const std::string forward_id = random_id();
  ws::UpdateWorkflowExecutionOptionsRequest update;
  update.set_namespace_(client.namespace_);
  update.set_identity(client.connection->options().identity);
  update.mutable_workflow_execution()->set_workflow_id(id);
  update.mutable_workflow_execution()->set_run_id(run_id);
  auto& config = *update.mutable_workflow_execution_options()->mutable_time_skipping_config();
  write_time_skipping(skipping, config);
  config.mutable_fast_forward_config()->set_id(forward_id);
  base::set_duration(time, *config.mutable_fast_forward_config()->mutable_duration());
  update.mutable_update_mask()->add_paths("time_skipping_config");
  ws::UpdateWorkflowExecutionOptionsResponse updated;
  client.must(doing(id), CHIMERA_WORKFLOW_SERVICE(UpdateWorkflowExecutionOptions), update, updated);

  // Of the current run: it follows a chain of runs.
  ws::PollWorkflowExecutionTimeSkippingRequest poll;
  poll.set_namespace_(client.namespace_);
  poll.set_fast_forward_id(forward_id);
  poll.mutable_workflow_execution()->set_workflow_id(id);
  const auto reply = wait_for(client, poll);
  if (reply.fast_forward_polling_result() ==
      enums::FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED)
    return true;
  // The server tells reasons in words alone.
  const auto failed_as = [&reply](const char* words) {
    return absl::StrContains(reply.failed_reason(), words);
  };
  if (failed_as("execution ended")) return false;
  const bool replaced = failed_as("fast_forward_id does not match") || failed_as("was reset");
  throw std::runtime_error(absl::StrCat(
      doing(id), ": ", reply.failed_reason(),
      replaced ? ". Another call has taken the place of this one; let one end before the next"
               : ""));
}

}  // namespace chimera::sdk
