#include "tests/sim/faults.h"

#include <algorithm>

namespace chimera::sim {
namespace {

bool is_signal(const core::Job& job) { return std::holds_alternative<core::SignalWorkflow>(job); }
bool is_result(const core::Job& job) { return std::holds_alternative<core::ResolveActivity>(job); }
bool is_timer(const core::Job& job) { return std::holds_alternative<core::FireTimer>(job); }
bool is_patch(const core::Job& job) { return std::holds_alternative<core::NotifyHasPatch>(job); }

// Queries and eviction run no code of the workflow.
bool runs_code(const core::Activation& activation) {
  const core::Job& first = activation.jobs.front();
  return !std::holds_alternative<core::QueryWorkflow>(first) &&
         !std::holds_alternative<core::RemoveFromCache>(first);
}

}  // namespace

std::shared_ptr<const core::Activation> FaultLayer::deliver(
    std::shared_ptr<const core::Activation> original) {
  if (fault_ == Fault::kNone || !runs_code(*original)) return original;
  auto spoiled = std::make_shared<core::Activation>(*original);
  if (fault_ == Fault::kLateResult) {
    if (late_is_due_ && !cancelled_.empty()) {
      spoiled->jobs.push_back(core::ResolveActivity{*cancelled_.begin(), core::Completed{nullptr}});
      cancelled_.clear();
    }
    for (const core::Job& job : original->jobs) {
      const auto* result = std::get_if<core::ResolveActivity>(&job);
      if (!result || !std::holds_alternative<core::Cancelled>(result->result)) continue;
      cancelled_.insert(result->seq);
      late_is_due_ = true;
    }
  } else if (original->is_replaying) {
    spoil(*spoiled);
  }
  return spoiled->jobs.empty() ? original : spoiled;
}

void FaultLayer::spoil(core::Activation& activation) {
  auto& jobs = activation.jobs;
  switch (fault_) {
    case Fault::kTimerTwice:
      return repeat_timer(activation);
    case Fault::kTimerLost:
      if (const auto timer = std::find_if(jobs.begin(), jobs.end(), is_timer);
          !done_ && timer != jobs.end()) {
        jobs.erase(timer);
        done_ = true;
      }
      return;
    case Fault::kResultsBeforeSignals: {
      std::vector<core::Job> results, others;
      for (const core::Job& job : jobs) (is_result(job) ? results : others).push_back(job);
      const auto signal = std::find_if(others.begin(), others.end(), is_signal);
      others.insert(signal, results.begin(), results.end());
      jobs = std::move(others);
      return;
    }
    case Fault::kSignalsSwapped: {
      const auto first = std::find_if(jobs.begin(), jobs.end(), is_signal);
      if (first == jobs.end()) return;
      const auto second = std::find_if(first + 1, jobs.end(), is_signal);
      if (second != jobs.end())
        std::swap(std::get<core::SignalWorkflow>(*first), std::get<core::SignalWorkflow>(*second));
      return;
    }
    case Fault::kWrongSeed:
      if (auto* start = std::get_if<core::InitializeWorkflow>(&jobs.front()))
        start->randomness_seed ^= 1;
      return;
    case Fault::kWrongTime:
      activation.time += std::chrono::nanoseconds(1);
      return;
    case Fault::kPatchUntold:
      std::erase_if(jobs, is_patch);
      return;
    default:
      return;
  }
}

void FaultLayer::repeat_timer(core::Activation& activation) {
  auto& jobs = activation.jobs;
  const auto timer = std::find_if(jobs.begin(), jobs.end(), is_timer);
  if (done_ || timer == jobs.end()) return;
  done_ = true;
  const core::Job again = *timer;
  jobs.push_back(again);
}

void FaultLayer::answer(const core::Activation& activation, core::Completion& completion) {
  if (fault_ != Fault::kCommandLost || !runs_code(activation)) return;
  if (activation.is_replaying) {
    replayed_ = true;
    return;
  }
  auto& commands = std::get<core::Completion::Success>(completion.status).commands;
  if (!replayed_ || commands.empty()) return;
  replayed_ = false;
  commands.pop_back();
}

}  // namespace chimera::sim
