// Session, one case's worker and client in raw requests: each case has a workflow id and a task
// queue of its own and plays both sides itself, so that it sees exactly what the server sends.
#ifndef CHIMERA_TESTS_CONFORMANCE_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_SESSION_H_

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/conformance/recording.h"
#include "tests/conformance/target.h"

namespace chimera::conformance {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using api::command::v1::Command;
using api::common::v1::Payloads;
using api::history::v1::HistoryEvent;
using Task = wf::PollWorkflowTaskQueueResponse;
using ActivityTask = wf::PollActivityTaskQueueResponse;
using std::chrono::milliseconds;

class Session : public testing::Test {
 protected:
  Session();
  // Compares the histories of all that the case has started with the genuine servers'
  // (recording.h).
  void TearDown() override;

  // --- Any RPC of WorkflowService or OperatorService: the method's name is the request's without
  // "Request". ---
  template <class Reply, class Request>
  absl::StatusOr<Reply> rpc(Request request, milliseconds timeout = std::chrono::seconds(30)) {
    Reply reply;
    absl::Status status = invoke(request, reply, timeout);
    if (!status.ok()) return status;
    return reply;
  }

  // Again while it is refused as too much: the genuine server allows few a second of some.
  template <class Reply, class Request>
  absl::StatusOr<Reply> patient_rpc(const Request& request) {
    auto reply = rpc<Reply>(request);
    for (int i = 0; i < 50 && reply.status().code() == absl::StatusCode::kResourceExhausted; ++i) {
      no_task_within(milliseconds(1));
      reply = rpc<Reply>(request);
    }
    return reply;
  }

  // Whether the target is the genuine server of this version, "1.29" for instance.
  bool server_is(const std::string& version);

  // --- Client ---
  using Start = wf::StartWorkflowExecutionRequest;
  Start start_request() const;
  // Starts `id` with `change` applied to the request; the run id. Fails the case on an error.
  std::string start(const std::function<void(Start&)>& change = {});
  absl::Status signal(const std::string& name, const std::string& request_id = "",
                      const std::string& run_id = "");
  absl::Status request_cancel();
  absl::Status terminate(const std::string& reason = "because");
  wf::DescribeWorkflowExecutionResponse describe(const std::string& run_id = "");
  std::vector<HistoryEvent> history(const std::string& run_id = "");
  // "Started TaskScheduled TaskStarted ...": the types of the whole history.
  std::string events(const std::string& run_id = "");
  HistoryEvent last_event(const std::string& run_id = "") { return history(run_id).back(); }
  // The first event of the type; fails the case when there is none.
  HistoryEvent event_of(enums::EventType type, const std::string& run_id = "");
  // Waits for the run's close event.
  HistoryEvent wait_closed(const std::string& run_id = "");

  // --- Worker ---
  // Polls until a task comes; fails the case after `patience`.
  Task poll(milliseconds patience = std::chrono::seconds(10)) {
    return poll_queue(queue, false, patience);
  }
  Task poll_sticky(milliseconds patience = std::chrono::seconds(10)) {
    return poll_queue(sticky, true, patience);
  }
  Task poll_queue(const std::string& name, bool is_sticky, milliseconds patience);
  ActivityTask poll_activity(milliseconds patience = std::chrono::seconds(10));
  // True if no workflow task comes within the time, which is a little more than a second at least.
  bool no_task_within(milliseconds time);
  using Respond = wf::RespondWorkflowTaskCompletedRequest;
  Respond respond_request(const Task& task, std::vector<Command> commands) const;
  absl::StatusOr<wf::RespondWorkflowTaskCompletedResponse> try_respond(
      const Task& task, std::vector<Command> commands,
      const std::function<void(Respond&)>& change = {});
  wf::RespondWorkflowTaskCompletedResponse respond(
      const Task& task, std::vector<Command> commands,
      const std::function<void(Respond&)>& change = {});
  // The same, keeping the run on the session's sticky queue.
  wf::RespondWorkflowTaskCompletedResponse respond_sticky(const Task& task,
                                                          std::vector<Command> commands);
  absl::Status fail_task(const Task& task, const std::string& message = "a bug");
  absl::Status complete_activity(const ActivityTask& task, const std::string& result = "done");
  absl::Status fail_activity(const ActivityTask& task, const std::string& message,
                             const std::string& type = "", bool non_retryable = false);

  // --- Commands ---
  static Command schedule_activity(
      const std::string& id,
      const std::function<void(api::command::v1::ScheduleActivityTaskCommandAttributes&)>& change =
          {});
  static Command cancel_activity(std::int64_t scheduled_event_id);
  static Command start_timer(const std::string& id, milliseconds time);
  static Command cancel_timer(const std::string& id);
  static Command marker(const std::string& name);
  static Command complete_workflow(const std::string& result = "done");
  static Command fail_workflow(const std::string& message, bool non_retryable = false);
  static Command cancel_workflow();
  Command continue_as_new(const std::string& input = "again") const;
  Command start_child(const std::string& child_id) const;
  static Command protocol_message(const std::string& message_id);

  static Payloads payloads(const std::string& json_text);
  static api::common::v1::Payload payload(const std::string& json_text);
  api::common::v1::WorkflowExecution execution(const std::string& run_id = "") const;

  // A poll of the sticky queue that is under way while the case goes on.
  class StickyPoll {
   public:
    explicit StickyPoll(Session& session)
        : thread_([this, &session] { task_ = session.poll_sticky(); }) {
      session.wait_for_sticky_poller();
    }
    ~StickyPoll() {
      if (thread_.joinable()) thread_.join();
    }
    Task task() {
      thread_.join();
      return task_;
    }

   private:
    Task task_;
    std::thread thread_;  // Last: it uses the others.
  };
  void wait_for_sticky_poller();

  const std::string ns = "default";
  std::string id, queue, sticky;
  base::RpcMetadata headers;  // Of every call from now on.

 private:
  void note_start(const std::string& workflow_id);
  // Of the run, and of those before and after it.
  void collect(std::string workflow_id, std::string run_id, Masked& masked);
  absl::Status invoke(const google::protobuf::Message& request, google::protobuf::Message& reply,
                      milliseconds timeout);
  absl::StatusOr<Task> poll_once(const std::string& name, bool is_sticky, milliseconds patience);

  absl::Mutex mutex_;                 // Cases have threads.
  const std::string unique_;          // In all that the case calls by names of its own.
  std::vector<std::string> started_;  // Workflow ids, in the order of their starts.
  std::set<std::string> collected_;   // Workflow and run ids.
};

// "TaskScheduled" for EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, "Started" for
// ..._WORKFLOW_EXECUTION_STARTED, and so on.
std::string short_name(enums::EventType type);

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_SESSION_H_
