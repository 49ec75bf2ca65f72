#include "server/visibility/values.h"

#include <nlohmann/json.hpp>

namespace chimera::server {
namespace {

using visibility::AttributeType;
using visibility::Value;

constexpr bool same(AttributeType ours, enums::IndexedValueType theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(same(AttributeType::kText, enums::INDEXED_VALUE_TYPE_TEXT));
static_assert(same(AttributeType::kKeyword, enums::INDEXED_VALUE_TYPE_KEYWORD));
static_assert(same(AttributeType::kInt, enums::INDEXED_VALUE_TYPE_INT));
static_assert(same(AttributeType::kDouble, enums::INDEXED_VALUE_TYPE_DOUBLE));
static_assert(same(AttributeType::kBool, enums::INDEXED_VALUE_TYPE_BOOL));
static_assert(same(AttributeType::kDatetime, enums::INDEXED_VALUE_TYPE_DATETIME));
static_assert(same(AttributeType::kKeywordList, enums::INDEXED_VALUE_TYPE_KEYWORD_LIST));
static_assert(same(AttributeType::kKeywordList, enums::IndexedValueType_MAX));

std::optional<Value> list_of(const nlohmann::json& json) {
  std::vector<std::string> values;
  if (json.is_string()) values.push_back(json.get<std::string>());
  if (json.is_array()) {
    for (const auto& one : json) {
      if (one.is_string()) values.push_back(one.get<std::string>());
    }
  }
  return values.empty() ? std::nullopt : std::optional<Value>(std::move(values));
}

std::optional<Value> time_of(const nlohmann::json& json) {
  constexpr std::int64_t kMillisecond = 1'000'000;
  if (!json.is_string()) return std::nullopt;
  const auto time = visibility::parse_time(json.get<std::string>());
  if (!time) return std::nullopt;
  const std::int64_t behind = (*time % kMillisecond + kMillisecond) % kMillisecond;
  return *time - behind;
}

}  // namespace

AttributeType attribute_type_of(enums::IndexedValueType type) {
  return type == enums::INDEXED_VALUE_TYPE_UNSPECIFIED ? AttributeType::kKeyword
                                                       : static_cast<AttributeType>(type);
}

visibility::TypeOf attribute_types(const AttributeTypes& own) {
  return [&own](std::string_view name) -> std::optional<AttributeType> {
    if (name == "ExecutionStatus") return AttributeType::kInt;  // Compared by its number.
    const std::string key(name);
    if (const auto type = settable_type(own, key)) return attribute_type_of(*type);
    const auto system = system_attributes().find(key);
    if (system == system_attributes().end()) return std::nullopt;
    return attribute_type_of(system->second);
  };
}

std::optional<Value> attribute_value(const common::Payload& payload, AttributeType type) {
  auto json = nlohmann::json::parse(payload.data(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  if (type == AttributeType::kKeywordList) return list_of(json);
  if (json.is_array() && json.size() == 1) {
    nlohmann::json only = std::move(json[0]);  // Old SDKs send lists.
    json = std::move(only);
  }
  switch (type) {
    case AttributeType::kBool:
      return json.is_boolean() ? std::optional<Value>(json.get<bool>()) : std::nullopt;
    case AttributeType::kInt:
      if (!json.is_number_integer()) return std::nullopt;
      return Value(json.get<std::int64_t>());
    case AttributeType::kDouble:
      return json.is_number() ? std::optional<Value>(json.get<double>()) : std::nullopt;
    case AttributeType::kDatetime:
      return time_of(json);
    default:
      return json.is_string() ? std::optional<Value>(json.get<std::string>()) : std::nullopt;
  }
}

}  // namespace chimera::server
