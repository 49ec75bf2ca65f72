#include "core/history/json.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

namespace chimera::core {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::json;

// What all values of the enum begin with: "EVENT_TYPE_".
std::string common_prefix(const EnumDescriptor& type) {
  std::string prefix = type.value(0)->name();
  for (int i = 1; i < type.value_count(); ++i) {
    const std::string& name = type.value(i)->name();
    std::size_t same = 0;
    while (same < prefix.size() && same < name.size() && prefix[same] == name[same]) ++same;
    prefix.resize(same);
  }
  const std::size_t underscore = prefix.rfind('_');
  return underscore == std::string::npos ? std::string() : prefix.substr(0, underscore + 1);
}

// "TimerStarted" -> "TIMER_STARTED".
std::string upper_snake(const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (i > 0 && absl::ascii_isupper(name[i]) && !absl::ascii_isupper(name[i - 1]) &&
        name[i - 1] != '_')
      out += '_';
    out += absl::ascii_toupper(name[i]);
  }
  return out;
}

void lengthen(const EnumDescriptor& type, Json& value) {
  if (!value.is_string()) return;
  const auto& name = value.get_ref<const std::string&>();
  if (type.FindValueByName(name)) return;
  const std::string full = common_prefix(type) + upper_snake(name);
  if (type.FindValueByName(full)) value = full;
}

void lengthen(const Descriptor& type, Json& message);

void lengthen(const FieldDescriptor& field, Json& value) {
  if (field.type() == FieldDescriptor::TYPE_ENUM) {
    lengthen(*field.enum_type(), value);
  } else if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
    lengthen(*field.message_type(), value);
  }
}

void lengthen(const Descriptor& type, Json& message) {
  if (!message.is_object() || type.well_known_type() != Descriptor::WELLKNOWNTYPE_UNSPECIFIED)
    return;
  for (auto& [name, value] : message.items()) {
    const FieldDescriptor* field = type.FindFieldByCamelcaseName(name);
    if (!field) field = type.FindFieldByName(name);
    if (!field) continue;
    if (field->is_map()) {
      const FieldDescriptor* mapped = field->message_type()->map_value();
      if (value.is_object()) {
        for (auto& item : value) lengthen(*mapped, item);
      }
    } else if (field->is_repeated()) {
      if (value.is_array()) {
        for (auto& item : value) lengthen(*field, item);
      }
    } else {
      lengthen(*field, value);
    }
  }
}

absl::StatusOr<std::string> to_json(const google::protobuf::Message& message) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  if (!status.ok()) return absl::InternalError(std::string(status.message()));
  return json;
}

}  // namespace

absl::StatusOr<api::history::v1::History> history_from_json(const std::string& json) {
  Json parsed;
  try {
    parsed = Json::parse(json);
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("the history is not JSON: ", error.what()));
  }
  if (parsed.is_array()) parsed = Json{{"events", std::move(parsed)}};
  if (!parsed.is_object() || !parsed.contains("events")) {
    return absl::InvalidArgumentError("the history has no \"events\"");
  }
  api::history::v1::History history;
  lengthen(*history.GetDescriptor(), parsed);
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const auto status = google::protobuf::util::JsonStringToMessage(parsed.dump(), &history, options);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the history's JSON is not that of a History: ",
                                                   std::string(status.message())));
  }
  return history;
}

absl::StatusOr<std::string> history_to_json(const api::history::v1::History& history) {
  return to_json(history);
}

absl::StatusOr<std::string> event_to_json(const api::history::v1::HistoryEvent& event) {
  return to_json(event);
}

}  // namespace chimera::core
