#include "sdk-cpp/src/storage/storing_connection.h"

#include <atomic>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

#include "core/converter/payload.h"
#include "core/converter/value_words.h"
#include "core/telemetry/log.h"
#include "core/workflow/payload_size.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/storage/task_owners.h"

namespace chimera::sdk {
namespace {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageLite;
using Done = absl::AnyInvocable<void(absl::Status) &&>;
using Request = std::variant<const MessageLite*, std::string>;
using Response = std::variant<MessageLite*, std::string*>;

// What the calls of a connection share.
struct Shared {
  std::shared_ptr<core::Connection> inner;
  std::shared_ptr<PayloadStore> store;
  TaskOwners owners;
};

std::string text(const Message& message, const char* field) {
  const FieldDescriptor* found = message.GetDescriptor()->FindFieldByName(field);
  return found == nullptr ? "" : message.GetReflection()->GetString(message, found);
}

// The token of the task that a message answers; empty where it is none.
std::string token_of(const Message& message) {
  const FieldDescriptor* found = message.GetDescriptor()->FindFieldByName("task_token");
  return found == nullptr ? "" : message.GetReflection()->GetString(message, found);
}

StorageTarget target_of(const core::ValueOwner& owner) {
  if (!owner.workflow_id.empty())
    return {StorageTarget::Kind::kWorkflow, owner.namespace_, owner.workflow_id, owner.run_id,
            owner.workflow_type};
  if (!owner.activity_id.empty())
    return {StorageTarget::Kind::kActivity, owner.namespace_, owner.activity_id, owner.run_id, ""};
  return {.namespace_ = owner.namespace_};
}

// The values of a request that are large enough, with their targets.
class Large final : public core::PayloadVisitor {
 public:
  // `task`: to whom belongs what the request says nothing of; null: it does.
  Large(std::size_t threshold, const StorageTarget* task) : threshold_(threshold), task_(task) {}
  std::vector<ValueToStore> take() { return std::move(values_); }

  bool enter(const Message& message) override {
    // A schedule's own memo is that of a workflow of the server's, whose worker cannot read
    // references (server 1.32).
    if (around_.size() == 1 && of_schedule_ &&
        message.GetDescriptor() == api::common::v1::Memo::descriptor())
      return false;
    if (around_.empty()) {
      of_schedule_ = dynamic_cast<const wf::CreateScheduleRequest*>(&message) != nullptr ||
                     dynamic_cast<const wf::UpdateScheduleRequest*>(&message) != nullptr;
      around_.push_back({core::owner_of_values(message, {}), task_ != nullptr});
    } else {
      core::ValueOwner owner = core::owner_of_values(message, around_.back().owner);
      const bool same = owner == around_.back().owner;
      around_.push_back({std::move(owner), same && around_.back().is_tasks});
    }
    return true;
  }
  void leave(const Message&) override { around_.pop_back(); }
  void visit(const Message&, const FieldDescriptor&,
             std::span<ProtoPayload* const> payloads) override {
    for (ProtoPayload* payload : payloads) {
      if (payload->ByteSizeLong() < threshold_ || core::is_reference(*payload)) continue;
      const Around& here = around_.back();
      values_.push_back({payload, here.is_tasks ? *task_ : target_of(here.owner)});
    }
  }

 private:
  struct Around {
    core::ValueOwner owner;
    bool is_tasks;
  };
  const std::size_t threshold_;
  const StorageTarget* const task_;
  bool of_schedule_ = false;
  std::vector<Around> around_;
  std::vector<ValueToStore> values_;
};

// One call: stores, sends, retrieves. Held by what it waits for.
class StoringCall final : public base::RpcInFlight,
                          public std::enable_shared_from_this<StoringCall> {
 public:
  StoringCall(std::shared_ptr<Shared> shared, std::string_view method, const Message& request,
              MessageLite* response, core::CallOptions options, Done done)
      : shared_(std::move(shared)),
        method_(method),
        request_(&request),
        response_(dynamic_cast<Message*>(response)),
        options_(std::move(options)),
        namespace_(options_.namespace_),
        done_(std::move(done)) {}

  void start() {
    if (!core::may_hold_payloads(*request_->GetDescriptor())) return send();
    const std::size_t bytes = request_->ByteSizeLong(), threshold = shared_->store->threshold();
    if (bytes >= threshold) return store(threshold);
    const std::size_t bytes_max = options_.value_bytes_max;
    bytes > kSmall || (bytes_max > 0 && bytes > bytes_max) ? measure_and_send() : send();
  }

  void cancel() override {
    std::shared_ptr<base::RpcInFlight> call;
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
      call = in_flight_;
    }
    if (call != nullptr) call->cancel();
  }

