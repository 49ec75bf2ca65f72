#include "core/machines/properties.h"

#include "core/machines/change_versions.h"

namespace chimera::core {

namespace enums = api::enums::v1;

void Properties::begin(const api::history::v1::WorkflowExecutionStartedEventAttributes& started) {
  if (started.has_memo() && !started.memo().fields().empty())
    memo_ = std::make_unique<api::common::v1::Memo>(started.memo());
  if (started.has_search_attributes() && !started.search_attributes().indexed_fields().empty()) {
    search_attributes_ =
        std::make_unique<api::common::v1::SearchAttributes>(started.search_attributes());
  }
  if (started.has_retry_policy())
    retry_policy_ = std::make_unique<api::common::v1::RetryPolicy>(started.retry_policy());
}

void Properties::take(UpsertWorkflowSearchAttributes& command, Command& whole, RunPort& run,
                      Outgoing& outgoing) {
  auto& fields = *command.search_attributes.mutable_indexed_fields();
  fields.erase(kChangeVersionAttribute);  // That one is the core's.
  if (!search_attributes_)
    search_attributes_ = std::make_unique<api::common::v1::SearchAttributes>();
  for (const auto& [name, value] : fields)
    (*search_attributes_->mutable_indexed_fields())[name] = value;
  OutgoingCommand entry{MachineKind::kSearchAttributes,
                        enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES};
  entry.command = run.make(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, whole);
  if (entry.command) {
    *entry.command->mutable_upsert_workflow_search_attributes_command_attributes()
         ->mutable_search_attributes() = std::move(command.search_attributes);
  }
  outgoing.push(std::move(entry));
}

void Properties::take(ModifyWorkflowProperties& command, Command& whole, RunPort& run,
                      Outgoing& outgoing) {
  OutgoingCommand entry{MachineKind::kMemo, enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED};
  entry.command = run.make(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, whole);
  if (entry.command) {
    *entry.command->mutable_modify_workflow_properties_command_attributes()
         ->mutable_upserted_memo() = std::move(command.upserted_memo);
  }
  outgoing.push(std::move(entry));
}

void Properties::fill(
    api::command::v1::ContinueAsNewWorkflowExecutionCommandAttributes& attributes) const {
  if (attributes.memo().fields().empty() && memo_) *attributes.mutable_memo() = *memo_;
  if (attributes.search_attributes().indexed_fields().empty() && search_attributes_)
    *attributes.mutable_search_attributes() = *search_attributes_;
  if (!attributes.has_retry_policy() && retry_policy_)
    *attributes.mutable_retry_policy() = *retry_policy_;
}

std::size_t Properties::memory_bytes() const {
  return (memo_ ? memo_->SpaceUsedLong() : 0) +
         (search_attributes_ ? search_attributes_->SpaceUsedLong() : 0);
}

}  // namespace chimera::core
