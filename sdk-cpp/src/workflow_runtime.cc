#include "sdk-cpp/src/workflow_runtime.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/converter/payload.h"
#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {
namespace {

thread_local WorkflowRuntime* current_runtime = nullptr;

// A parked fiber touches one or two pages of its stack (measured for boost.context 1.74: 4 to 8
// KiB).
constexpr std::size_t kBytesPerFiber = 8 * 1024, kBytesPerRun = 3 * 1024;

bool told_ahead(const core::Job& job) {
  return std::holds_alternative<core::NotifyHasPatch>(job) ||
         std::holds_alternative<core::NotifyRecorded>(job);
}

bool in_handlers_set(const core::Job& job) {
  return std::holds_alternative<core::SignalWorkflow>(job) ||
         std::holds_alternative<core::DoUpdate>(job);
}

bool ends_run(const std::vector<core::Command>& commands) {
  return std::any_of(commands.begin(), commands.end(), [](const core::Command& command) {
    return std::holds_alternative<core::CompleteWorkflowExecution>(command.variant) ||
           std::holds_alternative<core::FailWorkflowExecution>(command.variant) ||
           std::holds_alternative<core::CancelWorkflowExecution>(command.variant) ||
           std::holds_alternative<core::ContinueAsNewWorkflowExecution>(command.variant);
  });
}

// Sets the thread's current run for the time of a call.
class Entered {
 public:
  explicit Entered(WorkflowRuntime* runtime) : before_(std::exchange(current_runtime, runtime)) {}
  ~Entered() { current_runtime = before_; }

 private:
  WorkflowRuntime* before_;
};

core::Completion failed_task(std::string message, bool nondeterminism = false) {
  core::Completion::Failure failed{.failure =
                                       plain_failure(std::move(message), "WorkflowTaskFailure")};
  if (nondeterminism)
    failed.cause = api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
  return {std::move(failed)};
}

// One overload for each kind of job.
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // Clang 14 does not make it up by itself.

}  // namespace

namespace {
// The arguments of its run method and constructor.
const ProtoPayloads& named(const Run& run, const ProtoPayloads& arguments, ProtoPayloads& scratch) {
  return run.type.dynamic ? with_name(run.context.workflow_type, arguments, scratch) : arguments;
}
}  // namespace

class WorkflowRuntime::Code final : public WorkflowInbound {
 public:
  explicit Code(Run& run) : WorkflowInbound(nullptr), run_(run) {}
  void execute(const ExecuteWorkflowInput& input, PayloadSink& result) override {
    ProtoPayloads scratch;
    const PayloadList arguments(&named(run_, input.arguments, scratch));
    run_.type.run(run_.object.get(), arguments, &result);
  }
  void handle_signal(const HandlerInput& input) override {
    input.handler.call(run_.object.get(), PayloadList(&input.arguments), nullptr);
  }
  void handle_query(const HandlerInput& input, PayloadSink& result) override {
    input.handler.call(run_.object.get(), PayloadList(&input.arguments), &result);
  }
  void validate_update(const HandlerInput& input) override {
    input.handler.validate(run_.object.get(), PayloadList(&input.arguments), nullptr);
  }
  void handle_update(const HandlerInput& input, PayloadSink& result) override {
    input.handler.call(run_.object.get(), PayloadList(&input.arguments), &result);
  }

 private:
  Run& run_;
};

WorkflowRuntime::WorkflowRuntime(const detail::WorkflowType& type, const core::RunContext& context,
                                 const Codec& codec, core::Metrics& metrics, StackPool& stacks,
                                 const WorkerInterceptors& interceptors)
    : run_(type, context, codec, metrics),
      root_scope_(std::make_shared<detail::ScopeState>()),
      scheduler_(run_, stacks),
      operations_(*this, run_, scheduler_),
      last_(operations_),
      outbound_(interceptors, last_),
      code_(std::make_unique<Code>(run_)),
      inbound_(interceptors, *code_),
      messages_(run_, scheduler_, inbound_.first()) {}