 private:
  static constexpr std::size_t kSmall = std::size_t{1} << 20;  // Any server takes it.
  enum class Holds { kNoTask, kWorkflowTask, kActivityTask };
  // A part of the reply that is retrieved, or lost, as one.
  struct Part {
    Holds holds;
    Message* message;
    std::unique_ptr<References> references;
    absl::Status status;
  };

  Message& own() {
    if (own_ == nullptr) {
      own_.reset(request_->New());
      own_->CopyFrom(*request_);
      request_ = own_.get();
    }
    return *own_;
  }

  void store(std::size_t threshold) {
    const std::string token = token_of(*request_);
    std::optional<TaskOwner> owner;
    if (!token.empty()) owner = shared_->owners.find(token);
    const bool is_heartbeat =
        request_->GetDescriptor() == wf::RecordActivityTaskHeartbeatRequest::descriptor();
    const StorageTarget* task = nullptr;
    if (owner) task = is_heartbeat ? &owner->heartbeats : &owner->values;
    Large large(threshold, task);
    core::visit_payloads(own(), large, packed_);
    std::vector<ValueToStore> values = large.take();
    if (values.empty()) return measure_and_send();
    shared_->store->store(std::move(values), [self = shared_from_this()](absl::Status status) {
      self->stored(std::move(status));
    });
  }

  void stored(absl::Status status) {
    if (is_cancelled()) return finish(absl::CancelledError("cancelled while values were stored"));
    if (status.ok()) {
      packed_.pack();
      return measure_and_send();
    }
    packed_ = {};
    if (answer_queries_with(status)) return store(shared_->store->threshold());
    status.SetPayload(core::kNotStored, absl::Cord());
    finish(std::move(status));
  }

  // Whoever asked learns that the answer could not be stored. False: there was no such answer.
  bool answer_queries_with(const absl::Status& status) {
    const std::size_t threshold = shared_->store->threshold();
    bool any = false;
    if (auto* query = dynamic_cast<wf::RespondQueryTaskCompletedRequest*>(own_.get())) {
      any = query->has_query_result();
      query->clear_query_result();
      query->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
      query->set_error_message(std::string(status.message()));
    } else if (auto* task = dynamic_cast<wf::RespondWorkflowTaskCompletedRequest*>(own_.get())) {
      for (auto& [id, result] : *task->mutable_query_results()) {
        if (!result.has_answer() || result.ByteSizeLong() < threshold) continue;
        result.Clear();
        result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
        result.set_error_message(std::string(status.message()));
        any = true;
      }
    }
    return any;
  }

  // As the worker does for connections that store nothing.
  void measure_and_send() {
    const std::size_t bytes_max = options_.value_bytes_max;
    std::string why;
    if (const auto* task = dynamic_cast<const wf::RespondWorkflowTaskCompletedRequest*>(request_)) {
      if (!task->query_results().empty())
        core::bound_answers(static_cast<wf::RespondWorkflowTaskCompletedRequest&>(own()),
                            bytes_max);
      why = core::too_large(*task, bytes_max);
    } else if (dynamic_cast<const wf::RespondQueryTaskCompletedRequest*>(request_) != nullptr) {
      core::bound_answer(static_cast<wf::RespondQueryTaskCompletedRequest&>(own()), bytes_max);
    } else if (const auto* result =
                   dynamic_cast<const wf::RespondActivityTaskCompletedRequest*>(request_)) {
      const std::size_t bytes = result->result().ByteSizeLong();
      if (bytes_max > 0 && bytes > bytes_max) why = core::result_too_large(bytes, bytes_max);
    }
    if (why.empty()) return send();
    absl::Status status = absl::InvalidArgumentError(why);
    status.SetPayload(core::kTooLarge, absl::Cord());
    // Never inside the call that began it.
    shared_->store->post([self = shared_from_this(), status] { self->finish(status); });
  }

