#include "tests/sim/ledger.h"

#include "absl/strings/str_cat.h"

#include "core/history/events.h"

namespace chimera::sim {

namespace wf = api::workflowservice::v1;

namespace {

template <class Message>
Message parsed(const std::string& bytes) {
  Message message;
  message.ParseFromString(bytes);
  return message;
}

// Not worth another try: the server has said all that it has to say.
bool final(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsCancelled(status) &&
         !absl::IsDeadlineExceeded(status);
}

}  // namespace

void Ledger::given(const Task& task) {
  if (task.task_token().empty()) return;
  ++tasks_;
  if (task.has_query()) {
    queries_.emplace(task.task_token(), false);
  } else {
    newest_[task.workflow_execution().run_id()] = task.task_token();
  }
}

void Ledger::arrived(std::string_view method, const std::string& request,
                     const std::string& reply) {
  if (method == "PollWorkflowTaskQueue") {
    given(parsed<Task>(reply));
  } else if (method == "StartWorkflowExecution") {
    given(parsed<wf::StartWorkflowExecutionResponse>(reply).eager_workflow_task());
  } else if (method == "PollActivityTaskQueue") {
    const auto task = parsed<wf::PollActivityTaskQueueResponse>(reply);
    if (!task.task_token().empty()) activities_.emplace(task.task_token(), false);
  } else if (method == "RespondWorkflowTaskCompleted") {
    const auto answer = parsed<wf::RespondWorkflowTaskCompletedResponse>(reply);
    inline_ += answer.has_workflow_task();
    given(answer.workflow_task());
    for (const auto& task : answer.activity_tasks()) {
      ++eager_;
      activities_.emplace(task.task_token(), false);
    }
  } else if (method == "GetWorkflowExecutionHistory") {
    // A task of a run that has ended, which it hears of here, wants no answer.
    const auto page = parsed<wf::GetWorkflowExecutionHistoryResponse>(reply);
    const int events = page.history().events_size();
    if (events == 0 || !core::is_final_event(page.history().events(events - 1).event_type()))
      return;
    newest_[parsed<wf::GetWorkflowExecutionHistoryRequest>(request).execution().run_id()].clear();
  }
}

void Ledger::ended(std::string_view method, const std::string& request,
                   const absl::Status& status) {
  if (!final(status)) return;
  std::string token;
  if (method == "RespondWorkflowTaskCompleted") {
    token = parsed<wf::RespondWorkflowTaskCompletedRequest>(request).task_token();
  } else if (method == "RespondWorkflowTaskFailed") {
    token = parsed<wf::RespondWorkflowTaskFailedRequest>(request).task_token();
  } else if (method == "RespondQueryTaskCompleted") {
    queries_[parsed<wf::RespondQueryTaskCompletedRequest>(request).task_token()] = true;
  } else if (method == "RespondActivityTaskCompleted") {
    activities_[parsed<wf::RespondActivityTaskCompletedRequest>(request).task_token()] = true;
  } else if (method == "RespondActivityTaskFailed") {
    activities_[parsed<wf::RespondActivityTaskFailedRequest>(request).task_token()] = true;
  } else if (method == "RespondActivityTaskCanceled") {
    activities_[parsed<wf::RespondActivityTaskCanceledRequest>(request).task_token()] = true;
  }
  if (token.empty()) return;
  for (auto& [run, newest] : newest_) {
    if (newest == token) newest.clear();
  }
}

std::vector<std::string> Ledger::owed() const {
  std::vector<std::string> owed;
  for (const auto& [run, token] : newest_) {
    if (!token.empty()) owed.push_back(absl::StrCat("a workflow task of run ", run));
  }
  for (const auto& [token, settled] : queries_) {
    if (!settled) owed.push_back("a query task");
  }
  for (const auto& [token, settled] : activities_) {
    if (!settled) owed.push_back("an activity task");
  }
  return owed;
}

}  // namespace chimera::sim
