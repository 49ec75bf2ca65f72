// DynamicConfig, the limits of the genuine server that its --dynamic-config-value can change, with
// its defaults. Set before the loop starts; read on it.
#ifndef CHIMERA_SERVER_ENGINE_RULES_DYNAMIC_CONFIG_H_
#define CHIMERA_SERVER_ENGINE_RULES_DYNAMIC_CONFIG_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "server/base/types.h"

namespace chimera::server {

struct DynamicConfig {
  std::int64_t suggest_events = 4096;  // From then on tasks suggest to continue as new.
  std::int64_t suggest_bytes = 4 << 20;
  std::int64_t history_events_warn = 10 << 10;
  std::int64_t history_events_max = 50 << 10;  // More end the run.
  std::int64_t history_bytes_warn = 10 << 20;
  std::int64_t history_bytes_max = 50 << 20;
  std::int64_t activities_max = 2000;  // Pending ones.
  std::int64_t children_max = 2000;
  std::int64_t external_signals_max = 2000;
  std::int64_t external_cancels_max = 2000;
  std::int64_t signals_max = 10000;
  std::int64_t updates_in_flight_max = 10;
  std::int64_t updates_max = 2000;
  // From the first task of those that only ask for the next.
  Nanos heartbeats_max = std::chrono::minutes{30};
  bool workflow_pause = false;         // Whether workflows can be paused.
  bool activity_callbacks = false;     // Whether activities that stand alone have them.
  bool standalone_operators = false;   // Likewise activities that stand alone; reset and changed.
  std::int64_t deployments_max = 100;  // Worker deployments of a namespace.
  std::int64_t deployment_versions_max = 100;
  std::int64_t version_queues_max = 100;  // Task queues of a deployment's version, by name.
  // Until it is looked for the first time whether a version has drained, and each time from then.
  Nanos drainage_grace = std::chrono::minutes{3};
  Nanos drainage_interval = std::chrono::minutes{3};
  bool time_skipping = false;              // Whether the time of single workflows can skip.
  std::int64_t skips_max = 200;            // Of those that name no number of their own.
  std::int64_t nexus_operations_max = 30;  // Pending ones of a run.
  std::int64_t nexus_service_name_max = 1000;
  std::int64_t nexus_operation_name_max = 1000;
  std::int64_t nexus_token_max = 4096;
  std::int64_t nexus_header_max = 8192;  // Of all names and values.
  Nanos nexus_schedule_to_close_max{};   // 0: none.
  Nanos nexus_request_timeout = seconds{10};
  bool standalone_nexus = false;  // Whether there are operations that no workflow has.
  std::int64_t endpoint_name_max = 200;
  std::int64_t endpoint_url_max = 4096;
  std::int64_t endpoint_description_max = 20000;
  std::int64_t callbacks_max = 2000;  // Of a run.
  std::int64_t callback_url_max = 1000;
  std::int64_t callback_header_max = 8192;
};

// Names are the genuine server's, in upper or lower case. A value that is no whole number (or no
// duration, such as 30m, "30m" or a number of seconds; no true or false) is an error; names that
// are not known here are added to `unknown`.
absl::StatusOr<DynamicConfig> parse_dynamic_config(const std::map<std::string, std::string>& values,
                                                   std::vector<std::string>& unknown);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_DYNAMIC_CONFIG_H_
