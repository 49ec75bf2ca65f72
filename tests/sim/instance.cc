#include "tests/sim/instance.h"

#include <set>

#include "absl/strings/str_cat.h"

#include "tests/sim/text.h"

namespace chimera::sim {
namespace {

bool is_query(const core::Activation& activation) {
  return std::holds_alternative<core::QueryWorkflow>(activation.jobs.front());
}
bool is_removal(const core::Activation& activation) {
  return std::holds_alternative<core::RemoveFromCache>(activation.jobs.front());
}

}  // namespace

SimInstance::SimInstance(const Program& program, RunRecord& record, Fault fault)
    : record_(record), number_(record.instances.size()), faults_(fault), interpreter_(program) {
  record.instances.emplace_back();
}

std::optional<core::Completion> SimInstance::activate(
    std::shared_ptr<const core::Activation> original, core::ActivationDone done) {
  if (original->jobs.empty()) {
    violation("an activation without jobs");
    return core::Completion{core::Completion::Success{}};
  }
  record_.told(*original);
  const std::shared_ptr<const core::Activation> activation = faults_.deliver(std::move(original));
  check(*activation);
  core::Completion completion{core::Completion::Success{}};
  if (!is_query(*activation) && !is_removal(*activation) && !activation->is_replaying &&
      record_.language_fails()) {
    core::Completion::Failure failure;
    failure.failure.set_message("the simulated language fails this task");
    failure.failure.mutable_application_failure_info();
    completion.status = std::move(failure);
  } else {
    completion = interpreter_.activate(*activation);
    const auto& found = interpreter_.violations();
    for (; violations_seen_ < found.size(); ++violations_seen_) violation(found[violations_seen_]);
    write_down(*activation, completion);
    faults_.answer(*activation, completion);
  }
  record_.waiting = interpreter_.waiting();
  if (!record_.answers_later()) return completion;
  record_.later([done = std::move(done), completion = std::move(completion)]() mutable {
    std::move(done)(std::move(completion));
  });
  return std::nullopt;
}

void SimInstance::check(const core::Activation& activation) {
  if (evicted_) violation("an activation after RemoveFromCache");
  check_jobs(activation);
  if (is_removal(activation)) {
    evicted_ = true;
    return;
  }
  if (activation.time < time_) violation("the workflow's time went back");
  time_ = activation.time;
  if (is_query(activation)) {
    if (!activation.is_replaying) violation("a query that does not say replaying");
    return;
  }
  if (activation.is_replaying && live_) violation("a run that was live replays");
  live_ = !activation.is_replaying;
  history_length_ = activation.history_length;
}

void SimInstance::check_jobs(const core::Activation& activation) {
  int last_class = 0;
  std::size_t index = 0;
  for (const core::Job& job : activation.jobs) {
    const bool initialize = std::holds_alternative<core::InitializeWorkflow>(job);
    if (initialize == any_) {
      violation(absl::StrCat("a run begins with InitializeWorkflow and gets it once; this was ",
                             text(job)));
    }
    any_ = true;
    if (is_query(activation) != std::holds_alternative<core::QueryWorkflow>(job))
      violation("queries must come alone");
    if (is_removal(activation) && index > 0) violation("RemoveFromCache must come alone");
    if (job_class(job) < last_class) {
      violation(absl::StrCat("out of order in its activation: ", text(job)));
    }
    last_class = job_class(job);
    ++index;
  }
}

void SimInstance::write_down(const core::Activation& activation,
                             const core::Completion& completion) {
  if (is_query(activation) || is_removal(activation)) return;
  // Rejected updates leave no trace in history, and what is told ahead is on replay only.
  std::set<std::string> rejected, accepted;
  const auto& commands = std::get<core::Completion::Success>(completion.status).commands;
  for (const core::Command& command : commands) {
    const auto* response = std::get_if<core::UpdateResponse>(&command.variant);
    if (!response) continue;
    if (std::holds_alternative<core::UpdateResponse::Accepted>(response->response)) {
      accepted.insert(response->protocol_instance_id);
    } else if (!accepted.contains(response->protocol_instance_id) &&
               std::holds_alternative<core::UpdateResponse::Rejected>(response->response)) {
      rejected.insert(response->protocol_instance_id);
    }
  }
  const auto is_rejection = [&](const std::string& id) {
    // A completion of an update from an earlier activation has no DoUpdate here.
    return rejected.contains(id);
  };
  std::string jobs, answers;
  std::set<std::string> new_updates;
  for (const core::Job& job : activation.jobs) {
    if (std::holds_alternative<core::NotifyHasPatch>(job) ||
        std::holds_alternative<core::NotifyRecorded>(job))
      continue;
    if (const auto* update = std::get_if<core::DoUpdate>(&job)) {
      new_updates.insert(update->protocol_instance_id);
      if (is_rejection(update->protocol_instance_id)) continue;
    }
    absl::StrAppend(&jobs, "    job ", text(job), "\n");
  }
  for (const core::Command& command : commands) {
    const auto* response = std::get_if<core::UpdateResponse>(&command.variant);
    if (response && is_rejection(response->protocol_instance_id) &&
        new_updates.contains(response->protocol_instance_id))
      continue;
    absl::StrAppend(&answers, "    command ", text(command), "\n");
  }
  if (jobs.empty() && answers.empty()) return;
  record_.instances[number_].push_back(
      {activation.history_length, record_.task(), activation.is_replaying,
       absl::StrCat("  activation at ", activation.time.time_since_epoch().count(), "\n", jobs,
                    answers)});
}

}  // namespace chimera::sim