WorkflowRuntime::~WorkflowRuntime() {
  const RunningScope names_crashes(run_.owner);  // Of a destructor that throws, for example.
  evict();
  const Entered entered(this);  // For destructors of the user's object that ask info().
  if (run_.lost) new std::shared_ptr<void>(std::move(run_.object));  // Kept for ever.
  if (run_.object == nullptr && !messages_.holds_code()) return;
  scheduler_.destroy([this] {
    messages_.forget_handlers();
    run_.object.reset();
  });
}

WorkflowRuntime* WorkflowRuntime::current_or_null() { return current_runtime; }

WorkflowRuntime& WorkflowRuntime::current(const char* call) {
  if (current_runtime != nullptr) return *current_runtime;
  throw std::logic_error(
      absl::StrCat("chimera::workflow::", call,
                   " was called outside a workflow; only code on a workflow's own fiber may"));
}

void refuse_in_workflow(const char* call) {
  if (current_runtime == nullptr) return;
  throw std::logic_error(absl::StrCat(call, " was called inside ", current_runtime->run().owner,
                                      ": a replay would call it again; use an activity, or a "
                                      "handle of chimera::workflow"));
}

std::size_t WorkflowRuntime::memory_bytes() const {
  return kBytesPerRun + scheduler_.tasks().size() * kBytesPerFiber + arguments_.SpaceUsedLong();
}

std::optional<core::Completion> WorkflowRuntime::activate(
    std::shared_ptr<const core::Activation> activation, core::ActivationDone) {
  return guarded_activation(*activation);
}

// Nothing may leave on the lane: what the code's own converters and codecs throw off its fibers
// fails the task.
core::Completion WorkflowRuntime::guarded_activation(const core::Activation& activation) {
  prepare_crash_report();
  const RunningScope names_crashes(run_.owner);
  try {
    return run_activation(activation);
  } catch (...) {
    scheduler_.nothing_runs();
    run_.read_only = false;
    return failed_task(absl::StrCat("cannot run a task of ", run_.owner, ": ", describe_current()));
  }
}

core::Completion WorkflowRuntime::run_activation(const core::Activation& activation) {
  const Entered entered(this);
  begin(activation);
  if (!activation.jobs.empty() &&
      std::holds_alternative<core::RemoveFromCache>(activation.jobs.back())) {
    evict();
    return {core::Completion::Success{}};
  }
  if (run_.lost || run_.broken)
    return failed_task(absl::StrCat(
        run_.owner, run_.lost
                        ? " ran out of stack before; the task's next attempt begins anew, with more"
                        : " was left in the middle before; the task's next attempt begins anew"));
  const auto* query =
      activation.jobs.empty() ? nullptr : std::get_if<core::QueryWorkflow>(&activation.jobs[0]);
  if (query != nullptr) {
    for (const core::Job& job : activation.jobs)
      messages_.answer_query(std::get<core::QueryWorkflow>(job));
    if (run_.lost || run_.broken) {
      return {core::Completion::Success{.commands = std::exchange(run_.commands, {}),
                                        .unusable = run_.task_error}};
    }
  } else {
    for (const Set set : {Set::kPatches, Set::kHandlers, Set::kRest}) {
      run_set(activation, set);
      if (!run_.task_error.empty()) break;
    }
  }
  if (!run_.task_error.empty()) return failed_task(run_.task_error, run_.disagrees);
  if (ends_run(run_.commands)) messages_.warn_of_unfinished_handlers();
  return {core::Completion::Success{
      .commands = std::exchange(run_.commands, {}),
      .versioning_behavior =
          static_cast<api::enums::v1::VersioningBehavior>(run_.type.versioning_behavior)}};
}

