#include "tests/conformance/session.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include <unistd.h>

namespace chimera::conformance {
namespace {

std::string unique_name() {
  static std::atomic<int> counter{0};
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  auto now = std::chrono::system_clock::now().time_since_epoch().count();
  return absl::StrCat(info->test_suite_name(), "-", info->name(), "-", getpid(), "-",
                      now % 1'000'000, "-", ++counter);
}

void set(google::protobuf::Duration* duration, milliseconds value) {
  duration->set_seconds(value.count() / 1000);
  duration->set_nanos(static_cast<int>(value.count() % 1000) * 1'000'000);
}

}  // namespace

std::string short_name(enums::EventType type) {
  std::string text = enums::EventType_Name(type).substr(std::string("EVENT_TYPE_").size());
  text = absl::StrReplaceAll(
      text,
      {{"WORKFLOW_EXECUTION_", ""}, {"ACTIVITY_TASK_", "ACTIVITY_"}, {"WORKFLOW_TASK_", "TASK_"}});
  std::string name;
  for (absl::string_view word : absl::StrSplit(text, '_'))
    absl::StrAppend(&name, word.substr(0, 1), absl::AsciiStrToLower(word.substr(1)));
  return name;
}

Session::Session() : id(unique_name()), queue("q-" + id), sticky("s-" + id), unique_(id) {}

void Session::TearDown() {
  if (HasFailure() || IsSkipped()) return;
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const std::string test = absl::StrCat(info->test_suite_name(), ".", info->name());
  // Names of Nexus endpoints take no underscores.
  Masked masked({{unique_, "ID"}, {absl::StrReplaceAll(unique_, {{"_", "-"}}), "ID"}});
  // Children join the list meanwhile.
  for (std::size_t i = 0; i < started_.size(); ++i) collect(started_[i], "", masked);
  if (records()) return record(test, masked.lines());
  if (target().genuine) return;
  EXPECT_EQ(difference_from_genuine(test, masked.lines()), "");
}

void Session::collect(std::string workflow_id, std::string run_id, Masked& masked) {
  if (!collected_.insert(absl::StrCat(workflow_id, "/", run_id)).second) return;
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.mutable_execution()->set_run_id(run_id);
  api::history::v1::History history;
  do {
    auto page = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
    if (!page.ok()) return;  // A case may have deleted it.
    history.MergeFrom(page->history());
    request.set_next_page_token(page->next_page_token());
  } while (!request.next_page_token().empty());
  if (history.events().empty()) return;
  const auto& start = history.events(0).workflow_execution_started_event_attributes();
  masked.add(workflow_id, history);
  wf::DescribeWorkflowExecutionRequest describe;
  describe.set_namespace_(ns);
  *describe.mutable_execution() = request.execution();
  if (const auto described = rpc<wf::DescribeWorkflowExecutionResponse>(describe); described.ok())
    masked.add(*described);
  for (const auto& event : history.events()) {
    const auto& child = event.start_child_workflow_execution_initiated_event_attributes();
    if (!child.workflow_id().empty()) note_start(child.workflow_id());
    const std::string& base = event.workflow_task_failed_event_attributes().base_run_id();
    if (!base.empty()) collect(workflow_id, base, masked);
  }
  if (!start.continued_execution_run_id().empty())
    collect(workflow_id, start.continued_execution_run_id(), masked);
}

void Session::note_start(const std::string& workflow_id) {
  const absl::MutexLock lock(&mutex_);
  if (std::find(started_.begin(), started_.end(), workflow_id) == started_.end())
    started_.push_back(workflow_id);
}

absl::Status Session::invoke(const google::protobuf::Message& request,
                             google::protobuf::Message& reply, milliseconds timeout) {
  if (const auto* start = dynamic_cast<const Start*>(&request)) {
    note_start(start->workflow_id());
  } else if (const auto* signal =
                 dynamic_cast<const wf::SignalWithStartWorkflowExecutionRequest*>(&request)) {
    note_start(signal->workflow_id());
  } else if (const auto* both = dynamic_cast<const wf::ExecuteMultiOperationRequest*>(&request);
             both != nullptr && both->operations_size() > 0) {
    note_start(both->operations(0).start_workflow().workflow_id());
  }
  // "temporal.api.operatorservice.v1" and "AddSearchAttributesRequest", for instance.
  const std::string package = request.GetDescriptor()->file()->package();
  const std::string name = request.GetDescriptor()->name();
  // The path must outlive the call; call_blocking returns only then.
  const std::string path =
      absl::StrCat("/", package, absl::StrContains(package, "operator") ? ".Operator" : ".Workflow",
                   "Service/", name.substr(0, name.size() - std::string("Request").size()));
  return target().connection->call_blocking(path, request, reply,
                                            {.retry = core::RetryClass::kNone,
                                             .timeout = timeout,
                                             .metadata = headers,
                                             .namespace_ = ns});
}

bool Session::server_is(const std::string& version) {
  if (!target().genuine) return false;
  auto info = rpc<wf::GetSystemInfoResponse>(wf::GetSystemInfoRequest());
  EXPECT_TRUE(info.ok()) << info.status();
  return info.ok() && info->server_version().starts_with(version);
}

// --- Client ---

Session::Start Session::start_request() const {
  Start request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  request.mutable_workflow_type()->set_name("Case");
  request.mutable_task_queue()->set_name(queue);
  request.set_request_id(unique_name());
  request.set_identity("client");
  *request.mutable_input() = payloads("\"in\"");
  return request;
}

std::string Session::start(const std::function<void(Start&)>& change) {
  Start request = start_request();
  if (change) change(request);
  auto reply = rpc<wf::StartWorkflowExecutionResponse>(request);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return reply.ok() ? reply->run_id() : "";
}

absl::Status Session::signal(const std::string& name, const std::string& request_id,
                             const std::string& run_id) {
  wf::SignalWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution(run_id);
  request.set_signal_name(name);
  request.set_request_id(request_id.empty() ? unique_name() : request_id);
  request.set_identity("client");
  *request.mutable_input() = payloads("\"value\"");
  return rpc<wf::SignalWorkflowExecutionResponse>(request).status();
}

absl::Status Session::request_cancel() {
  wf::RequestCancelWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  request.set_request_id(unique_name());
  request.set_reason("enough");
  return rpc<wf::RequestCancelWorkflowExecutionResponse>(request).status();
}

absl::Status Session::terminate(const std::string& reason) {
  wf::TerminateWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_workflow_execution() = execution();
  request.set_reason(reason);
  return rpc<wf::TerminateWorkflowExecutionResponse>(request).status();
}

wf::DescribeWorkflowExecutionResponse Session::describe(const std::string& run_id) {
  wf::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution(run_id);
  auto reply = rpc<wf::DescribeWorkflowExecutionResponse>(request);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return reply.ok() ? *reply : wf::DescribeWorkflowExecutionResponse();
}

std::vector<HistoryEvent> Session::history(const std::string& run_id) {
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution(run_id);
  std::vector<HistoryEvent> events;
  do {
    auto reply = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return {HistoryEvent()};
    for (const HistoryEvent& event : reply->history().events()) events.push_back(event);
    request.set_next_page_token(reply->next_page_token());
  } while (!request.next_page_token().empty());
  return events;
}

std::string Session::events(const std::string& run_id) {
  return absl::StrJoin(history(run_id), " ", [](std::string* out, const HistoryEvent& event) {
    out->append(short_name(event.event_type()));
  });
}

HistoryEvent Session::event_of(enums::EventType type, const std::string& run_id) {
  for (HistoryEvent& event : history(run_id)) {
    if (event.event_type() == type) return event;
  }
  ADD_FAILURE() << "no " << short_name(type) << " in " << events(run_id);
  return {};
}

HistoryEvent Session::wait_closed(const std::string& run_id) {
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution(run_id);
  request.set_wait_new_event(true);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  for (int i = 0; i < 5; ++i) {
    auto reply = rpc<wf::GetWorkflowExecutionHistoryResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return {};
    if (reply->history().events_size() > 0) return reply->history().events(0);
    request.set_next_page_token(reply->next_page_token());
  }
  ADD_FAILURE() << id << " did not close";
  return {};
}

// --- Worker ---

absl::StatusOr<Task> Session::poll_once(const std::string& name, bool is_sticky,
                                        milliseconds patience) {
  wf::PollWorkflowTaskQueueRequest request;
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(name);
  if (is_sticky) {
    request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    request.mutable_task_queue()->set_normal_name(queue);
  }
  request.set_identity("worker");
  return rpc<Task>(request, patience);
}

Task Session::poll_queue(const std::string& name, bool is_sticky, milliseconds patience) {
  auto task = poll_once(name, is_sticky, patience);
  EXPECT_TRUE(task.ok()) << task.status();
  if (!task.ok()) return {};
  EXPECT_FALSE(task->task_token().empty()) << "no task came";
  return *task;
}

void Session::wait_for_sticky_poller() {
  wf::DescribeTaskQueueRequest request;
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(sticky);
  request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
  request.mutable_task_queue()->set_normal_name(queue);
  request.set_task_queue_type(enums::TASK_QUEUE_TYPE_WORKFLOW);
  for (int i = 0; i < 100; ++i) {
    auto reply = rpc<wf::DescribeTaskQueueResponse>(request);
    if (reply.ok() && reply->pollers_size() > 0) return;
    absl::SleepFor(absl::Milliseconds(20));
  }
  ADD_FAILURE() << "no poller on " << sticky;
}

bool Session::no_task_within(milliseconds time) {
  // An empty answer comes a second before the caller's deadline; a deadline within two seconds is
  // refused.
  constexpr milliseconds kMargin{1000}, kShortest{1200};
  auto task = poll_once(queue, false, std::max(time, kShortest) + kMargin);
  EXPECT_TRUE(task.ok()) << task.status();
  return task.ok() && task->task_token().empty();
}

ActivityTask Session::poll_activity(milliseconds patience) {
  wf::PollActivityTaskQueueRequest request;
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(queue);
  request.set_identity("worker");
  auto task = rpc<ActivityTask>(request, patience);
  EXPECT_TRUE(task.ok()) << task.status();
  if (!task.ok()) return {};
  EXPECT_FALSE(task->task_token().empty()) << "no activity task came";
  return *task;
}

Session::Respond Session::respond_request(const Task& task, std::vector<Command> commands) const {
  Respond request;
  request.set_namespace_(ns);
  request.set_task_token(task.task_token());
  request.set_identity("worker");
  for (Command& command : commands) {
    if (command.has_schedule_activity_task_command_attributes()) {
      auto* attributes = command.mutable_schedule_activity_task_command_attributes();
      if (!attributes->has_task_queue()) attributes->mutable_task_queue()->set_name(queue);
    }
    request.add_commands()->Swap(&command);
  }
  request.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(true);
  return request;
}

absl::StatusOr<wf::RespondWorkflowTaskCompletedResponse> Session::try_respond(
    const Task& task, std::vector<Command> commands, const std::function<void(Respond&)>& change) {
  Respond request = respond_request(task, std::move(commands));
  if (change) change(request);
  return rpc<wf::RespondWorkflowTaskCompletedResponse>(request);
}

wf::RespondWorkflowTaskCompletedResponse Session::respond(
    const Task& task, std::vector<Command> commands, const std::function<void(Respond&)>& change) {
  auto reply = try_respond(task, std::move(commands), change);
  EXPECT_TRUE(reply.ok()) << reply.status();
  return reply.ok() ? *reply : wf::RespondWorkflowTaskCompletedResponse();
}

wf::RespondWorkflowTaskCompletedResponse Session::respond_sticky(const Task& task,
                                                                 std::vector<Command> commands) {
  return respond(task, std::move(commands), [this](Respond& request) {
    auto* attributes = request.mutable_sticky_attributes();
    attributes->mutable_worker_task_queue()->set_name(sticky);
    attributes->mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    attributes->mutable_worker_task_queue()->set_normal_name(queue);
    set(attributes->mutable_schedule_to_start_timeout(), milliseconds(1500));
  });
}

absl::Status Session::fail_task(const Task& task, const std::string& message) {
  wf::RespondWorkflowTaskFailedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(task.task_token());
  request.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
  request.mutable_failure()->set_message(message);
  request.set_identity("worker");
  return rpc<wf::RespondWorkflowTaskFailedResponse>(request).status();
}

absl::Status Session::complete_activity(const ActivityTask& task, const std::string& result) {
  wf::RespondActivityTaskCompletedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(task.task_token());
  request.set_identity("worker");
  *request.mutable_result() = payloads("\"" + result + "\"");
  return rpc<wf::RespondActivityTaskCompletedResponse>(request).status();
}

absl::Status Session::fail_activity(const ActivityTask& task, const std::string& message,
                                    const std::string& type, bool non_retryable) {
  wf::RespondActivityTaskFailedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(task.task_token());
  request.set_identity("worker");
  request.mutable_failure()->set_message(message);
  request.mutable_failure()->mutable_application_failure_info()->set_type(type);
  request.mutable_failure()->mutable_application_failure_info()->set_non_retryable(non_retryable);
  return rpc<wf::RespondActivityTaskFailedResponse>(request).status();
}

// --- Commands ---

Command Session::schedule_activity(
    const std::string& activity_id,
    const std::function<void(api::command::v1::ScheduleActivityTaskCommandAttributes&)>& change) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto* attributes = command.mutable_schedule_activity_task_command_attributes();
  attributes->set_activity_id(activity_id);
  attributes->mutable_activity_type()->set_name("act");
  *attributes->mutable_input() = payloads("\"arg\"");
  attributes->mutable_start_to_close_timeout()->set_seconds(30);
  if (change) change(*attributes);
  return command;
}

