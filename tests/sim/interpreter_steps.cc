// What the interpreter's steps do.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tests/sim/interpreter.h"

namespace chimera::sim {

void Interpreter::run_fibers() {
  react_to_cancellation();
  for (bool progress = true; progress && !ended_;) {
    progress = false;
    for (std::size_t i = 0; i < fibers_.size(); ++i) {  // A step may add fibers.
      while (!ended_ && !fibers_[i].done && step(fibers_[i])) progress = true;
    }
  }
}

// After all jobs, as code that a language resumes: a timer of the same activation has fired by now.
void Interpreter::react_to_cancellation() {
  if (!cancelled_ || ended_) return;
  if (program_.on_cancel == Program::OnCancel::kEndAtOnce) return end_run();
  if (std::exchange(operations_cancelled_, true)) return;
  for (Operation& operation : operations_) {
    if (!operation.done) cancel(operation);
  }
}

// The operation that a step begins.
std::optional<Interpreter::Kind> Interpreter::begun_by(Step::Kind step) {
  using K = Step::Kind;
  switch (step) {
    case K::kActivity:
      return Kind::kActivity;
    case K::kLocal:
      return Kind::kLocal;
    case K::kTimer:
      return Kind::kTimer;
    case K::kChild:
      return Kind::kChild;
    case K::kNexus:
      return Kind::kNexus;
    case K::kSignalExternal:
      return Kind::kSignal;
    case K::kCancelExternal:
      return Kind::kCancel;
    default:
      return std::nullopt;
  }
}

bool Interpreter::step(Fiber& fiber) {
  using K = Step::Kind;
  if (fiber.at >= fiber.routine->size()) return end_fiber(fiber);
  const Step& step = (*fiber.routine)[fiber.at];
  switch (step.kind) {
    case K::kActivity:
    case K::kLocal:
    case K::kTimer:
    case K::kChild:
    case K::kNexus:
    case K::kSignalExternal:
    case K::kCancelExternal:
      begin(*begun_by(step.kind), step, fiber);
      break;
    case K::kWaitAll:
      if (!wait(fiber, /*all=*/true)) return false;
      break;
    case K::kWaitAny:
      if (!wait(fiber, /*all=*/false)) return false;
      break;
    case K::kWaitSignal:
      if (mailbox_.empty() && !cancelled_) return false;
      if (!mailbox_.empty()) mailbox_.erase(mailbox_.begin());
      break;
    case K::kCancel:
      if (!fiber.operations.empty()) {
        Operation& operation = operations_[fiber.operations[step.a % fiber.operations.size()]];
        if (!operation.done || step.b == 0) cancel(operation);
      }
      break;
    case K::kPatch:
    case K::kDeprecatePatch:
      patch(step);
      break;
    case K::kSideEffect:
    case K::kMutable:
    case K::kVersion:
      record(step);
      break;
    case K::kUpsert:
    case K::kMemo:
      describe(step);
      break;
    case K::kRandom:
      random_ = mix(random_, 1);
      digest_ = mix(digest_, random_);
      break;
    case K::kTime:
      digest_ =
          mix(digest_, static_cast<std::uint64_t>(activation_->time.time_since_epoch().count()));
      break;
    case K::kSkipIf:
      if ((digest_ >> step.a) & 1) fiber.at += step.b;
      break;
    case K::kCount:
      break;
  }
  ++fiber.at;
  return true;
}

void Interpreter::describe(const Step& step) {
  if (step.kind == Step::Kind::kUpsert) {
    core::UpsertWorkflowSearchAttributes upsert;
    (*upsert.search_attributes.mutable_indexed_fields())[absl::StrCat("Field", step.a)] = payload();
    return command(std::move(upsert));
  }
  core::ModifyWorkflowProperties modify;
  (*modify.upserted_memo.mutable_fields())[absl::StrCat("key", step.a)] = payload();
  command(std::move(modify));
}

void Interpreter::begin(Kind kind, const Step& step, Fiber& fiber) {
  const std::uint32_t seq = ++seqs_[static_cast<std::size_t>(kind)];
  by_seq_[{kind, seq}] = operations_.size();
  fiber.operations.push_back(operations_.size());
  operations_.push_back({kind, seq});
  switch (kind) {
    case Kind::kActivity:
      return schedule_activity(step, seq);
    case Kind::kLocal:
      return schedule_local(step, seq);
    case Kind::kTimer:
      return command(core::StartTimer{seq, std::chrono::milliseconds(step.a)});
    case Kind::kChild:
      return start_child(step, seq);
    case Kind::kNexus:
      return schedule_nexus(step, seq);
    case Kind::kSignal: {
      core::SignalExternalWorkflowExecution signal{seq};
      signal.attributes.mutable_execution()->set_workflow_id("another");
      signal.attributes.set_signal_name("hello");
      *signal.attributes.mutable_input()->add_payloads() = payload();
      return command(std::move(signal));
    }
    default: {
      core::RequestCancelExternalWorkflowExecution request{seq};
      request.attributes.set_workflow_id("another");
      request.attributes.set_reason(absl::StrCat(digest_));
      return command(std::move(request));
    }
  }
}

void Interpreter::schedule_activity(const Step& step, std::uint32_t seq) {
  core::ScheduleActivity schedule{seq, static_cast<core::ActivityCancellationType>(step.a)};
  schedule.attributes.mutable_activity_type()->set_name("work");
  schedule.attributes.mutable_start_to_close_timeout()->set_seconds(60);
  *schedule.attributes.mutable_input()->add_payloads() = payload();
  command(std::move(schedule));
}

void Interpreter::schedule_local(const Step& step, std::uint32_t seq) {
  core::ScheduleLocalActivity schedule{seq, static_cast<core::ActivityCancellationType>(step.a)};
  schedule.activity_type = "quick";
  schedule.start_to_close_timeout = std::chrono::seconds(60);
  *schedule.arguments.add_payloads() = payload();
  command(std::move(schedule));
}

void Interpreter::start_child(const Step& step, std::uint32_t seq) {
  core::StartChildWorkflowExecution start{seq,
                                          static_cast<core::ChildWorkflowCancellationType>(step.a)};
  random_ = mix(random_, 1);  // As default ids of children are made.
  start.attributes.set_workflow_id(absl::StrCat("child-", seq, "-", random_));
  start.attributes.mutable_workflow_type()->set_name("Child");
  *start.attributes.mutable_input()->add_payloads() = payload();
  command(std::move(start));
}

void Interpreter::schedule_nexus(const Step& step, std::uint32_t seq) {
  core::ScheduleNexusOperation schedule{
      seq, static_cast<core::NexusOperationCancellationType>(step.a), {}};
  schedule.attributes.set_endpoint("endpoint");
  schedule.attributes.set_service("Service");
  schedule.attributes.set_operation("work");
  *schedule.attributes.mutable_input() = payload();
  command(std::move(schedule));
}

bool Interpreter::wait(Fiber& fiber, bool all) {
  auto& waited = fiber.operations;
  const auto is_done = [this](std::size_t at) { return operations_[at].done; };
  if (waited.empty()) return true;
  if (all) {
    if (!std::all_of(waited.begin(), waited.end(), is_done)) return false;
    waited.clear();
    return true;
  }
  const auto ended = std::find_if(waited.begin(), waited.end(), is_done);
  if (ended == waited.end()) return false;
  waited.erase(ended);
  return true;
}

void Interpreter::cancel(Operation& operation) {
  switch (operation.kind) {
    case Kind::kTimer:
      operation.done = true;  // The core tells nothing of it.
      return command(core::CancelTimer{operation.seq});
    case Kind::kActivity:
      return command(core::RequestCancelActivity{operation.seq});
    case Kind::kLocal:
      return command(core::RequestCancelLocalActivity{operation.seq});
    case Kind::kChild:
      return command(
          core::CancelChildWorkflowExecution{operation.seq, absl::StrCat("digest ", digest_)});
    case Kind::kNexus:
      return command(core::RequestCancelNexusOperation{operation.seq});
    case Kind::kSignal:
      return command(core::CancelSignalWorkflow{operation.seq});
    default:
      return;  // A request to cancel cannot be taken back.
  }
}

void Interpreter::patch(const Step& step) {
  const bool deprecated = step.kind == Step::Kind::kDeprecatePatch;
  // Ids of both kinds are apart: one code does not have a patch in both states.
  const std::string id = absl::StrCat(deprecated ? "old-" : "patch-", step.a);
  const auto [at, fresh] = patches_.try_emplace(id, false);
  if (fresh) {
    at->second = !activation_->is_replaying || patches_notified_.contains(id);
    if (at->second) command(core::SetPatchMarker{id, deprecated});
  }
  if (!deprecated) digest_ = mix(digest_, at->second ? 1 : 0);
}

// The end of the routine is reached.
bool Interpreter::end_fiber(Fiber& fiber) {
  if (&fiber == &fibers_.front()) {
    const auto others_end = [](const Fiber& other) { return other.done; };
    if (program_.waits_for_handlers &&
        !std::all_of(fibers_.begin() + 1, fibers_.end(), others_end)) {
      return false;
    }
    fiber.done = true;
    end_run();
    return true;
  }
  fiber.done = true;
  if (fiber.update.empty()) return true;
  core::UpdateResponse response{fiber.update, core::UpdateResponse::Completed{payload()}};
  if (fiber.update_input % 4 == 1) {
    api::failure::v1::Failure failure;
    failure.set_message(absl::StrCat("update failed ", digest_));
    failure.mutable_application_failure_info();
    response.response = core::UpdateResponse::Rejected{std::move(failure)};
  }
  command(std::move(response));
  return true;
}

void Interpreter::end_run() {
  ended_ = true;
  if (cancelled_ || program_.end == Program::End::kCancel) {
    return command(core::CancelWorkflowExecution{});
  }
  switch (program_.end) {
    case Program::End::kFail: {
      core::FailWorkflowExecution fail;
      fail.failure.set_message(absl::StrCat("failed ", digest_));
      fail.failure.mutable_application_failure_info();
      return command(std::move(fail));
    }
    case Program::End::kContinueAsNew: {
      core::ContinueAsNewWorkflowExecution again;
      *again.attributes.mutable_input()->add_payloads() = payload();
      return command(std::move(again));
    }
    default:
      return command(core::CompleteWorkflowExecution{payload()});
  }
}

}  // namespace chimera::sim