namespace {

void tell(const core::Activation& activation, workflow::Info& info) {
  info.is_replaying = activation.is_replaying;
  info.history_length = activation.history_length;
  info.history_size = activation.history_size_bytes;
  info.continue_as_new_suggested = activation.continue_as_new_suggested;
  info.suggest_continue_as_new_reasons.clear();
  for (const auto reason : activation.suggest_continue_as_new_reasons) {
    info.suggest_continue_as_new_reasons.push_back(
        static_cast<workflow::SuggestContinueAsNewReason>(reason));
  }
  info.target_worker_deployment_version_changed =
      activation.target_worker_deployment_version_changed;
  info.current_deployment_version.reset();
  if (activation.deployment_version_for_current_task)
    info.current_deployment_version = to_public(*activation.deployment_version_for_current_task);
}

}  // namespace

void WorkflowRuntime::begin(const core::Activation& activation) {
  run_.now = activation.time;
  tell(activation, run_.info);
  run_.commands.clear();
  run_.task_error.clear();
  run_.disagrees = false;
  messages_.begin_activation();
  constructor_threw_ = false;
}

void WorkflowRuntime::run_set(const core::Activation& activation, Set wanted) {
  bool any = false, only_updates = true;
  // What the object is made from must be there before the first handler runs.
  for (const core::Job& job : activation.jobs) {
    if (const auto* init = std::get_if<core::InitializeWorkflow>(&job);
        init != nullptr && !initialized_)
      initialize(*init);
  }
  for (const core::Job& job : activation.jobs) {
    const Set set = told_ahead(job)        ? Set::kPatches
                    : in_handlers_set(job) ? Set::kHandlers
                                           : Set::kRest;
    if (set != wanted) continue;
    any = true;
    if (std::holds_alternative<core::InitializeWorkflow>(job)) {
      only_updates = false;
      scheduler_.spawn(
                    "run", [this] { report_trouble(run_, [this] { run_main(); }); }, nullptr)
          ->scope = root_scope_;
      continue;
    }
    only_updates = only_updates && std::holds_alternative<core::DoUpdate>(job);
    apply(job);
    if (!run_.task_error.empty()) return;
  }
  if (!any) return;
  if (run_.object == nullptr && initialized_) make_object();
  if (!run_.task_error.empty()) return;
  if (constructor_threw_) {  // The run has failed: there is nothing that its code could run on.
    return scheduler_.forget_all();
  }
  scheduler_.run_ready(false);
  // A rejected update leaves no history, so it must not be able to move the workflow.
  if (wanted == Set::kPatches ||
      (wanted == Set::kHandlers && only_updates && !messages_.accepted_update()))
    return;
  scheduler_.run_ready(true);
}

void WorkflowRuntime::apply(const core::Job& job) {
  std::visit(Overloaded{[](const core::InitializeWorkflow&) {},  // run_set()
                        [](const core::QueryWorkflow&) {},       // Messages::answer_query()
                        [](const core::RemoveFromCache&) {},     // evict()
                        [this](const core::UpdateRandomSeed& one) {
                          run_.random.seed(one.randomness_seed);
                        },
                        [this](const core::NotifyHasPatch& one) { patches_.apply(one); },
                        [this](const core::NotifyRecorded& one) { records_.apply(one); },
                        [this](const core::CancelWorkflow& one) {
                          run_.cancel_requested = true;
                          run_.cancel_reason = one.reason;
                          scheduler_.cancel(root_scope_, one.reason);
                        },
                        [this](const core::SignalWorkflow& one) { messages_.apply(one); },
                        [this](const core::DoUpdate& one) { messages_.apply(one); },
                        [this](const auto& resolution) { operations_.apply(resolution); }},
             job);
}

namespace {
// As the server sets its timers.
std::optional<Time> deadline_of(const api::history::v1::WorkflowExecutionStartedEventAttributes& it,
                                base::WallTime start) {
  std::optional<Time> deadline;
  if (const Duration run = base::to_nanoseconds(it.workflow_run_timeout()); run.count() > 0)
    deadline = start + base::to_nanoseconds(it.first_workflow_task_backoff()) + run;
  if (it.has_workflow_execution_expiration_time()) {
    const Time all = base::to_wall_time(it.workflow_execution_expiration_time());
    if (all.time_since_epoch().count() > 0 && (!deadline || all < *deadline)) deadline = all;
  }
  return deadline;
}
}  // namespace

