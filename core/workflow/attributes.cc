#include "core/workflow/attributes.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "core/base/proto_time.h"

namespace chimera::core {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kTextMax = 80;

// Said elsewhere, or of no help.
bool passed_over(const FieldDescriptor& field) {
  static const auto* const names = new absl::flat_hash_set<std::string_view>{
      "activity_id",
      "activity_type",
      "child_workflow_only",
      "control",
      "header",
      "namespace_id",
      "request_eager_execution",
      "scheduled_event_id",
      "start_to_fire_timeout",
      "started_event_id",
      "timer_id",
      "workflow_id",
      "workflow_task_completed_event_id",
      "workflow_type",
  };
  return names->contains(field.name());
}

std::string in_words(std::chrono::nanoseconds time) {
  return absl::FormatDuration(absl::FromChrono(time));
}
std::string shortened(const std::string& text) {
  return absl::Utf8SafeCHexEscape(
      text.size() <= kTextMax ? text : absl::StrCat(text.substr(0, kTextMax - 3), "..."));
}

std::string fields_of(const Message& message);

std::string counted(int count, const char* what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

std::string in_words(const Message& message) {
  using google::protobuf::Duration;
  using google::protobuf::DynamicCastToGenerated;
  if (const auto* duration = DynamicCastToGenerated<Duration>(&message))
    return in_words(base::to_nanoseconds(*duration));
  if (const auto* values = DynamicCastToGenerated<api::common::v1::Payloads>(&message))
    return counted(values->payloads_size(), "value");
  if (DynamicCastToGenerated<api::common::v1::Payload>(&message)) return "a value";
  if (const auto* failure = DynamicCastToGenerated<api::failure::v1::Failure>(&message)) {
    return failure->has_application_failure_info() &&
                   !failure->application_failure_info().type().empty()
               ? shortened(failure->application_failure_info().type())
               : "a failure";
  }
  if (const auto* queue = DynamicCastToGenerated<api::taskqueue::v1::TaskQueue>(&message))
    return shortened(queue->name());
  if (const auto* run = DynamicCastToGenerated<api::common::v1::WorkflowExecution>(&message))
    return shortened(run->workflow_id());
  return absl::StrCat("{", fields_of(message), "}");
}

// Memos, search attributes: what there is, not what it says.
std::string keys_of(const Message& message, const FieldDescriptor& field) {
  std::vector<std::string> keys;
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    keys.push_back(
        shortened(entry.GetReflection()->GetString(entry, field.message_type()->map_key())));
  }
  std::sort(keys.begin(), keys.end());
  return absl::StrJoin(keys, ",");
}

std::string one_in_words(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return in_words(reflection.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return shortened(reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return std::string(reflection.GetEnum(message, &field)->name());
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrCat(reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(reflection.GetDouble(message, &field));
    default:
      return "set";
  }
}

std::string fields_of(const Message& message) {
  std::vector<std::string> words;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (passed_over(*field)) continue;
    const bool text_keys = field->is_map() && field->message_type()->map_key()->cpp_type() ==
                                                  FieldDescriptor::CPPTYPE_STRING;
    const std::string value =
        text_keys ? keys_of(message, *field)
        : field->is_repeated()
            ? counted(message.GetReflection()->FieldSize(message, field), "value")
            : one_in_words(message, *field);
    if (value == "0" || value == "{}") continue;  // As good as not said.
    words.push_back(absl::StrCat(field->name(), "=", value));
  }
  return absl::StrJoin(words, " ");
}

}  // namespace

std::string attributes_of(const HistoryEvent& event) {
  const auto* attributes = HistoryEvent::descriptor()->FindOneofByName("attributes");
  const auto& reflection = *event.GetReflection();
  const FieldDescriptor* which = reflection.GetOneofFieldDescriptor(event, attributes);
  return which ? fields_of(reflection.GetMessage(event, which)) : "";
}

std::string attributes_of(const Command& command) {
  return std::visit(
      [](const auto& one) -> std::string {
        using One = std::remove_cvref_t<decltype(one)>;
        if constexpr (requires { one.attributes; }) {
          return fields_of(one.attributes);
        } else if constexpr (std::is_same_v<One, StartTimer>) {
          return absl::StrCat("start_to_fire_timeout=", in_words(one.start_to_fire_timeout));
        } else if constexpr (std::is_same_v<One, UpsertWorkflowSearchAttributes>) {
          return fields_of(one.search_attributes);
        } else if constexpr (std::is_same_v<One, ModifyWorkflowProperties>) {
          return fields_of(one.upserted_memo);
        } else if constexpr (std::is_same_v<One, FailWorkflowExecution>) {
          return absl::StrCat("failure=", in_words(one.failure));
        } else {
          return "";
        }
      },
      command.variant);
}

}  // namespace chimera::core
