#include "core/telemetry/sdk_metrics.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace chimera::core {
namespace {

// What the official core says of each metric is its own; these are our words.
const std::map<std::string_view, const char*>& help_texts() {
  static const auto& texts = *new std::map<std::string_view, const char*>{
      {"request", "Calls to the server, tries counted one by one"},
      {"request_failure", "Calls to the server that failed"},
      {"request_latency", "How long calls to the server took"},
      {"long_request", "Long polls"},
      {"long_request_failure", "Long polls that failed"},
      {"long_request_latency", "How long long polls took"},
      {"workflow_completed", "Workflows that completed"},
      {"workflow_canceled", "Workflows that ended as cancelled"},
      {"workflow_failed", "Workflows that failed"},
      {"workflow_continue_as_new", "Workflows that continued as new"},
      {"workflow_endtoend_latency", "From a workflow's start to its end"},
      {"workflow_task_execution_latency", "How long workflow tasks ran"},
      {"workflow_task_replay_latency", "How long workflow tasks replayed"},
      {"workflow_task_schedule_to_start_latency", "How long workflow tasks waited for a worker"},
      {"workflow_task_queue_poll_empty", "Workflow task polls that brought nothing"},
      {"workflow_task_queue_poll_succeed", "Workflow task polls that brought a task"},
      {"workflow_task_execution_failed", "Workflow tasks that failed"},
      {"activity_poll_no_task", "Activity task polls that brought nothing"},
      {"activity_schedule_to_start_latency", "How long activity tasks waited for a worker"},
      {"activity_task_received", "Activity tasks that came"},
      {"activity_execution_failed", "Activity tasks that failed"},
      {"activity_execution_latency", "How long activity tasks ran"},
      {"activity_succeed_endtoend_latency", "From an activity's scheduling to its success"},
      {"nexus_poll_no_task", "Nexus task polls that brought nothing"},
      {"nexus_task_schedule_to_start_latency", "How long Nexus tasks waited for a worker"},
      {"nexus_task_execution_latency", "How long Nexus tasks ran"},
      {"nexus_task_endtoend_latency", "From a Nexus request to its answer"},
      {"nexus_task_execution_failed", "Nexus tasks that failed"},
      {"local_activity_total", "Attempts of local activities"},
      {"local_activity_execution_failed", "Attempts of local activities that failed"},
      {"local_activity_execution_cancelled", "Attempts of local activities that were cancelled"},
      {"local_activity_execution_latency", "How long attempts of local activities ran"},
      {"local_activity_succeed_endtoend_latency",
       "From a local activity's scheduling to its success"},
      {"worker_start", "Workers that started"},
      {"num_pollers", "Polls under way"},
      {"worker_task_slots_available", "Task slots that are free"},
      {"worker_task_slots_used", "Task slots in use"},
      {"sticky_cache_hit", "Workflow tasks whose run was cached"},
      {"sticky_cache_miss", "Workflow tasks whose run was no longer cached"},
      {"sticky_cache_total_forced_eviction", "Runs that left the cache to make room or on error"},
      {"sticky_cache_size", "Cached runs"},
  };
  return texts;
}

std::string help(std::string_view name) {
  auto found = help_texts().find(name);
  return found == help_texts().end() ? std::string(name) : found->second;
}

std::vector<double> buckets(const Metrics& metrics, std::string_view name) {
  const MetricsOptions& options = metrics.options();
  for (const std::string& key : {std::string(name), options.prefix + std::string(name)}) {
    if (auto own = options.buckets.find(key); own != options.buckets.end()) return own->second;
  }
  return metrics.bounds_in_unit(official_buckets(name));
}

}  // namespace

std::vector<double> official_buckets(std::string_view name) {
  constexpr double kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute;
  if (name == "workflow_endtoend_latency") {
    return {100,          500,          kSecond,     1.5 * kSecond, 2 * kSecond, 5 * kSecond,
            10 * kSecond, 30 * kSecond, kMinute,     2 * kMinute,   5 * kMinute, 10 * kMinute,
            30 * kMinute, kHour,        8.5 * kHour, 24 * kHour};
  }
  if (name == "workflow_task_execution_latency" || name == "workflow_task_replay_latency") {
    return {1, 10, 20, 50, 100, 200, 500, kSecond};
  }
  if (name == "activity_execution_latency" || name == "local_activity_execution_latency") {
    return {50, 100, 500, kSecond, 5 * kSecond, 10 * kSecond, kMinute};
  }
  if (name.ends_with("schedule_to_start_latency")) {
    return {100, 500, kSecond, 5 * kSecond, 10 * kSecond, 100 * kSecond, 1000 * kSecond};
  }
  return {50, 100, 500, kSecond, 2.5 * kSecond, 10 * kSecond};
}

