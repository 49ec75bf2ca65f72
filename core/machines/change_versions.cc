#include "core/machines/change_versions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace chimera::core {

namespace enums = api::enums::v1;

constexpr std::size_t kAttributeBytesMax = 2048;  // Of the official core and of the Go SDK.

bool ChangeVersions::add_version(const std::string& id, std::int64_t version) {
  std::string name = absl::StrCat(id, "-", version);
  if (std::find(versions_.begin(), versions_.end(), name) != versions_.end()) return false;
  versions_.push_back(std::move(name));
  return true;
}

// Versions newest first, as Go lists them; patches sorted, as the official core does.
std::optional<api::common::v1::Payload> ChangeVersions::attribute() const {
  std::vector<std::string> names(versions_.rbegin(), versions_.rend());
  names.insert(names.end(), patches_.begin(), patches_.end());
  std::string data =
      nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (data.size() >= kAttributeBytesMax) return std::nullopt;
  api::common::v1::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  (*payload.mutable_metadata())["type"] = "KeywordList";
  payload.set_data(std::move(data));
  return payload;
}

void ChangeVersions::upsert(api::common::v1::Payload attribute, RunPort& run, Outgoing& outgoing) {
  OutgoingCommand entry{MachineKind::kSearchAttributes,
                        enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES};
  Command none{CancelTimer{}};
  entry.command = run.make(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, none);
  if (entry.command) {
    auto& fields = *entry.command->mutable_upsert_workflow_search_attributes_command_attributes()
                        ->mutable_search_attributes()
                        ->mutable_indexed_fields();
    fields[kChangeVersionAttribute] = std::move(attribute);
  }
  outgoing.push(std::move(entry));
}

bool ChangeVersions::skips(const HistoryEvent& event) {
  if (!skip_upsert_) return false;
  skip_upsert_ = false;
  return event.has_upsert_workflow_search_attributes_event_attributes() &&
         event.upsert_workflow_search_attributes_event_attributes()
             .search_attributes()
             .indexed_fields()
             .contains(kChangeVersionAttribute);
}

}  // namespace chimera::core
