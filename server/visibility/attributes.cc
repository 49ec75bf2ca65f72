#include "server/visibility/attributes.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "core/base/utf8.h"
#include "server/base/errors.h"
#include "server/visibility/query.h"

namespace chimera::server {
namespace {

constexpr auto kKeyword = enums::INDEXED_VALUE_TYPE_KEYWORD;
constexpr auto kInt = enums::INDEXED_VALUE_TYPE_INT;
constexpr auto kDatetime = enums::INDEXED_VALUE_TYPE_DATETIME;
constexpr auto kKeywordList = enums::INDEXED_VALUE_TYPE_KEYWORD_LIST;
constexpr auto kBool = enums::INDEXED_VALUE_TYPE_BOOL;
constexpr std::size_t kShownMax = 100;

bool is_time(const std::string& text) {
  // ParseTime() also takes spaces around it and lower case.
  constexpr std::size_t kShortest = 20, kT = 10;
  return text.size() >= kShortest && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
         text[kT] == 'T' && (text.back() == 'Z' || absl::ascii_isdigit(text.back())) &&
         visibility::parse_time(text).has_value();
}

bool fits(const nlohmann::json& value, enums::IndexedValueType type) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  switch (type) {
    case enums::INDEXED_VALUE_TYPE_INT:
      return value.is_number_integer() &&
             (!value.is_number_unsigned() || value.get<std::uint64_t>() <= kMost);
    case enums::INDEXED_VALUE_TYPE_DOUBLE:
      return value.is_number();
    case enums::INDEXED_VALUE_TYPE_BOOL:
      return value.is_boolean();
    case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST:
      return value.is_array() && std::all_of(value.begin(), value.end(),
                                             [](const auto& each) { return each.is_string(); });
    case enums::INDEXED_VALUE_TYPE_DATETIME:
      return value.is_string() && is_time(value.get<std::string>());
    default:
      return value.is_string();
  }
}

// As the genuine server's errors show a value.
std::string shown(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "<nil>";
  if (!value.is_structured()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [key, each] : value.items())
    parts.push_back(value.is_array() ? shown(each) : absl::StrCat(key, ":", shown(each)));
  return absl::StrCat(value.is_array() ? "" : "map", "[", absl::StrJoin(parts, " "), "]");
}

}  // namespace

const AttributeTypes& system_attributes() {
  static const AttributeTypes* types = new AttributeTypes{
      {"WorkflowId", kKeyword},       {"RunId", kKeyword},           {"WorkflowType", kKeyword},
      {"TaskQueue", kKeyword},        {"ExecutionStatus", kKeyword}, {"StartTime", kDatetime},
      {"ExecutionTime", kDatetime},   {"CloseTime", kDatetime},      {"ExecutionDuration", kInt},
      {"HistoryLength", kInt},        {"HistorySizeBytes", kInt},    {"StateTransitionCount", kInt},
      {"ParentWorkflowId", kKeyword}, {"ParentRunId", kKeyword},     {"RootWorkflowId", kKeyword},
      {"RootRunId", kKeyword}};
  return *types;
}

const AttributeTypes& predefined_attributes() {
  static const AttributeTypes* types =
      new AttributeTypes{{"BuildIds", kKeywordList},
                         {"TemporalChangeVersion", kKeywordList},
                         {"BinaryChecksums", kKeywordList},
                         {"BatcherUser", kKeyword},
                         {"BatcherNamespace", kKeyword},
                         {"TemporalScheduledStartTime", kDatetime},
                         {"TemporalScheduledById", kKeyword},
                         {"TemporalSchedulePaused", kBool},
                         {"TemporalNamespaceDivision", kKeyword},
                         {"TemporalPauseInfo", kKeywordList},
                         {"TemporalReportedProblems", kKeywordList},
                         {"TemporalWorkerDeployment", kKeyword},
                         {"TemporalWorkerDeploymentVersion", kKeyword},
                         {"TemporalWorkflowVersioningBehavior", kKeyword},
                         {"TemporalUsedWorkerDeploymentVersions", kKeywordList},
                         {"TemporalExternalPayloadCount", kInt},
                         {"TemporalExternalPayloadSizeBytes", kInt}};
  return *types;
}

std::optional<enums::IndexedValueType> settable_type(const AttributeTypes& own,
                                                     const std::string& name) {
  if (auto it = own.find(name); it != own.end()) return it->second;
  if (auto it = predefined_attributes().find(name); it != predefined_attributes().end())
    return it->second;
  return std::nullopt;
}

std::string type_name(enums::IndexedValueType type) {
  switch (type) {
    case enums::INDEXED_VALUE_TYPE_TEXT:
      return "Text";
    case enums::INDEXED_VALUE_TYPE_INT:
      return "Int";
    case enums::INDEXED_VALUE_TYPE_DOUBLE:
      return "Double";
    case enums::INDEXED_VALUE_TYPE_BOOL:
      return "Bool";
    case enums::INDEXED_VALUE_TYPE_DATETIME:
      return "Datetime";
    case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST:
      return "KeywordList";
    default:
      return "Keyword";
  }
}

std::optional<enums::IndexedValueType> parse_type(const std::string& name) {
  for (int i = enums::INDEXED_VALUE_TYPE_TEXT; i <= enums::INDEXED_VALUE_TYPE_KEYWORD_LIST; ++i) {
    const auto type = static_cast<enums::IndexedValueType>(i);
    if (type_name(type) == name) return type;
  }
  return std::nullopt;
}

common::SearchAttributes with_types(const AttributeTypes& own,
                                    common::SearchAttributes attributes) {
  for (auto& [name, payload] : *attributes.mutable_indexed_fields()) {
    const auto type = settable_type(own, name);
    if (type && !payload.metadata().contains("type"))
      (*payload.mutable_metadata())["type"] = type_name(*type);
  }
  return attributes;
}

absl::Status check_search_attributes(const AttributeTypes& own, absl::string_view ns,
                                     const common::SearchAttributes& attributes) {
  for (const auto& [name, payload] : attributes.indexed_fields()) {
    if (system_attributes().contains(name)) {
      return invalid(absl::StrCat(name, " attribute can't be set in SearchAttributes"));
    }
    const auto type = settable_type(own, name);
    if (!type) {
      return invalid(
          absl::StrCat("Namespace ", ns, " has no mapping defined for search attribute ", name));
    }
    if (payload.data().size() > 2048) {
      return invalid(absl::StrCat("search attribute ", name, " value size ", payload.data().size(),
                                  " exceeds size limit 2048"));
    }
    if (payload.data().empty() || payload.data() == "null" || payload.data() == "[]") continue;
    const nlohmann::json given =
        nlohmann::json::parse(payload.data(), nullptr, /*allow_exceptions=*/false);
    nlohmann::json value = given;
    if (value.is_array() && value.size() == 1 && *type != kKeywordList)
      value = value[0];  // Old SDKs send lists.
    if (value.is_discarded() || !fits(value, *type)) {
      return invalid(absl::StrCat(
          "invalid value for search attribute ", name, " of type ", type_name(*type), ": ",
          base::cut_utf8(given.is_discarded() ? payload.data() : shown(given), kShownMax)));
    }
  }
  return absl::OkStatus();
}

}  // namespace chimera::server
