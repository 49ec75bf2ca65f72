#include "server/engine/turn/options.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/message_differencer.h"

#include "server/base/errors.h"
#include "server/engine/deployments/overrides.h"
#include "server/engine/engine.h"

namespace chimera::server {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr char kOverride[] = "versioning_override";
constexpr char kTimeSkipping[] = "time_skipping_config";

void merge_priority(const std::string& path, const RunOptions& from, RunOptions& to) {
  if (path == "priority") {
    to.clear_priority();
    if (from.has_priority()) *to.mutable_priority() = from.priority();
  }
  if (path == "priority.priority_key")
    to.mutable_priority()->set_priority_key(from.priority().priority_key());
  if (path == "priority.fairness_key")
    to.mutable_priority()->set_fairness_key(from.priority().fairness_key());
  if (path == "priority.fairness_weight")
    to.mutable_priority()->set_fairness_weight(from.priority().fairness_weight());
}

}  // namespace

absl::Status check_options_mask(const google::protobuf::FieldMask& mask) {
  std::set<std::string> old;
  for (const std::string& path : mask.paths()) {
    if (!google::protobuf::util::FieldMaskUtil::IsValidPath<RunOptions>(path)) {
      return invalid(absl::StrCat("error parsing UpdateMask: proto: invalid path \"", path,
                                  "\" for message \"", RunOptions::descriptor()->full_name(),
                                  "\""));
    }
    if (path == "versioning_override.deployment" || path == "versioning_override.behavior")
      old.insert(path);
  }
  const auto refused = [](absl::string_view why) {
    return invalid(absl::StrCat("error applying update_options: ", why));
  };
  if (old.size() == 1) return refused("versioning_override fields must be updated together");
  for (const std::string& path : mask.paths()) {
    if (absl::StartsWith(path, "versioning_override.") && !old.contains(path))
      return refused("versioning_override doesn't support partial updates");
    if (absl::StartsWith(path, "time_skipping_config."))
      return refused("time_skipping_config doesn't support partial update");
  }
  return absl::OkStatus();
}

absl::Status check_options(const Engine& engine, const Run& run, const RunOptions& options) {
  return options.has_versioning_override()
             ? check_override(engine, *run.ns, run.task_queue, options.versioning_override())
             : absl::OkStatus();
}

RunOptions options_of(const Run& run) {
  RunOptions options;
  if (run.has_priority()) *options.mutable_priority() = run.priority();
  if (run.versioning != nullptr && run.versioning->override() != nullptr)
    *options.mutable_versioning_override() = *run.versioning->override();
  if (run.skipped != nullptr && run.skipped->config)
    *options.mutable_time_skipping_config() = *run.skipped->config;
  return options;
}

bool fast_forwards(const RunOptions& wanted, const google::protobuf::FieldMask& mask) {
  return wanted.time_skipping_config().has_fast_forward_config() &&
         std::find(mask.paths().begin(), mask.paths().end(), kTimeSkipping) != mask.paths().end();
}

RunOptions merged_options(const Run& run, const RunOptions& wanted,
                          const google::protobuf::FieldMask& mask) {
  RunOptions merged = options_of(run);
  for (const std::string& path : mask.paths()) {
    merge_priority(path, wanted, merged);
    if (path == kTimeSkipping) {
      merged.clear_time_skipping_config();
      if (wanted.has_time_skipping_config())
        *merged.mutable_time_skipping_config() = wanted.time_skipping_config();
    }
    if (!absl::StartsWith(path, kOverride)) continue;
    merged.clear_versioning_override();
    if (wanted.has_versioning_override())
      *merged.mutable_versioning_override() = modern(wanted.versioning_override());
  }
  return merged;
}

bool set_options(Transition& t, RunOptions options, const std::string& identity,
                 bool fast_forwards) {
  const Run& run = t.run();
  const RunOptions before = options_of(run);
  if (!fast_forwards && MessageDifferencer::Equals(options, before)) return false;
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  auto& a = *event.mutable_workflow_execution_options_updated_event_attributes();
  if (options.has_versioning_override())
    *a.mutable_versioning_override() = std::move(*options.mutable_versioning_override());
  else
    a.set_unset_versioning_override(true);
  if (options.has_priority()) *a.mutable_priority() = std::move(*options.mutable_priority());
  a.set_time_skipping_config_updated(
      fast_forwards || options.has_time_skipping_config() != before.has_time_skipping_config() ||
      !MessageDifferencer::Equals(options.time_skipping_config(), before.time_skipping_config()));
  if (options.has_time_skipping_config())
    *a.mutable_time_skipping_config() = std::move(*options.mutable_time_skipping_config());
  a.set_identity(identity);
  event.set_worker_may_ignore(true);
  t.aside(std::move(event));
  const RunOptions after = options_of(run);
  if (!MessageDifferencer::Equals(after.versioning_override(), before.versioning_override())) {
    t.run().sticky_queue.clear();
    note_override(t.engine(), *run.ns, after.versioning_override());
  }
  // The commit sends a task that has no stamp.
  if (run.task.pending() && !run.task.is_started()) t.run().task.stamp = 0;
  Activities::dispatch_again(t);
  return true;
}

}  // namespace chimera::server