void WorkflowRuntime::initialize(const core::InitializeWorkflow& job) {
  const auto& started = *job.started;
  workflow::Info& info = run_.info;
  initialized_ = true;
  header_ = started.header();
  arguments_ = started.input();
  run_.random.seed(job.randomness_seed);
  info.workflow_id = run_.context.workflow_id;
  info.run_id = run_.context.run_id;
  info.workflow_type = run_.context.workflow_type;
  info.task_queue = run_.context.task_queue;
  info.namespace_ = run_.context.namespace_;
  info.attempt = started.attempt();
  info.first_execution_run_id = started.first_execution_run_id();
  info.continued_run_id = started.continued_execution_run_id();
  info.cron_schedule = started.cron_schedule();
  info.execution_timeout = base::to_nanoseconds(started.workflow_execution_timeout());
  info.run_timeout = base::to_nanoseconds(started.workflow_run_timeout());
  info.task_timeout = base::to_nanoseconds(started.workflow_task_timeout());
  info.workflow_start_time = job.start_time;
  info.start_time = run_.now;
  if (started.has_retry_policy()) info.retry_policy = to_public(started.retry_policy());
  info.priority = to_public(started.priority());
  if (started.has_root_workflow_execution()) {
    info.root = workflow::RootInfo{.workflow_id = started.root_workflow_execution().workflow_id(),
                                   .run_id = started.root_workflow_execution().run_id()};
  }
  if (started.has_parent_workflow_execution()) {
    info.parent =
        workflow::ParentInfo{.namespace_ = started.parent_workflow_namespace(),
                             .workflow_id = started.parent_workflow_execution().workflow_id(),
                             .run_id = started.parent_workflow_execution().run_id()};
  }
  info.deadline = deadline_of(started, job.start_time);
  last_completion_result_ = started.last_completion_result();
  if (started.has_continued_failure())
    last_failure_ = std::make_unique<api::failure::v1::Failure>(started.continued_failure());
  for (const auto& [key, value] : started.memo().fields()) {
    try {
      ProtoPayload scratch;
      info.memo[key] = to_public(decoded(value, run_.codec, scratch));
    } catch (...) {
      run_.set_task_error(absl::StrCat("cannot decode the memo '", key, "' of ", run_.owner, ": ",
                                       describe_current()));
    }
  }
  for (const auto& [key, value] : started.search_attributes().indexed_fields()) {
    info.search_attributes[key] = to_public(value);
  }
  for (const auto& [key, value] : started.header().fields())
    info.headers.emplace(key, to_public(value));
}

void WorkflowRuntime::run_main() {
  try {
    core::CompleteWorkflowExecution complete;
    ProtoPayloads scratch;
    ProtoPayload result;
    PayloadSink sink(&result);
    inbound_.first().execute({decoded(arguments_, run_.codec, scratch), header_}, sink);
    encode_in_place(result, run_.codec);
    complete.result = std::move(result);
    run_.place = 0;
    run_.add_command(std::move(complete));
  } catch (...) {
    end_with_current_exception(run_);
  }
}

void WorkflowRuntime::make_object() {
  if (constructor_threw_) return;
  try {
    scheduler_.call([this] {
      ProtoPayloads scratch, named_scratch;
      const ProtoPayloads& arguments = decoded(arguments_, run_.codec, scratch);
      run_.object = run_.type.create(PayloadList(&named(run_, arguments, named_scratch)));
    });
  } catch (...) {
    constructor_threw_ = true;
    end_with_current_exception(run_);
  }
}

void WorkflowRuntime::evict() {
  const Entered entered(this);
  scheduler_.evict();
}

}  // namespace chimera::sdk