  void send() {
    auto call = shared_->inner->call(
        method_, request_, response_, std::move(options_),
        [self = shared_from_this()](absl::Status status) { self->answered(std::move(status)); });
    absl::MutexLock lock(&mutex_);
    if (answered_) return;
    in_flight_ = std::move(call);
    if (cancelled_) in_flight_->cancel();
  }

  void answered(absl::Status status) {
    {
      absl::MutexLock lock(&mutex_);
      answered_ = true;
      in_flight_ = nullptr;
    }
    if (!status.ok() || !core::may_hold_payloads(*response_->GetDescriptor()))
      return finish(std::move(status));
    find_parts();
    std::erase_if(parts_, [](const Part& part) { return part.references->payloads().empty(); });
    if (parts_.empty()) return finish(absl::OkStatus());
    retrieve();
  }

  void add_part(Holds holds, Message& message) {
    parts_.push_back({holds, &message, std::make_unique<References>(message), {}});
  }

  void find_parts() {
    if (auto* poll = dynamic_cast<wf::PollWorkflowTaskQueueResponse*>(response_)) {
      add_task(*poll);
    } else if (auto* task = dynamic_cast<wf::PollActivityTaskQueueResponse*>(response_)) {
      add_task(*task);
    } else if (auto* reply = dynamic_cast<wf::RespondWorkflowTaskCompletedResponse*>(response_)) {
      if (reply->has_workflow_task()) add_task(*reply->mutable_workflow_task());
      for (auto& activity : *reply->mutable_activity_tasks()) add_task(activity);
    } else if (auto* start = dynamic_cast<wf::StartWorkflowExecutionResponse*>(response_)) {
      if (start->has_eager_workflow_task()) add_task(*start->mutable_eager_workflow_task());
    } else {
      add_part(Holds::kNoTask, *response_);
    }
  }

  void add_task(wf::PollWorkflowTaskQueueResponse& task) {
    if (task.task_token().empty()) return;
    const StorageTarget workflow{StorageTarget::Kind::kWorkflow, namespace_,
                                 task.workflow_execution().workflow_id(),
                                 task.workflow_execution().run_id(), task.workflow_type().name()};
    shared_->owners.note(task.task_token(), {workflow, workflow});
    add_part(Holds::kWorkflowTask, task);
  }
  void add_task(wf::PollActivityTaskQueueResponse& task) {
    if (task.task_token().empty()) return;
    const std::string& of =
        task.workflow_namespace().empty() ? namespace_ : task.workflow_namespace();
    const StorageTarget activity{StorageTarget::Kind::kActivity, of, task.activity_id(),
                                 task.activity_run_id(), task.activity_type().name()};
    const StorageTarget workflow{StorageTarget::Kind::kWorkflow, of,
                                 task.workflow_execution().workflow_id(),
                                 task.workflow_execution().run_id(), task.workflow_type().name()};
    shared_->owners.note(task.task_token(), {workflow.id.empty() ? activity : workflow, activity});
    add_part(Holds::kActivityTask, task);
  }

  void retrieve() {
    left_.store(parts_.size());
    for (Part& part : parts_) {
      shared_->store->retrieve(part.references->payloads(),
                               [self = shared_from_this(), &part](absl::Status status) {
                                 part.status = std::move(status);
                                 if (self->left_.fetch_sub(1) == 1) self->retrieved();
                               });
    }
  }

  void retrieved() {
    absl::Status status;
    left_.store(1);
    for (Part& part : parts_) {
      if (part.status.ok()) {
        part.references->put_back();
      } else if (part.holds == Holds::kNoTask) {
        status = part.status;
      } else {
        refuse(part);
      }
    }
    for (Part& part : parts_)
      if (!part.status.ok()) drop(part);
    failed_as_ = std::move(status);
    refusal_answered();
  }

