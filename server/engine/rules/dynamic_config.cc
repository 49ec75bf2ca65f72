#include "server/engine/rules/dynamic_config.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

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
};

const Setting* find(const std::string& name) {
  for (const Setting& setting : kSettings) {
    if (absl::AsciiStrToLower(setting.name) == absl::AsciiStrToLower(name)) return &setting;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<DynamicConfig> parse_dynamic_config(const std::map<std::string, std::string>& values,
                                                   std::vector<std::string>& unknown) {
  DynamicConfig config;
  for (const auto& [name, text] : values) {
    const Setting* setting = find(name);
    if (setting == nullptr) {
      unknown.push_back(name);
      continue;
    }
    std::int64_t value = 0;
    if (!absl::SimpleAtoi(text, &value) || value <= 0) {
      return absl::InvalidArgumentError(absl::StrCat("dynamic config ", name, "=", text,
                                                     ": give a whole number above 0, such as ",
                                                     config.*setting->value));
    }
    config.*setting->value = value;
  }
  return config;
}

}  // namespace chimera::server
