#include "core/converter/value_words.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace chimera::core {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A text in a message by the names of the fields that lead to it: "activity_type.name".
std::string text_at(const Message& message, std::string_view path) {
  const Message* at = &message;
  std::string text;
  for (const auto name : absl::StrSplit(absl::string_view(path.data(), path.size()), '.')) {
    const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(std::string(name));
    if (field == nullptr || field->is_repeated()) return "";
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return at->GetReflection()->GetString(*at, field);
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return "";
    at = &at->GetReflection()->GetMessage(*at, field);
  }
  return text;
}

struct Words {
  std::string_view type, field, words, name;
};
constexpr std::array kWords = {
    Words{"ScheduleActivityTaskCommandAttributes", "input", "the arguments of activity",
          "activity_type.name"},
    Words{"StartChildWorkflowExecutionCommandAttributes", "input",
          "the arguments of child workflow", "workflow_type.name"},
    Words{"SignalExternalWorkflowExecutionCommandAttributes", "input", "the arguments of signal",
          "signal_name"},
    Words{"CompleteWorkflowExecutionCommandAttributes", "result", "the workflow's result", ""},
    Words{"FailWorkflowExecutionCommandAttributes", "failure", "the workflow's failure", ""},
    Words{"ContinueAsNewWorkflowExecutionCommandAttributes", "input",
          "the arguments of the next run", ""},
    Words{"RecordMarkerCommandAttributes", "details", "the value in a marker", "marker_name"},
    Words{"ModifyWorkflowPropertiesCommandAttributes", "upserted_memo", "the memo", ""},
    Words{"StartWorkflowExecutionRequest", "input", "the arguments of workflow",
          "workflow_type.name"},
    Words{"SignalWithStartWorkflowExecutionRequest", "input", "the arguments of workflow",
          "workflow_type.name"},
    Words{"SignalWithStartWorkflowExecutionRequest", "signal_input", "the arguments of signal",
          "signal_name"},
    Words{"NewWorkflowExecutionInfo", "input", "the arguments of workflow", "workflow_type.name"},
    Words{"SignalWorkflowExecutionRequest", "input", "the arguments of signal", "signal_name"},
    Words{"StartActivityExecutionRequest", "input", "the arguments of activity",
          "activity_type.name"},
    Words{"StartNexusOperationExecutionRequest", "input", "the input of Nexus operation",
          "operation"},
    Words{"WorkflowQuery", "query_args", "the arguments of query", "query_type"},
    Words{"WorkflowQueryResult", "answer", "the query's result", ""},
    Words{"RespondQueryTaskCompletedRequest", "query_result", "the query's result", ""},
    Words{"Input", "args", "the arguments of update", "name"},
    Words{"Outcome", "success", "the update's result", ""},
    Words{"RespondActivityTaskCompletedRequest", "result", "the activity's result", ""},
    Words{"RespondActivityTaskCompletedByIdRequest", "result", "the activity's result", ""},
    Words{"RecordActivityTaskHeartbeatRequest", "details", "the activity's heartbeat details", ""},
    Words{"RecordActivityTaskHeartbeatByIdRequest", "details", "the activity's heartbeat details",
          ""},
    Words{"ApplicationFailureInfo", "details", "the details of failure", "type"},
    Words{"Memo", "fields", "the memo", ""},
};

}  // namespace

std::string value_words(const Message& owner, std::string_view field) {
  const std::string& type = owner.GetDescriptor()->name();
  for (const Words& each : kWords) {
    if (each.type != type || each.field != field) continue;
    const std::string name = each.name.empty() ? "" : text_at(owner, each.name);
    return absl::StrCat(std::string(each.words), name.empty() ? "" : " ", name);
  }
  return absl::StrCat("the ", absl::StrReplaceAll(std::string(field), {{"_", " "}}), " of ", type);
}

ValueOwner owner_of_values(const Message& message, const ValueOwner& outer) {
  ValueOwner owner = outer;
  const std::string namespace_ = text_at(message, "namespace");
  if (!namespace_.empty()) owner.namespace_ = namespace_;
  const auto belongs_to = [&](std::string workflow_id, std::string run_id) {
    owner.workflow_id = std::move(workflow_id);
    owner.run_id = std::move(run_id);
    owner.workflow_type = text_at(message, "workflow_type.name");
    owner.activity_id.clear();
  };
  for (const std::string_view execution : {"workflow_execution", "execution"}) {
    std::string id = text_at(message, absl::StrCat(std::string(execution), ".workflow_id"));
    if (id.empty()) continue;
    belongs_to(std::move(id), text_at(message, absl::StrCat(std::string(execution), ".run_id")));
    return owner;
  }
  if (std::string id = text_at(message, "workflow_id"); !id.empty()) {
    belongs_to(std::move(id), text_at(message, "run_id"));
    return owner;
  }
  // "workflow:ID", or the id alone.
  const std::string resource = text_at(message, "resource_id");
  constexpr std::string_view kWorkflow = "workflow:", kActivity = "activity:";
  if (absl::StartsWith(resource, "workflow:")) {
    belongs_to(resource.substr(kWorkflow.size()), "");
  } else if (absl::StartsWith(resource, "activity:")) {
    belongs_to("", "");
    owner.activity_id = resource.substr(kActivity.size());
  } else if (!resource.empty()) {
    belongs_to(resource, "");
  } else if (message.GetDescriptor()->FindFieldByName("workflow_id") != nullptr &&
             !text_at(message, "activity_id").empty()) {  // An activity of no workflow.
    belongs_to("", text_at(message, "run_id"));
    owner.activity_id = text_at(message, "activity_id");
  }
  return owner;
}

}  // namespace chimera::core
