// ResetSession, a session whose client resets runs.
#ifndef CHIMERA_TESTS_CONFORMANCE_RESET_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_RESET_SESSION_H_

#include <functional>
#include <string>

#include "tests/conformance/session.h"

namespace chimera::conformance {

class ResetSession : public Session {
 protected:
  using Request = wf::ResetWorkflowExecutionRequest;

  Request reset_request(const std::string& run_id, std::int64_t finish_id) {
    Request request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution(run_id);
    request.set_reason("again");
    request.set_workflow_task_finish_event_id(finish_id);
    request.set_request_id(absl::StrCat(id, "-reset-", ++resets_));
    return request;
  }

  std::string reset(const std::string& run_id, std::int64_t finish_id,
                    const std::function<void(Request&)>& change = {}) {
    Request request = reset_request(run_id, finish_id);
    if (change) change(request);
    auto reply = rpc<wf::ResetWorkflowExecutionResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->run_id() : "";
  }

  // The signals' names in a run, in order.
  std::string signals(const std::string& run_id) {
    std::string names;
    for (const HistoryEvent& event : history(run_id)) {
      if (event.has_workflow_execution_signaled_event_attributes())
        names += event.workflow_execution_signaled_event_attributes().signal_name() + " ";
    }
    return names;
  }

 private:
  int resets_ = 0;
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_RESET_SESSION_H_