Command Session::cancel_activity(std::int64_t scheduled_event_id) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
  command.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
      scheduled_event_id);
  return command;
}

Command Session::start_timer(const std::string& timer_id, milliseconds time) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  command.mutable_start_timer_command_attributes()->set_timer_id(timer_id);
  set(command.mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout(), time);
  return command;
}

Command Session::cancel_timer(const std::string& timer_id) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
  command.mutable_cancel_timer_command_attributes()->set_timer_id(timer_id);
  return command;
}

Command Session::marker(const std::string& name) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
  command.mutable_record_marker_command_attributes()->set_marker_name(name);
  (*command.mutable_record_marker_command_attributes()->mutable_details())["data"] = payloads("1");
  return command;
}

Command Session::complete_workflow(const std::string& result) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  *command.mutable_complete_workflow_execution_command_attributes()->mutable_result() =
      payloads("\"" + result + "\"");
  return command;
}

Command Session::fail_workflow(const std::string& message, bool non_retryable) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
  auto* failure = command.mutable_fail_workflow_execution_command_attributes()->mutable_failure();
  failure->set_message(message);
  failure->mutable_application_failure_info()->set_type("Oops");
  failure->mutable_application_failure_info()->set_non_retryable(non_retryable);
  return command;
}

Command Session::cancel_workflow() {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
  command.mutable_cancel_workflow_execution_command_attributes();
  return command;
}

