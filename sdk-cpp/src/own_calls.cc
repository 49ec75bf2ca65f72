#include "sdk-cpp/src/own_calls.h"

#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/metric_meter.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

Time OwnCalls::call(NowInput&) { return runtime_.run().now; }

void OwnCalls::call(SleepInput& input) {
  Scheduler& scheduler = runtime_.scheduler();
  detail::TaskState& task = scheduler.waiting_task(input.kCall);
  if (input.duration.count() <= 0) {  // Lets the others go first, without a timer.
    if (Scheduler::take_cancel(task)) throw CancelledError();
    scheduler.wake(task);
    scheduler.park(task);
    if (Scheduler::take_cancel(task)) throw CancelledError();
    return;
  }
  scheduler.wait_for(runtime_.start_timer(input.duration), task);
}

bool OwnCalls::call(WaitConditionInput& input) {
  Scheduler& scheduler = runtime_.scheduler();
  detail::TaskState& task = scheduler.waiting_task(input.kCall);
  if (scheduler.conditions().ask(input.condition)) return true;
  if (input.timeout && input.timeout->count() <= 0) return false;
  OperationPtr timer;
  if (input.timeout) timer = runtime_.start_timer(*input.timeout);
  Condition waiting{.holds = &input.condition, .task = &task};
  struct Leave {
    Scheduler& scheduler;
    Condition& condition;
    const OperationPtr& timer;
    ~Leave() {
      scheduler.conditions().remove(condition);
      if (timer == nullptr) return;
      scheduler.cancel(timer);
    }
  } leave{scheduler, waiting, timer};
  scheduler.conditions().add(waiting);
  std::optional<Watching> time_is_up;
  if (timer != nullptr) time_is_up.emplace(*timer, task);
  for (;;) {
    scheduler.park(task);
    if (Scheduler::take_cancel(task)) throw CancelledError();
    if (waiting.error != nullptr) std::rethrow_exception(waiting.error);
    if (waiting.satisfied) return true;
    if (timer != nullptr && timer->done) return false;
  }
}

std::shared_ptr<detail::TaskState> OwnCalls::call(SpawnInput& input) {
  Scheduler& scheduler = runtime_.scheduler();
  if (runtime_.run().evicting)
    return scheduler.spawn("task", std::move(input.body), nullptr);  // Never starts.
  return scheduler.spawn("task", std::move(input.body), scheduler.waiting_task(input.kCall).scope);
}

const workflow::Info& OwnCalls::call(InfoInput&) { return runtime_.run().info; }

const workflow::UpdateInfo* OwnCalls::call(CurrentUpdateInfoInput&) {
  const detail::TaskState* const task = runtime_.scheduler().running();
  return task == nullptr ? nullptr : task->update.get();
}

bool OwnCalls::call(PatchedInput& input) {
  return runtime_.patches().patched(runtime_.run(), input.id, input.deprecated);
}

void OwnCalls::call(UpsertSearchAttributesInput& input) {
  Run& run = runtime_.run();
  if (!run.may_change(input.kCall)) return;
  core::UpsertWorkflowSearchAttributes command{to_proto(input.attributes)};
  for (const auto& [key, value] : command.search_attributes.indexed_fields()) {
    if (std::holds_alternative<std::monostate>(input.attributes.at(key))) {
      run.info.search_attributes.erase(key);
      continue;
    }
    run.info.search_attributes[key] = to_public(value);
  }
  run.add_command(std::move(command));
}

void OwnCalls::call(UpsertMemoInput& input) {
  Run& run = runtime_.run();
  if (!run.may_change(input.kCall)) return;
  for (const auto& [key, value] : input.memo) {
    if (value.metadata.empty() && value.data.empty()) {
      run.info.memo.erase(key);
    } else {
      run.info.memo[key] = value;
    }
  }
  run.add_command(core::ModifyWorkflowProperties{to_proto(input.memo, run.codec)});
}

void OwnCalls::call(SetHandlerInput& input) {
  runtime_.messages().set_handler(input.kind, std::move(input.handler));
}

MetricMeter OwnCalls::call(MetricMeterInput&) {
  const workflow::Info& info = runtime_.run().info;
  return MetricMeter(
      std::make_shared<const detail::Meter>(runtime_.run().metrics,
                                            MetricAttributes{{"namespace", info.namespace_},
                                                             {"task_queue", info.task_queue},
                                                             {"workflow_type", info.workflow_type}},
                                            /*silent_in_replay=*/true));
}

void OwnCalls::call(LogInput& input) {
  const workflow::Info& info = runtime_.run().info;
  log(input.level, "workflow", input.message,
      {{"workflow_id", info.workflow_id},
       {"run_id", info.run_id},
       {"workflow_type", info.workflow_type},
       {"task_queue", info.task_queue},
       {"attempt", absl::StrCat(info.attempt)}});
}

void OwnCalls::call(ContinueAsNewInput& input) {
  Run& run = runtime_.run();
  Scheduler& scheduler = runtime_.scheduler();
  detail::TaskState* const task = scheduler.running();
  if (!run.may_change(input.kCall) && task != nullptr) scheduler.throw_unwinding(*task);
  ContinueAsNew next;
  auto& attributes = next.attributes;
  const ContinueAsNewOptions& options = input.options;
  if (!options.workflow_type.empty())
    attributes.mutable_workflow_type()->set_name(options.workflow_type);
  if (!options.task_queue.empty()) attributes.mutable_task_queue()->set_name(options.task_queue);
  set_input(attributes, input.arguments, run.codec, std::move(input.header));
  set_duration(options.run_timeout, "ContinueAsNewOptions::run_timeout",
               [&] { return attributes.mutable_workflow_run_timeout(); });
  set_duration(options.task_timeout, "ContinueAsNewOptions::task_timeout",
               [&] { return attributes.mutable_workflow_task_timeout(); });
  if (options.retry_policy) *attributes.mutable_retry_policy() = to_proto(*options.retry_policy);
  if (!options.memo.empty()) *attributes.mutable_memo() = to_proto(options.memo, run.codec);
  if (!options.search_attributes.empty())
    *attributes.mutable_search_attributes() = to_proto(options.search_attributes);
  attributes.set_initial_versioning_behavior(
      static_cast<api::enums::v1::ContinueAsNewVersioningBehavior>(
          options.initial_versioning_behavior));
  if (task != nullptr) task->continuing_as_new = true;
  throw next;
}

}  // namespace chimera::sdk
