#include "server/engine/rules/dynamic_config.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

namespace chimera::server {
namespace {

struct Setting {
  const char* name;
  std::int64_t DynamicConfig::* value;
};
constexpr Setting kSettings[] = {
    {"limit.historyCount.suggestContinueAsNew", &DynamicConfig::suggest_events},
    {"limit.historySize.suggestContinueAsNew", &DynamicConfig::suggest_bytes},
    {"limit.historyCount.warn", &DynamicConfig::history_events_warn},
    {"limit.historyCount.error", &DynamicConfig::history_events_max},
    {"limit.historySize.warn", &DynamicConfig::history_bytes_warn},
    {"limit.historySize.error", &DynamicConfig::history_bytes_max},
    {"limit.numPendingActivities.error", &DynamicConfig::activities_max},
    {"limit.numPendingChildExecutions.error", &DynamicConfig::children_max},
    {"limit.numPendingSignals.error", &DynamicConfig::external_signals_max},
    {"limit.numPendingCancelRequests.error", &DynamicConfig::external_cancels_max},
    {"history.maximumSignalsPerExecution", &DynamicConfig::signals_max},
    {"history.maxInFlightUpdates", &DynamicConfig::updates_in_flight_max},
    {"history.maxTotalUpdates", &DynamicConfig::updates_max},
    {"matching.maxDeployments", &DynamicConfig::deployments_max},
    {"matching.maxVersionsInDeployment", &DynamicConfig::deployment_versions_max},
    {"matching.maxTaskQueuesInDeploymentVersion", &DynamicConfig::version_queues_max},
    {"frontend.WorkflowTimeSkippingMaxSkipPerSession", &DynamicConfig::skips_max},
    {"component.nexusoperations.limit.operation.concurrency", &DynamicConfig::nexus_operations_max},
    {"component.nexusoperations.limit.service.name.length", &DynamicConfig::nexus_service_name_max},
    {"component.nexusoperations.limit.operation.name.length",
     &DynamicConfig::nexus_operation_name_max},
    {"component.nexusoperations.limit.operation.token.length", &DynamicConfig::nexus_token_max},
    {"component.nexusoperations.limit.header.size", &DynamicConfig::nexus_header_max},
    {"limit.endpointNameMaxLength", &DynamicConfig::endpoint_name_max},
    {"limit.endpointExternalURLMaxLength", &DynamicConfig::endpoint_url_max},
    {"limit.endpointDescriptionMaxSize", &DynamicConfig::endpoint_description_max},
    {"system.maxCallbacksPerWorkflow", &DynamicConfig::callbacks_max},
    {"frontend.callbackURLMaxLength", &DynamicConfig::callback_url_max},
    {"frontend.callbackHeaderMaxLength", &DynamicConfig::callback_header_max},
};

struct DurationSetting {
  const char* name;
  Nanos DynamicConfig::* value;
};
constexpr DurationSetting kDurations[] = {
    {"history.workflowTaskHeartbeatTimeout", &DynamicConfig::heartbeats_max},
    {"matching.wv.VersionDrainageStatusVisibilityGracePeriod", &DynamicConfig::drainage_grace},
    {"matching.wv.VersionDrainageStatusRefreshInterval", &DynamicConfig::drainage_interval},
    {"component.nexusoperations.limit.scheduleToCloseTimeout",
     &DynamicConfig::nexus_schedule_to_close_max},
    {"component.nexusoperations.request.timeout", &DynamicConfig::nexus_request_timeout},
};

struct SwitchSetting {
  const char* name;
  bool DynamicConfig::* value;
};
constexpr SwitchSetting kSwitches[] = {
    {"history.enableStandaloneActivityOperatorCommands", &DynamicConfig::standalone_operators},
    {"activity.enableCallbacks", &DynamicConfig::activity_callbacks},
    {"nexusoperation.enableStandalone", &DynamicConfig::standalone_nexus},
    {"frontend.WorkflowPauseEnabled", &DynamicConfig::workflow_pause},
    {"frontend.WorkflowTimeSkippingEnabled", &DynamicConfig::time_skipping},
};

template <class Kind, std::size_t kSize>
const Kind* find(const Kind (&settings)[kSize], const std::string& name) {
  for (const Kind& setting : settings) {
    if (absl::AsciiStrToLower(setting.name) == absl::AsciiStrToLower(name)) return &setting;
  }
  return nullptr;
}

absl::Status wrong(const std::string& name, const std::string& text, const std::string& hint) {
  return absl::InvalidArgumentError(
      absl::StrCat("dynamic config ", name, "=", text, ": give ", hint));
}

// In quotes, too: the genuine server's command line takes JSON. A bare number is of seconds.
absl::Status take_duration(const std::string& name, absl::string_view text, Nanos& value) {
  absl::ConsumePrefix(&text, "\"");
  absl::ConsumeSuffix(&text, "\"");
  absl::Duration duration;
  double seconds = 0;
  const bool bare = absl::SimpleAtod(text, &seconds);
  if (bare && seconds > 0) duration = absl::Seconds(seconds);
  const bool right = bare || absl::ParseDuration(text, &duration);
  const absl::Duration kMax = absl::Hours(24 * 36500);
  if (!right || duration <= absl::ZeroDuration() || duration > kMax)
    return wrong(name, std::string(text),
                 "a duration above 0 and within a hundred years, such as 30m or 1.5s");
  value = absl::ToChronoNanoseconds(duration);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DynamicConfig> parse_dynamic_config(const std::map<std::string, std::string>& values,
                                                   std::vector<std::string>& unknown) {
  DynamicConfig config;
  for (const auto& [name, text] : values) {
    if (const DurationSetting* setting = find(kDurations, name)) {
      if (absl::Status s = take_duration(name, text, config.*setting->value); !s.ok()) return s;
      continue;
    }
    if (const SwitchSetting* setting = find(kSwitches, name)) {
      if (!absl::SimpleAtob(text, &(config.*setting->value)))
        return wrong(name, text, "true or false");
      continue;
    }
    const Setting* setting = find(kSettings, name);
    if (setting == nullptr) {
      unknown.push_back(name);
      continue;
    }
    std::int64_t value = 0;
    if (!absl::SimpleAtoi(text, &value) || value <= 0) {
      return wrong(name, text,
                   absl::StrCat("a whole number above 0, such as ", config.*setting->value));
    }
    config.*setting->value = value;
  }
  return config;
}

}  // namespace chimera::server
