#include "server/engine/rules/limits.h"

#include "server/base/errors.h"

namespace chimera::server {
namespace {

// Of a link to something that has an id and a run.
std::string empty_part(absl::string_view kind, const auto& to, const char* id_name,
                       const std::string& id) {
  for (const auto& [value, name] : {std::pair(&to.namespace_(), "namespace"),
                                    std::pair(&id, id_name), std::pair(&to.run_id(), "run ID")}) {
    if (value->empty()) return absl::StrCat(kind, " link must not have an empty ", name, " field");
  }
  return "";
}

}  // namespace

Verdict too_long(Cause cause, const char* command, std::initializer_list<Length> lengths) {
  for (const Length& length : lengths) {
    if (length.value.size() <= kIdMax) continue;
    return TaskFailure{
        cause, absl::StrCat(length.field, " on ", command, " exceeds length limit. ", length.before,
                            length.field, "=", length.value, " ", length.after,
                            "Length=", length.value.size(), " Limit=", kIdMax, length.behind)};
  }
  return std::nullopt;
}

Verdict too_big(Cause cause, std::size_t bytes, const char* what) {
  if (bytes <= kBlobBytesMax) return std::nullopt;
  return TaskFailure{cause, absl::StrCat(what, " exceeds size limit."), /*terminate=*/true};
}

absl::Status check_length(absl::string_view what, absl::string_view value) {
  if (value.size() <= kIdMax) return absl::OkStatus();
  return invalid(absl::StrCat(what, " length exceeds limit."));
}

absl::Status check_blob(const google::protobuf::Message& payloads) {
  if (payloads.ByteSizeLong() <= kBlobBytesMax) return absl::OkStatus();
  return invalid("Blob data size exceeds limit.");
}

std::string priority_problem(const common::Priority& priority) {
  if (priority.priority_key() < 0) return "PriorityKey can't be negative";
  if (priority.fairness_key().size() > kFairnessKeyMax) return "FairnessKey length exceeds limit";
  if (priority.fairness_weight() < 0) return "FairnessWeight can't be negative";
  return "";
}

std::string duration_problem(const google::protobuf::Duration& duration) {
  const std::int64_t seconds = duration.seconds();
  const int nanos = duration.nanos();
  if ((seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
    return "duration has seconds and nanos with different signs";
  return seconds < 0 || nanos < 0 ? "negative duration" : "";
}

std::string queue_name_problem(const taskqueue::TaskQueue& queue, bool is_set) {
  if (!is_set) return "taskQueue is not set";
  if (queue.name().empty()) return "missing task queue name";
  return queue.name().size() > kIdMax ? "taskQueue length exceeds limit" : "";
}

void cap_duration(google::protobuf::Duration* duration) {
  constexpr std::int64_t kSecondsMax = std::int64_t{100} * 365 * 24 * 3600;
  if (duration == nullptr || duration->seconds() < kSecondsMax) return;
  duration->set_seconds(kSecondsMax);
  duration->set_nanos(0);
}

void cap_durations(common::RetryPolicy* policy) {
  if (policy == nullptr) return;
  cap_duration(policy->has_initial_interval() ? policy->mutable_initial_interval() : nullptr);
  cap_duration(policy->has_maximum_interval() ? policy->mutable_maximum_interval() : nullptr);
}

Nanos capped_run_timeout(Nanos asked, Nanos execution_timeout) {
  const bool longer = asked == Nanos{0} || asked > execution_timeout;
  return execution_timeout > Nanos{0} && longer ? execution_timeout : asked;
}

Nanos capped_task_timeout(Nanos asked, Nanos run_timeout) {
  constexpr Nanos kDefault = seconds{10}, kMax = seconds{120};
  const Nanos timeout = std::min(asked == Nanos{0} ? kDefault : asked, kMax);
  return run_timeout > Nanos{0} ? std::min(timeout, run_timeout) : timeout;
}

std::string links_problem(const google::protobuf::RepeatedPtrField<common::Link>& links) {
  constexpr int kLinksMax = 10;
  constexpr std::size_t kLinkBytesMax = 4000;
  if (links.size() > kLinksMax) {
    return absl::StrCat("cannot attach more than ", kLinksMax, " links per request, got ",
                        links.size());
  }
  for (const common::Link& link : links) {
    if (link.ByteSizeLong() > kLinkBytesMax) {
      return absl::StrCat("link exceeds allowed size of ", kLinkBytesMax, ", got ",
                          link.ByteSizeLong());
    }
    if (link.has_batch_job()) {
      if (link.batch_job().job_id().empty()) return "batch job link must not have an empty job ID";
      continue;
    }
    if (link.has_activity()) {
      const auto& activity = link.activity();
      std::string problem = empty_part("activity", activity, "activity ID", activity.activity_id());
      if (!problem.empty()) return problem;
      continue;
    }
    if (link.has_nexus_operation()) {
      const auto& operation = link.nexus_operation();
      std::string problem =
          empty_part("nexus operation", operation, "operation ID", operation.operation_id());
      if (!problem.empty()) return problem;
      continue;
    }
    if (!link.has_workflow_event()) return "unsupported link variant";
    const auto& event = link.workflow_event();
    std::string problem = empty_part("workflow event", event, "workflow ID", event.workflow_id());
    if (!problem.empty()) return problem;
    if (event.event_ref().event_type() == enums::EVENT_TYPE_UNSPECIFIED &&
        event.event_ref().event_id() != 0) {
      return "workflow event link ref cannot have an unspecified event type and a non-zero event "
             "ID";
    }
  }
  return "";
}

}  // namespace chimera::server