SdkMetrics::SdkMetrics(Metrics& metrics, std::string namespace_, std::string task_queue)
    : metrics_(metrics) {
  if (!namespace_.empty()) common_.emplace_back("namespace", std::move(namespace_));
  if (!task_queue.empty()) common_.emplace_back("task_queue", std::move(task_queue));
  if (metrics.options().service_name) common_.emplace_back("service_name", "chimera");
}

std::string SdkMetrics::prefixed(std::string_view name) const {
  return metrics_.options().prefix + std::string(name);
}

MetricTags SdkMetrics::with_common(MetricTags tags) const {
  tags.insert(tags.end(), common_.begin(), common_.end());
  return tags;
}

Counter& SdkMetrics::counter(std::string_view name, MetricTags tags) const {
  auto result = metrics_.counter(prefixed(name), help(name), with_common(std::move(tags)));
  static Counter& hidden = *new Counter;
  return result.ok() ? **result : hidden;
}

Gauge& SdkMetrics::gauge(std::string_view name, MetricTags tags) const {
  auto result = metrics_.gauge(prefixed(name), help(name), with_common(std::move(tags)));
  static Gauge& hidden = *new Gauge;
  return result.ok() ? **result : hidden;
}

DurationHistogram SdkMetrics::duration(std::string_view name, MetricTags tags) const {
  auto result = metrics_.histogram(metrics_.duration_name(prefixed(name)), help(name),
                                   buckets(metrics_, name), with_common(std::move(tags)),
                                   metrics_.options().durations_as_seconds ? "s" : "ms");
  static Histogram& hidden = *new Histogram({});
  return DurationHistogram(metrics_, result.ok() ? **result : hidden);
}

WorkflowTypeMetrics::WorkflowTypeMetrics(const SdkMetrics& metrics,
                                         const std::string& workflow_type)
    : completed(metrics.counter("workflow_completed", {{"workflow_type", workflow_type}})),
      canceled(metrics.counter("workflow_canceled", {{"workflow_type", workflow_type}})),
      failed(metrics.counter("workflow_failed", {{"workflow_type", workflow_type}})),
      continue_as_new(
          metrics.counter("workflow_continue_as_new", {{"workflow_type", workflow_type}})),
      cache_hit(metrics.counter("sticky_cache_hit", {{"workflow_type", workflow_type}})),
      endtoend_latency(
          metrics.duration("workflow_endtoend_latency", {{"workflow_type", workflow_type}})),
      task_execution_latency(
          metrics.duration("workflow_task_execution_latency", {{"workflow_type", workflow_type}})),
      task_replay_latency(
          metrics.duration("workflow_task_replay_latency", {{"workflow_type", workflow_type}})) {}

namespace {
MetricTags activity_tags(const std::string& activity_type, const std::string& workflow_type,
                         MetricTags more = {}) {
  more.emplace_back("activity_type", activity_type);
  more.emplace_back("workflow_type", workflow_type);
  return more;
}
}  // namespace

ActivityTypeMetrics::ActivityTypeMetrics(const SdkMetrics& metrics,
                                         const std::string& activity_type,
                                         const std::string& workflow_type, bool local)
    : received(metrics.counter(
          local ? "local_activity_total" : "activity_task_received",
          local ? activity_tags(activity_type, workflow_type)
                : activity_tags(activity_type, workflow_type, {{"eager", "false"}}))),
      received_eagerly(local ? received
                             : metrics.counter("activity_task_received",
                                               activity_tags(activity_type, workflow_type,
                                                             {{"eager", "true"}}))),
      failed(local ? metrics.counter("local_activity_execution_failed",
                                     activity_tags(activity_type, workflow_type))
                   : metrics.counter("activity_execution_failed",
                                     activity_tags(activity_type, workflow_type,
                                                   {{"failure_reason", "ActivityError"}}))),
      cancelled(local ? &metrics.counter("local_activity_execution_cancelled",
                                         activity_tags(activity_type, workflow_type))
                      : nullptr),
      execution_latency(metrics.duration(
          local ? "local_activity_execution_latency" : "activity_execution_latency",
          activity_tags(activity_type, workflow_type))),
      succeed_endtoend_latency(metrics.duration(
          local ? "local_activity_succeed_endtoend_latency" : "activity_succeed_endtoend_latency",
          activity_tags(activity_type, workflow_type))) {}

WorkflowTypeMetrics& WorkflowTypeTable::of(const std::string& workflow_type) {
  auto& place = by_type_[workflow_type];
  if (!place) place = std::make_unique<WorkflowTypeMetrics>(metrics_, workflow_type);
  return *place;
}

}  // namespace chimera::core
