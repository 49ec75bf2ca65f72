// Caller, raw requests to a server that may be killed at any moment. Any thread.
#ifndef CHIMERA_TESTS_CHAOS_CALLER_H_
#define CHIMERA_TESTS_CHAOS_CALLER_H_

#include <chrono>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "tests/chaos/server_process.h"

namespace chimera::chaos {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using api::history::v1::HistoryEvent;
using std::chrono::milliseconds;

inline constexpr char kNamespace[] = "default";
inline constexpr char kQueue[] = "load";
inline constexpr char kStickyQueue[] = "load-sticky";

class Caller {
 public:
  explicit Caller(ServerProcess& server) : server_(server) {}

  // One try against the server that lives now.
  template <class Reply, class Request>
  absl::StatusOr<Reply> once(const Request& request, milliseconds timeout = milliseconds(5000)) {
    auto connection = server_.connection();
    if (connection == nullptr) return absl::AbortedError("the test is over");
    std::string name = Request::descriptor()->name();
    name.resize(name.size() - std::string("Request").size());
    const std::string path =
        absl::StrCat("/temporal.api.workflowservice.v1.WorkflowService/", name);
    Reply reply;
    absl::Status status = connection->call_blocking(path, request, reply,
                                                    {.retry = core::RetryClass::kNone,
                                                     .timeout = timeout,
                                                     .metadata = {},
                                                     .namespace_ = kNamespace});
    if (!status.ok()) return status;
    return reply;
  }

  // Again and again until a server has answered.
  template <class Reply, class Request>
  absl::StatusOr<Reply> until_answered(const Request& request) {
    for (;;) {
      absl::StatusOr<Reply> reply = once<Reply>(request);
      switch (reply.status().code()) {
        case absl::StatusCode::kUnavailable:
        case absl::StatusCode::kCancelled:
        case absl::StatusCode::kDeadlineExceeded:
          break;
        default:
          return reply;
      }
    }
  }

  // All events of a run; empty if a call failed.
  std::vector<HistoryEvent> history(const std::string& workflow_id, const std::string& run_id) {
    wf::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_execution()->set_workflow_id(workflow_id);
    request.mutable_execution()->set_run_id(run_id);
    std::vector<HistoryEvent> events;
    do {
      auto reply = once<wf::GetWorkflowExecutionHistoryResponse>(request);
      if (!reply.ok()) return {};
      for (auto& event : *reply->mutable_history()->mutable_events())
        events.push_back(std::move(event));
      request.set_next_page_token(reply->next_page_token());
    } while (!request.next_page_token().empty());
    return events;
  }

 private:
  ServerProcess& server_;
};

inline api::common::v1::Payloads text_payload(const std::string& text) {
  api::common::v1::Payloads payloads;
  auto& payload = *payloads.add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(absl::StrCat("\"", text, "\""));
  return payloads;
}

inline std::string text_of(const api::common::v1::Payloads& payloads) {
  if (payloads.payloads_size() == 0 || payloads.payloads(0).data().size() < 2) return {};
  const std::string& quoted = payloads.payloads(0).data();
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace chimera::chaos

#endif  // CHIMERA_TESTS_CHAOS_CALLER_H_
