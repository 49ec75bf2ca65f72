#include "tests/sim/interpreter.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "tests/sim/text.h"

namespace chimera::sim {
namespace {

std::uint64_t number(const api::common::v1::Payloads& payloads) {
  std::uint64_t value = 0;
  if (!payloads.payloads().empty()) (void)absl::SimpleAtoi(payloads.payloads(0).data(), &value);
  return value;
}

api::failure::v1::Failure failure(std::string message) {
  api::failure::v1::Failure out;
  out.set_message(std::move(message));
  out.mutable_application_failure_info()->set_type("Simulated");
  return out;
}

}  // namespace

core::Completion Interpreter::activate(const core::Activation& activation) {
  commands_.clear();
  activation_ = &activation;
  const core::Job& first = activation.jobs.front();
  if (std::holds_alternative<core::QueryWorkflow>(first)) {
    answer_queries(activation);
  } else if (!std::holds_alternative<core::RemoveFromCache>(first)) {
    for (const core::Job& job : activation.jobs) take(job, activation);
    run_fibers();
  }
  activation_ = nullptr;
  core::Completion::Success success;
  success.commands = std::move(commands_);
  return {std::move(success)};
}

void Interpreter::take(const core::Job& job, const core::Activation& activation) {
  job_ = &job;
  if (ended_) violations_.push_back(absl::StrCat("a job after the end: ", text(job)));
  std::visit([this](const auto& one) { on(one); }, job);
}

void Interpreter::on(const core::InitializeWorkflow& job) {
  digest_ = mix(0, job.workflow_id);
  random_ = job.randomness_seed;
  fibers_.insert(fibers_.begin(), Fiber{&program_.main});
}

void Interpreter::on(const core::UpdateRandomSeed& job) { random_ = job.randomness_seed; }

void Interpreter::on(const core::NotifyHasPatch& job) { patches_notified_.insert(job.patch_id); }

namespace {

std::string name_of(core::Recorded::Kind kind, const std::string& id, std::int64_t number) {
  return absl::StrCat(static_cast<int>(kind), " ", id, " ",
                      kind == core::Recorded::Kind::kVersion ? 0 : number);
}

}  // namespace

void Interpreter::on(const core::NotifyRecorded& job) {
  const core::Recorded& told = job.recorded;
  const bool version = told.kind == core::Recorded::Kind::kVersion;
  const bool fresh = recorded_
                         .emplace(name_of(told.kind, told.id, told.number),
                                  version ? absl::StrCat(told.number) : told.value.data())
                         .second;
  if (!fresh) violations_.push_back(absl::StrCat("told what is known: ", text(core::Job(job))));
}

// History must have the very value that the code made there.
const std::string* Interpreter::kept_record(core::Recorded::Kind kind, const std::string& id,
                                            std::int64_t number, const std::string& made) {
  const auto known = recorded_.find(name_of(kind, id, number));
  if (known == recorded_.end()) return nullptr;
  if (known->second != made) {
    violations_.push_back(absl::StrCat("history has ", known->second, " where the code made ", made,
                                       ": ", known->first));
  }
  return &known->second;
}

void Interpreter::record(const Step& step) {
  if (step.kind == Step::Kind::kSideEffect) return side_effect();
  step.kind == Step::Kind::kMutable ? mutable_side_effect(step) : version(step);
}

void Interpreter::side_effect() {
  constexpr auto kKind = core::Recorded::Kind::kSideEffect;
  const std::int64_t number = ++calls_[""];
  core::Recorded made{kKind, "", number, payload()};
  const std::string* known = kept_record(kKind, "", number, made.value.data());
  if (known == nullptr && activation_->is_replaying)
    violations_.push_back(absl::StrCat("side effect ", number, " was not told"));
  digest_ = mix(digest_, known == nullptr ? made.value.data() : *known);
  command(core::RecordOnce{std::move(made)});
}

void Interpreter::mutable_side_effect(const Step& step) {
  constexpr auto kKind = core::Recorded::Kind::kMutableSideEffect;
  const std::string id = absl::StrCat("mutable-", step.a);
  const std::int64_t call = ++calls_[id];
  core::Recorded made{kKind, id, call, payload()};
  // It changes now and then.
  const bool changes = call == 1 || digest_ % 3 == 0;
  const std::string* known = kept_record(kKind, id, call, made.value.data());
  if (activation_->is_replaying && (known != nullptr) != changes) {
    violations_.push_back(
        absl::StrCat("mutable side effect ", id, ", call ", call, known ? ": told" : ": not told"));
  }
  if (changes) {
    kept_[id] = known == nullptr ? made.value.data() : *known;
    command(core::RecordOnce{std::move(made)});
  }
  digest_ = mix(digest_, kept_[id]);
}

void Interpreter::version(const Step& step) {
  constexpr auto kKind = core::Recorded::Kind::kVersion;
  const std::string id = absl::StrCat("change-", step.a);
  if (const auto known = versions_.find(id); known != versions_.end()) {
    digest_ = mix(digest_, static_cast<std::uint64_t>(known->second));
    return;
  }
  const std::int64_t highest = 1 + static_cast<std::int64_t>(digest_ % 3);
  if (kept_record(kKind, id, 0, absl::StrCat(highest)) == nullptr && activation_->is_replaying)
    violations_.push_back(absl::StrCat("the version of ", id, " was not told"));
  versions_[id] = highest;
  digest_ = mix(digest_, static_cast<std::uint64_t>(highest));
  command(core::RecordOnce{{kKind, id, highest}});
}

void Interpreter::on(const core::SignalWorkflow& job) {
  const std::uint64_t input = number(job.signal->input());
  digest_ = mix(digest_, input);
  if (job.signal->signal_name() == "go") {
    mailbox_.push_back(input);
  } else {
    fibers_.push_back(Fiber{&program_.handlers[input % program_.handlers.size()]});
  }
}

void Interpreter::on(const core::DoUpdate& job) {
  const std::uint64_t input = number(job.request->input().args());
  const bool rejects = input % 4 == 0;
  if (rejects && job.run_validator) {
    // Leaves no trace in history, so it must leave none here.
    return command(core::UpdateResponse{job.protocol_instance_id,
                                        core::UpdateResponse::Rejected{failure("not this one")}});
  }
  if (rejects) violations_.push_back(absl::StrCat("a rejected update comes again: ", job.id));
  if (job.run_validator == activation_->is_replaying)
    violations_.push_back(absl::StrCat("run_validator is wrong for update ", job.id));
  digest_ = mix(digest_, input);
  command(core::UpdateResponse{job.protocol_instance_id, core::UpdateResponse::Accepted{}});
  Fiber fiber{&program_.handlers[input % program_.handlers.size()]};
  fiber.update = job.protocol_instance_id;
  fiber.update_input = input;
  fibers_.push_back(std::move(fiber));
}

void Interpreter::on(const core::CancelWorkflow& job) {
  digest_ = mix(digest_, job.reason);
  cancelled_ = program_.on_cancel != Program::OnCancel::kIgnore;
}

Interpreter::Operation* Interpreter::under_way(Kind kind, std::uint32_t seq) {
  const auto found = by_seq_.find({kind, seq});
  if (found != by_seq_.end() && !operations_[found->second].done)
    return &operations_[found->second];
  violations_.push_back(absl::StrCat("a job for what is not under way: ", text(*job_)));
  return nullptr;
}

void Interpreter::resolve(Kind kind, std::uint32_t seq, const core::Job& job) {
  Operation* operation = under_way(kind, seq);
  if (!operation) return;
  operation->done = true;
  operation->outcome = text(job);
  // The order of results within an activation counts.
  digest_ = mix(digest_, operation->outcome);
}

void Interpreter::on(const core::FireTimer& job) { resolve(Kind::kTimer, job.seq, *job_); }
void Interpreter::on(const core::ResolveActivity& job) {
  resolve(job.is_local ? Kind::kLocal : Kind::kActivity, job.seq, *job_);
}
void Interpreter::on(const core::ResolveSignalExternalWorkflow& job) {
  resolve(Kind::kSignal, job.seq, *job_);
}
void Interpreter::on(const core::ResolveRequestCancelExternalWorkflow& job) {
  resolve(Kind::kCancel, job.seq, *job_);
}

void Interpreter::on(const core::ResolveChildWorkflowExecutionStart& job) {
  using Start = core::ResolveChildWorkflowExecutionStart;
  if (!std::holds_alternative<Start::Succeeded>(job.status)) {
    return resolve(Kind::kChild, job.seq, *job_);
  }
  Operation* child = under_way(Kind::kChild, job.seq);
  if (!child) return;
  if (child->started) violations_.push_back(absl::StrCat("a child starts twice: ", job.seq));
  child->started = true;
  digest_ = mix(digest_, text(*job_));
}

void Interpreter::on(const core::ResolveChildWorkflowExecution& job) {
  const Operation* child = under_way(Kind::kChild, job.seq);
  if (child && !child->started)
    violations_.push_back(absl::StrCat("a child ends that did not start: ", job.seq));
  if (child) resolve(Kind::kChild, job.seq, *job_);
}

void Interpreter::on(const core::ResolveNexusOperationStart& job) {
  if (std::holds_alternative<core::Failed>(job.status))
    return resolve(Kind::kNexus, job.seq, *job_);
  Operation* operation = under_way(Kind::kNexus, job.seq);
  if (!operation) return;
  if (operation->started)
    violations_.push_back(absl::StrCat("a Nexus operation starts twice: ", job.seq));
  operation->started = true;
  digest_ = mix(digest_, text(*job_));
}

// One that is cancelled may end before it starts.
void Interpreter::on(const core::ResolveNexusOperation& job) {
  const Operation* operation = under_way(Kind::kNexus, job.seq);
  if (operation && !operation->started && std::holds_alternative<core::Completed>(job.result)) {
    violations_.push_back(
        absl::StrCat("a Nexus operation completes that did not start: ", job.seq));
  }
  if (operation) resolve(Kind::kNexus, job.seq, *job_);
}

void Interpreter::answer_queries(const core::Activation& activation) {
  for (const core::Job& job : activation.jobs) {
    const auto* query = std::get_if<core::QueryWorkflow>(&job);
    if (!query) continue;
    core::RespondToQuery answer{query->query_id, payload()};
    if (query->query->query_type() == "bad") answer.answer = failure("no such query");
    command(std::move(answer));
  }
}

api::common::v1::Payload Interpreter::payload() const {
  api::common::v1::Payload out;
  (*out.mutable_metadata())["encoding"] = "json/plain";
  out.set_data(absl::StrCat(digest_));
  return out;
}

std::string Interpreter::waiting() const {
  std::string out;
  for (const Operation& operation : operations_) {
    if (!operation.done)
      absl::StrAppend(&out, " operation ", static_cast<int>(operation.kind), "/", operation.seq);
  }
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    if (!fibers_[i].done) absl::StrAppend(&out, " fiber ", i, " at step ", fibers_[i].at);
  }
  return out;
}

}  // namespace chimera::sim