Command Session::continue_as_new(const std::string& input) const {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
  auto* attributes = command.mutable_continue_as_new_workflow_execution_command_attributes();
  attributes->mutable_workflow_type()->set_name("Case");
  attributes->mutable_task_queue()->set_name(queue);
  *attributes->mutable_input() = payloads("\"" + input + "\"");
  return command;
}

Command Session::start_child(const std::string& child_id) const {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto* attributes = command.mutable_start_child_workflow_execution_command_attributes();
  attributes->set_workflow_id(child_id);
  attributes->mutable_workflow_type()->set_name("Child");
  attributes->mutable_task_queue()->set_name(queue);
  return command;
}

Command Session::protocol_message(const std::string& message_id) {
  Command command;
  command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command.mutable_protocol_message_command_attributes()->set_message_id(message_id);
  return command;
}

Payloads Session::payloads(const std::string& json_text) {
  Payloads list;
  *list.add_payloads() = payload(json_text);
  return list;
}

api::common::v1::Payload Session::payload(const std::string& json_text) {
  api::common::v1::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(json_text);
  return payload;
}

api::common::v1::WorkflowExecution Session::execution(const std::string& run_id) const {
  api::common::v1::WorkflowExecution execution;
  execution.set_workflow_id(id);
  execution.set_run_id(run_id);
  return execution;
}

}  // namespace chimera::conformance
