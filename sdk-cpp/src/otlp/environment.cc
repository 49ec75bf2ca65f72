#include "sdk-cpp/src/otlp/environment.h"

#include <cstdlib>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "chimera/opentelemetry.h"
#include "sdk-cpp/src/http/message.h"

namespace chimera {
namespace {

[[noreturn]] void refuse(const std::string& variable, const std::string& value,
                         const std::string& why) {
  throw std::invalid_argument(absl::StrCat(variable, "=\"", value, "\": ", why));
}

// An empty variable is as one that is not set.
std::optional<std::pair<std::string, std::string>> first_of(
    const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const char* const value = std::getenv(variable.c_str());
    if (value != nullptr && *value != '\0') return std::pair(variable, std::string(value));
  }
  return std::nullopt;
}

// OTEL_EXPORTER_OTLP_TRACES_X, or OTEL_EXPORTER_OTLP_X.
std::optional<std::pair<std::string, std::string>> of_exporter(const std::string& name) {
  return first_of({"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name});
}

// a=1,b=2 with %XX in the values.
std::map<std::string, std::string> pairs(const std::string& variable, const std::string& value) {
  std::map<std::string, std::string> out;
  for (const auto& part : absl::StrSplit(value, ',')) {
    const std::string one(absl::StripAsciiWhitespace(part));
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      refuse(variable, value, "give NAME=VALUE, and commas between them");
    const std::string name(absl::StripAsciiWhitespace(one.substr(0, equals)));
    out[name] =
        http::percent_decoded(std::string(absl::StripAsciiWhitespace(one.substr(equals + 1))));
  }
  return out;
}

void read_number(const std::vector<std::string>& variables,
                 const std::function<void(std::int64_t)>& use) {
  const auto found = first_of(variables);
  if (!found) return;
  std::int64_t number = 0;
  if (!absl::SimpleAtoi(found->second, &number) || number <= 0)
    refuse(found->first, found->second, "give a whole number greater than 0");
  use(number);
}

void read_sampler(double& share) {
  const auto sampler = first_of({"OTEL_TRACES_SAMPLER"});
  if (!sampler) return;
  const auto argument = first_of({"OTEL_TRACES_SAMPLER_ARG"});
  if (sampler->second == "parentbased_always_on") {
    share = 1;
  } else if (sampler->second == "parentbased_always_off") {
    share = 0;
  } else if (sampler->second == "parentbased_traceidratio") {
    if (argument && (!absl::SimpleAtod(argument->second, &share) || !(share >= 0 && share <= 1)))
      refuse(argument->first, argument->second, "give a share from 0 to 1");
  } else {
    refuse(sampler->first, sampler->second,
           "there are parentbased_always_on, parentbased_always_off and parentbased_traceidratio");
  }
}

}  // namespace

std::map<std::string, std::string> otlp::resource_from_environment() {
  std::map<std::string, std::string> out;
  if (const auto found = first_of({"OTEL_RESOURCE_ATTRIBUTES"}))
    out = pairs(found->first, found->second);
  if (const auto found = first_of({"OTEL_SERVICE_NAME"})) out["service.name"] = found->second;
  return out;
}

OtlpTracerOptions otlp_options_from_environment() {
  OtlpTracerOptions out;
  if (const auto protocol = of_exporter("PROTOCOL");
      protocol && protocol->second != "http/protobuf")
    refuse(protocol->first, protocol->second, "traces are sent by http/protobuf only");
  if (const auto found = of_exporter("ENDPOINT")) {
    out.endpoint = found->second;
    if (!absl::StrContains(found->first, "TRACES"))
      absl::StrAppend(&out.endpoint, absl::EndsWith(out.endpoint, "/") ? "" : "/", "v1/traces");
    http::parse_url(out.endpoint, found->first);
  }
  if (const auto found = of_exporter("HEADERS")) {
    out.headers = pairs(found->first, found->second);
    http::check_headers(out.headers, found->first);
  }
  for (auto& [name, value] : otlp::resource_from_environment())
    (name == "service.name" ? out.service_name
                            : out.resource_attributes[name].emplace<std::string>()) =
        std::move(value);
  read_sampler(out.sampled_share);
  read_number({"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"},
              [&](std::int64_t n) { out.timeout = std::chrono::milliseconds(n); });
  read_number({"OTEL_BSP_SCHEDULE_DELAY"},
              [&](std::int64_t n) { out.delay = std::chrono::milliseconds(n); });
  read_number({"OTEL_BSP_MAX_QUEUE_SIZE"},
              [&](std::int64_t n) { out.queue_size = static_cast<std::size_t>(n); });
  read_number({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE"},
              [&](std::int64_t n) { out.batch_size = static_cast<std::size_t>(n); });
  if (out.batch_size > out.queue_size && !first_of({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE"}))
    out.batch_size = out.queue_size;
  return out;
}

}  // namespace chimera