  // What the worker never sees: the server learns why at once.
  void refuse(const Part& part) {
    if (part.holds == Holds::kActivityTask) {
      const auto& task = static_cast<const wf::PollActivityTaskQueueResponse&>(*part.message);
      log_refusal(part, task.workflow_execution().workflow_id(), task.activity_type().name());
      auto failed = std::make_shared<wf::RespondActivityTaskFailedRequest>();
      failed->set_task_token(task.task_token());
      *failed->mutable_failure() = failure_of(part.status);
      return tell<wf::RespondActivityTaskFailedResponse>(
          CHIMERA_WORKFLOW_SERVICE(RespondActivityTaskFailed), std::move(failed));
    }
    const auto& task = static_cast<const wf::PollWorkflowTaskQueueResponse&>(*part.message);
    log_refusal(part, task.workflow_execution().workflow_id(), task.workflow_type().name());
    if (task.has_query()) {
      auto failed = std::make_shared<wf::RespondQueryTaskCompletedRequest>();
      failed->set_task_token(task.task_token());
      failed->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
      failed->set_error_message(std::string(part.status.message()));
      return tell<wf::RespondQueryTaskCompletedResponse>(
          CHIMERA_WORKFLOW_SERVICE(RespondQueryTaskCompleted), std::move(failed));
    }
    if (task.attempt() > 1) return;  // Reported once; then the server's task timeout makes pauses.
    auto failed = std::make_shared<wf::RespondWorkflowTaskFailedRequest>();
    failed->set_task_token(task.task_token());
    failed->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_EXTERNAL_STORAGE_FAILURE);
    *failed->mutable_failure() = failure_of(part.status);
    tell<wf::RespondWorkflowTaskFailedResponse>(CHIMERA_WORKFLOW_SERVICE(RespondWorkflowTaskFailed),
                                                std::move(failed));
  }

  static api::failure::v1::Failure failure_of(const absl::Status& status) {
    return plain_failure(std::string(status.message()), "ExternalStorageError");
  }

  static void log_refusal(const Part& part, const std::string& workflow_id,
                          const std::string& type) {
    const bool activity = part.holds == Holds::kActivityTask;
    core::log(core::LogLevel::kWarn, "worker",
              absl::StrCat(activity ? "an activity task" : "a workflow task",
                           " fails: ", std::string(part.status.message())),
              {{"workflow_id", workflow_id}, {activity ? "activity_type" : "workflow_type", type}});
  }

  template <class Reply, class Failed>
  void tell(std::string_view method, std::shared_ptr<Failed> failed) {
    failed->set_namespace_(namespace_);
    if constexpr (requires { failed->set_identity(""); }) {
      failed->set_identity(text(*request_, "identity"));
      if (const FieldDescriptor* field =
              request_->GetDescriptor()->FindFieldByName("deployment_options");
          field != nullptr && request_->GetReflection()->HasField(*request_, field))
        failed->mutable_deployment_options()->CopyFrom(
            request_->GetReflection()->GetMessage(*request_, field));
    }
    left_.fetch_add(1);
    const Failed* sent = failed.get();
    auto reply = std::make_shared<Reply>();
    Reply* to = reply.get();
    shared_->inner->call(method, sent, to, core::CallOptions{.namespace_ = namespace_},
                         [self = shared_from_this(), failed = std::move(failed),
                          reply = std::move(reply)](const absl::Status& status) {
                           if (!status.ok())
                             core::log(core::LogLevel::kDebug, "worker",
                                       absl::StrCat("the server did not take a task's failure: ",
                                                    status.ToString()));
                           self->refusal_answered();
                         });
  }

  // Before the caller hears of anything, so that a worker that ends waits for it.
  void refusal_answered() {
    if (left_.fetch_sub(1) == 1) finish(std::move(failed_as_));
  }

