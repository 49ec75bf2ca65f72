#include "core/rpc/payload_warnings.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"

#include "core/converter/payload_walk.h"
#include "core/converter/value_words.h"
#include "core/telemetry/log.h"

namespace chimera::core {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageLite;

class Looking final : public PayloadVisitor {
 public:
  explicit Looking(const PayloadWarnings& warnings) : warnings_(warnings) {}

  bool enter(const Message& message) override {
    if (message.GetDescriptor() == api::common::v1::Memo::descriptor()) {
      warn(message, "fields", message.ByteSizeLong(), warnings_.memo_bytes);
      return false;
    }
    around_.push_back(&message);
    return true;
  }
  void leave(const Message&) override { around_.pop_back(); }

  void visit(const Message& owner, const FieldDescriptor& field,
             std::span<api::common::v1::Payload* const> payloads) override {
    std::size_t bytes = 0;
    for (const auto* payload : payloads) bytes += payload->ByteSizeLong();
    warn(owner, field.name(), bytes, warnings_.payload_bytes);
  }

 private:
  void warn(const Message& owner, std::string_view field, std::size_t bytes, std::size_t limit) {
    if (limit == 0 || bytes <= limit) return;
    ValueOwner whose;
    for (const Message* each : around_) whose = owner_of_values(*each, whose);
    LogFields fields;
    for (const auto& [name, value] :
         {std::pair("namespace", &whose.namespace_), std::pair("workflow_id", &whose.workflow_id),
          std::pair("run_id", &whose.run_id), std::pair("workflow_type", &whose.workflow_type),
          std::pair("activity_id", &whose.activity_id)}) {
      if (!value->empty()) fields.emplace_back(name, *value);
    }
    log(LogLevel::kWarn, "client",
        absl::StrCat("[TMPRL1103] ", value_words(owner, field), ": ", bytes,
                     " bytes, which exceeds the warning limit of ", limit,
                     ". Store large data elsewhere and pass where it is."),
        std::move(fields));
  }

  const PayloadWarnings& warnings_;
  std::vector<const Message*> around_;
};

// Of a method by its path, "/temporal.api.workflowservice.v1.WorkflowService/QueryWorkflow";
// null for others.
std::unique_ptr<Message> parsed_request(std::string_view method, const std::string& bytes) {
  const std::string path(method);
  const std::size_t slash = path.rfind('/'), dot = path.rfind('.', slash);
  if (slash == std::string::npos || dot == std::string::npos || slash < dot) return nullptr;
  const std::string name = absl::StrCat(path.substr(1, dot), path.substr(slash + 1), "Request");
  const Descriptor* type = DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr || !may_hold_payloads(*type)) return nullptr;
  std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  return message->ParseFromString(bytes) ? std::move(message) : nullptr;
}

// Of the commonest request without reflection, which a hundred commands would feel.
bool may_have_memo(const Message& message) {
  using api::command::v1::Command;
  using api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
  const auto* task = dynamic_cast<const RespondWorkflowTaskCompletedRequest*>(&message);
  if (task == nullptr) return true;
  return std::any_of(task->commands().begin(), task->commands().end(), [](const Command& command) {
    return command.has_start_child_workflow_execution_command_attributes() ||
           command.has_continue_as_new_workflow_execution_command_attributes() ||
           command.has_modify_workflow_properties_command_attributes();
  });
}

}  // namespace

void warn_of_large_values(const PayloadWarnings& warnings, std::string_view method,
                          const std::variant<const MessageLite*, std::string>& request) {
  std::size_t least = warnings.payload_bytes == 0 ? warnings.memo_bytes : warnings.payload_bytes;
  if (warnings.memo_bytes > 0) least = std::min(least, warnings.memo_bytes);
  if (least == 0) return;
  const auto* bytes = std::get_if<std::string>(&request);
  const auto* lite = std::get_if<const MessageLite*>(&request);
  const std::size_t size = bytes ? bytes->size() : (*lite)->ByteSizeLong();
  if (size <= least) return;
  if (!log_enabled(LogLevel::kWarn)) return;
  std::unique_ptr<Message> parsed;
  if (bytes) parsed = parsed_request(method, *bytes);
  const auto* message = bytes ? parsed.get() : dynamic_cast<const Message*>(*lite);
  if (message == nullptr || !may_hold_payloads(*message->GetDescriptor())) return;
  const bool only_memos = warnings.payload_bytes == 0 || size <= warnings.payload_bytes;
  if (only_memos && !may_have_memo(*message)) return;
  Looking looking(warnings);
  only_memos ? look_at_memos(*message, looking) : look_at_payloads(*message, looking);
}

}  // namespace chimera::core
