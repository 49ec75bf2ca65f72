#include "pipeline.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "chimera/errors.h"
#include "steps.h"

namespace pipeline {
namespace {

namespace workflow = chimera::workflow;
using chimera::Payload;

chimera::Duration timeout(const Step& step) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(step.timeout_seconds * 1000));
}

// A worker answers "NotFoundError" for a name that it does not have. All workers of a task queue
// have the same activities, so that another attempt would find no more.
chimera::RetryPolicy retries(const Step& step) {
  return {.initial_interval = std::chrono::milliseconds(200),
          .maximum_attempts = step.attempts,
          .non_retryable_error_types = {"NotFoundError"}};
}

// By name: a result of type Payload is not read either.
template <class... A>
workflow::ActivityHandle<Payload> start(const Step& step, const A&... arguments) {
  if (!step.local) {
    return workflow::start_activity<Payload>(
        step.name, {.start_to_close_timeout = timeout(step), .retry_policy = retries(step)},
        arguments...);
  }
  // There is no queue where somebody could wait who has it; the task would fail until we do.
  if (std::ranges::find(kStepNames, step.name) == kStepNames.end())
    throw chimera::ApplicationError("this program has no step " + step.name,
                                    {.type = "UnknownStep"});
  return workflow::start_local_activity<Payload>(
      step.name, {.start_to_close_timeout = timeout(step), .retry_policy = retries(step)},
      arguments...);
}

// The outputs as one JSON list, put together without reading them.
Payload list_of(const Stage& stage, const std::vector<Payload>& outputs) {
  Payload list{.metadata = {{"encoding", "json/plain"}}, .data = "["};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& encoding = outputs[i].metadata.at("encoding");
    const bool null = encoding == "binary/null";
    if (!null && !encoding.starts_with("json/"))
      throw chimera::ApplicationError("the output of step " + stage[i].name + " is " + encoding +
                                      ", which cannot stand in a list");
    list.data += (i == 0 ? "" : ",") + (null ? "null" : outputs[i].data);
  }
  list.data += "]";
  return list;
}

}  // namespace

Payload PipelineWorkflow::run_stage(const Stage& stage, const Payload& input) {
  std::vector<workflow::ActivityHandle<Payload>> running;
  std::vector<Payload> outputs;
  std::size_t at = 0;  // The step that we start or wait for, which an error names.
  try {
    for (; at < stage.size(); ++at) {  // All are started before one is waited for.
      const Step& step = stage[at];
      running.push_back(step.settings.empty() ? start(step, input)
                                              : start(step, input, step.settings));
    }
    for (at = 0; at < stage.size(); ++at) outputs.push_back(running[at].get());
  } catch (const chimera::FailureError& error) {
    for (auto& other : running) other.cancel();
    if (chimera::is_cancelled(error)) throw;  // We were asked to stop; no step failed.
    throw chimera::ApplicationError(
        "step " + stage[at].name + " of stage " + std::to_string(stage_) + " failed",
        {.type = "StepFailed", .cause = std::current_exception()});
  }
  return outputs.size() == 1 ? outputs.front() : list_of(stage, outputs);
}

Payload PipelineWorkflow::run(std::vector<Stage> stages, Payload input) {
  stages_ = stages.size();
  for (const Stage& stage : stages) {
    ++stage_;
    input = run_stage(stage, input);
  }
  return input;
}

std::string PipelineWorkflow::progress() const {
  return "stage " + std::to_string(stage_) + " of " + std::to_string(stages_);
}

}  // namespace pipeline