  // As if there had been no task.
  void drop(Part& part) {
    if (auto* poll = dynamic_cast<wf::PollWorkflowTaskQueueResponse*>(response_)) {
      leave_scaling(*poll);
    } else if (auto* task = dynamic_cast<wf::PollActivityTaskQueueResponse*>(response_)) {
      leave_scaling(*task);
    } else if (auto* start = dynamic_cast<wf::StartWorkflowExecutionResponse*>(response_)) {
      start->clear_eager_workflow_task();
    } else if (auto* reply = dynamic_cast<wf::RespondWorkflowTaskCompletedResponse*>(response_)) {
      if (part.holds == Holds::kWorkflowTask) return reply->clear_workflow_task();
      auto& tasks = *reply->mutable_activity_tasks();
      for (int i = 0; i < tasks.size(); ++i)
        if (&tasks.Get(i) == part.message) return tasks.DeleteSubrange(i, 1);
    }
  }
  template <class Poll>
  static void leave_scaling(Poll& poll) {
    auto scaling = poll.poller_scaling_decision();
    const bool has = poll.has_poller_scaling_decision();
    poll.Clear();
    if (has) *poll.mutable_poller_scaling_decision() = std::move(scaling);
  }

  bool is_cancelled() {
    absl::MutexLock lock(&mutex_);
    return cancelled_;
  }
  // Whoever keeps this call after its end keeps nothing else by it.
  void finish(absl::Status status) {
    parts_.clear();
    own_ = nullptr;
    Done done = std::move(done_);
    std::move(done)(std::move(status));
  }

  const std::shared_ptr<Shared> shared_;
  const std::string_view method_;
  const Message* request_;        // The caller's, or ours.
  std::unique_ptr<Message> own_;  // Null: nothing of it has changed.
  Message* const response_;
  core::CallOptions options_;
  const std::string namespace_;
  Done done_;
  core::PackedMessages packed_;
  std::vector<Part> parts_;
  std::atomic<std::size_t> left_{
      0};  // Parts, then answers to what is refused, that are waited for.
  absl::Status failed_as_;
  absl::Mutex mutex_;
  std::shared_ptr<base::RpcInFlight> in_flight_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false, answered_ ABSL_GUARDED_BY(mutex_) = false;
};

class StoringConnection final : public core::Connection {
 public:
  StoringConnection(std::shared_ptr<core::Connection> inner, std::shared_ptr<PayloadStore> store) {
    shared_->inner = std::move(inner);
    shared_->store = std::move(store);
  }

  std::shared_ptr<base::RpcInFlight> call(std::string_view method, Request request,
                                          Response response, core::CallOptions options,
                                          Done done) override {
    const auto* lite = std::get_if<const MessageLite*>(&request);
    auto* const* into = std::get_if<MessageLite*>(&response);
    const auto* message = lite == nullptr ? nullptr : dynamic_cast<const Message*>(*lite);
    if (options.values_as_they_are || message == nullptr || into == nullptr ||
        dynamic_cast<Message*>(*into) == nullptr)
      return inner().call(method, std::move(request), response, std::move(options),
                          std::move(done));
    auto call = std::make_shared<StoringCall>(shared_, method, *message, *into, std::move(options),
                                              std::move(done));
    call->start();
    return call;
  }

  bool stores_values() const override { return true; }
  const core::ConnectionOptions& options() const override { return inner().options(); }
  const wf::GetSystemInfoResponse::Capabilities& capabilities() const override {
    return inner().capabilities();
  }
  std::shared_ptr<core::EagerStarts> eager_starts() override { return inner().eager_starts(); }
  void set_api_key(std::string key) override { inner().set_api_key(std::move(key)); }
  bool reachable() const override { return inner().reachable(); }
  void set_metadata(base::RpcMetadata metadata) override {
    inner().set_metadata(std::move(metadata));
  }
  void set_client_name(std::string name, std::string version) override {
    inner().set_client_name(std::move(name), std::move(version));
  }

 private:
  core::Connection& inner() const { return *shared_->inner; }

  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace

std::shared_ptr<core::Connection> storing_connection(std::shared_ptr<core::Connection> inner,
                                                     std::shared_ptr<PayloadStore> store) {
  return std::make_shared<StoringConnection>(std::move(inner), std::move(store));
}

}  // namespace chimera::sdk
