#include "sdk-cpp/src/nexus_workflow.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "chimera/client.h"
#include "chimera/nexus.h"
#include "sdk-cpp/src/nexus_context.h"

namespace chimera::sdk {
namespace {

namespace ws = api::workflowservice::v1;

constexpr int kWorkflow = 1;
constexpr char kTokenHeader[] = "nexus-operation-token";

// The names of its members are those of the JSON.
struct TokenJson {
  int t = 0;
  std::string ns, wid;
};
struct TokenVersion {  // Only later versions have one.
  std::optional<int> v;
};

Payload json(std::string text) {
  return {.metadata = {{"encoding", "json/plain"}}, .data = std::move(text)};
}

[[noreturn]] void refuse_token(const std::string& why) {
  throw nexus::HandlerError(
      nexus::HandlerErrorType::kNotFound,
      absl::StrCat("this operation token is of no workflow that this worker could cancel: ", why));
}

// The caller of the handler's calls.
NexusContext* start_under_way() {
  NexusContext* const context = NexusContext::current_or_null();
  return context != nullptr && context->request().has_start_operation() ? context : nullptr;
}

template <class Request>
void put_links(const NexusContext& context, Request& request) {
  for (ProtoLink& link : context.request_links()) *request.add_links() = std::move(link);
}

void take(const ProtoLink& link) {
  NexusContext* const context = start_under_way();
  if (context == nullptr) return;
  if (auto shown = to_public(link)) context->add_link(*std::move(shown));
}

}  // namespace

std::string write_token(const NexusWorkflowToken& token) {
  return absl::WebSafeBase64Escape(absl::StrCat(R"({"t":)", kWorkflow, R"(,"ns":)",
                                                make_payload(token.namespace_).data, R"(,"wid":)",
                                                make_payload(token.workflow_id).data, "}"));
}

NexusWorkflowToken read_token(const std::string& token) {
  std::string text;
  if (token.empty() || !absl::WebSafeBase64Unescape(token, &text))
    refuse_token("it is not base64url");
  try {
    if (from_payload<TokenVersion>(json(text)).v.value_or(0) != 0)
      refuse_token("it is of a later version");
    auto read = from_payload<TokenJson>(json(std::move(text)));
    if (read.t != kWorkflow) refuse_token(absl::StrCat("it is of type ", read.t));
    if (read.wid.empty()) refuse_token("it has no workflow id");
    return {std::move(read.ns), std::move(read.wid)};
  } catch (const ConversionError& error) {
    refuse_token(error.what());
  }
}

void put_nexus_request(ws::StartWorkflowExecutionRequest& request) {
  NexusContext* const context = start_under_way();
  if (context == nullptr) return;
  put_links(*context, request);  // Older servers read them here.
  const nexus::Info& info = context->info();
  if (std::exchange(context->backing, false)) {
    if (!info.request_id.empty()) request.set_request_id(info.request_id);
    if (!info.callback_url.empty()) {
      auto& callback = *request.add_completion_callbacks();
      callback.mutable_nexus()->set_url(info.callback_url);
      auto& header = *callback.mutable_nexus()->mutable_header();
      header.insert(info.callback_headers.begin(), info.callback_headers.end());
      header[kTokenHeader] = write_token({request.namespace_(), request.workflow_id()});
      *callback.mutable_links() = request.links();
    }
  }
  if (request.links().empty() && request.completion_callbacks().empty()) return;
  auto& conflict = *request.mutable_on_conflict_options();
  conflict.set_attach_request_id(true);
  conflict.set_attach_completion_callbacks(true);
  conflict.set_attach_links(true);
}

void put_nexus_request(ws::SignalWorkflowExecutionRequest& request) {
  if (const NexusContext* const context = start_under_way()) put_links(*context, request);
}
void put_nexus_request(ws::SignalWithStartWorkflowExecutionRequest& request) {
  if (const NexusContext* const context = start_under_way()) put_links(*context, request);
}

void take_nexus_links(const ws::StartWorkflowExecutionRequest& request,
                      const ws::StartWorkflowExecutionResponse& response) {
  if (start_under_way() == nullptr) return;
  if (response.has_link()) return take(response.link());
  ProtoLink link;
  auto& event = *link.mutable_workflow_event();
  event.set_namespace_(request.namespace_());
  event.set_workflow_id(request.workflow_id());
  event.set_run_id(response.run_id());
  event.mutable_request_id_ref()->set_request_id(request.request_id());
  event.mutable_request_id_ref()->set_event_type(
      api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  take(link);
}
void take_nexus_links(const ws::SignalWorkflowExecutionResponse& response) {
  if (response.has_link()) take(response.link());
}
void take_nexus_links(const ws::SignalWithStartWorkflowExecutionResponse& response) {
  if (response.has_signal_link()) take(response.signal_link());
}

}  // namespace chimera::sdk

namespace chimera::detail {

NexusRun start_nexus_workflow(std::string_view type, const WorkflowOptions& options,
                              Arguments arguments) {
  sdk::NexusContext& context = sdk::NexusContext::current("start_workflow");
  if (!context.request().has_start_operation())
    throw std::logic_error(
        "chimera::nexus::start_workflow was called while an operation is cancelled: only its start "
        "can be a workflow's");
  WorkflowOptions own = options;
  if (own.task_queue.empty()) own.task_queue = context.info().task_queue;
  struct Backing {
    explicit Backing(bool& flag) : flag(flag) { flag = true; }
    ~Backing() { flag = false; }
    bool& flag;
  } const backing(context.backing);
  const Target started = start(*context.client(), type, own, arguments);
  return {.token = sdk::write_token({context.info().namespace_, started.id}),
          .workflow_id = started.id,
          .run_id = started.started_run_id};
}

void cancel_nexus_workflow(const std::string& token) {
  const sdk::NexusContext& context = sdk::NexusContext::current("cancel");
  const sdk::NexusWorkflowToken workflow = sdk::read_token(token);
  if (workflow.namespace_ != context.info().namespace_) {
    throw nexus::HandlerError(
        nexus::HandlerErrorType::kNotFound,
        absl::StrCat("the workflow of this operation token is in the namespace '",
                     workflow.namespace_, "', and this worker in '", context.info().namespace_,
                     "'"));
  }
  cancel(*context.client(), Target{.id = workflow.workflow_id}, {});
}

void nexus_input_failed(const ConversionError& error) {
  throw nexus::HandlerError(nexus::HandlerErrorType::kBadRequest,
                            absl::StrCat("cannot decode the operation's input: ", error.what()),
                            nexus::RetryBehavior::kNonRetryable);
}

void add_nexus_operation(NexusServiceType& service, NexusOperationType operation) {
  for (const NexusOperationType& each : service.operations) {
    if (each.name != operation.name) continue;
    throw std::invalid_argument(absl::StrCat("the Nexus operation ", service.name, "/",
                                             operation.name, " has two handlers"));
  }
  service.operations.push_back(std::move(operation));
}

}  // namespace chimera::detail
