#include "core/workflow/payload_size.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "core/converter/value_words.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;

// The part of a command that the server measures, and its name for people.
struct Part {
  const google::protobuf::Message* value = nullptr;
  std::string name;
};

Part measured(const api::command::v1::Command& command) {
  const auto part = [](const auto& owner, const google::protobuf::Message& value,
                       std::string_view field) { return Part{&value, value_words(owner, field)}; };
  switch (command.command_type()) {
    case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: {
      const auto& attributes = command.schedule_activity_task_command_attributes();
      return part(attributes, attributes.input(), "input");
    }
    case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: {
      const auto& attributes = command.start_child_workflow_execution_command_attributes();
      return part(attributes, attributes.input(), "input");
    }
    case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: {
      const auto& attributes = command.signal_external_workflow_execution_command_attributes();
      return part(attributes, attributes.input(), "input");
    }
    case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION: {
      const auto& attributes = command.complete_workflow_execution_command_attributes();
      return part(attributes, attributes.result(), "result");
    }
    case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: {
      const auto& attributes = command.fail_workflow_execution_command_attributes();
      return part(attributes, attributes.failure(), "failure");
    }
    case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION: {
      const auto& attributes = command.continue_as_new_workflow_execution_command_attributes();
      return part(attributes, attributes.input(), "input");
    }
    case enums::COMMAND_TYPE_RECORD_MARKER: {
      const auto& attributes = command.record_marker_command_attributes();
      const auto data = attributes.details().find("data");
      if (data == attributes.details().end()) return {};
      return part(attributes, data->second, "details");
    }
    case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: {
      const auto& attributes = command.modify_workflow_properties_command_attributes();
      return part(attributes, attributes.upserted_memo(), "upserted_memo");
    }
    default:
      return {};
  }
}

}  // namespace

std::string too_large(const api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request,
                      std::size_t bytes_max) {
  if (bytes_max == 0) return "";
  for (const auto& command : request.commands()) {
    if (command.ByteSizeLong() <= bytes_max) continue;
    Part part = measured(command);
    if (part.value == nullptr || part.value->ByteSizeLong() <= bytes_max) continue;
    // The code is the official one.
    return absl::StrCat("[TMPRL1103] ", part.name, ": ", part.value->ByteSizeLong(),
                        " bytes, which exceeds the server's limit of ", bytes_max,
                        ". Store large data elsewhere and pass where it is.");
  }
  return "";
}

std::string result_too_large(std::size_t bytes, std::size_t bytes_max) {
  return absl::StrCat("[TMPRL1103] The activity's result has ", bytes,
                      " bytes, which exceeds the server's limit of ", bytes_max,
                      ". Store large data elsewhere and return where it is.");
}

namespace {

// Servers take messages of 4 MiB; an answer is not alone in its own.
constexpr std::size_t kAnswerBytesMax = (std::size_t{4} << 20) - (std::size_t{64} << 10);

std::size_t limit_of(std::size_t bytes_max) {
  return bytes_max == 0 ? kAnswerBytesMax : std::min(bytes_max, kAnswerBytesMax);
}

std::string answer_too_large(std::size_t bytes, std::size_t limit) {
  return absl::StrCat("[TMPRL1103] the query's result: ", bytes,
                      " bytes, which exceeds the limit of ", limit,
                      ". Return less, or where it is.");
}

}  // namespace

void bound_answers(api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request,
                   std::size_t bytes_max) {
  const std::size_t limit = limit_of(bytes_max);
  for (auto& [id, result] : *request.mutable_query_results()) {
    const std::size_t bytes = result.answer().ByteSizeLong();
    if (bytes <= limit) continue;
    result.Clear();
    result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
    result.set_error_message(answer_too_large(bytes, limit));
  }
}

void bound_answer(api::workflowservice::v1::RespondQueryTaskCompletedRequest& request,
                  std::size_t bytes_max) {
  const std::size_t limit = limit_of(bytes_max);
  const std::size_t bytes = request.query_result().ByteSizeLong();
  if (bytes <= limit) return;
  request.clear_query_result();
  request.set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
  request.set_error_message(answer_too_large(bytes, limit));
}

}  // namespace chimera::core
