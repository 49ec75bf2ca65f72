#include "core/machines/patch.h"

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace chimera::core {

namespace enums = api::enums::v1;

namespace {

constexpr char kDetail[] = "patch-data";

const api::common::v1::Payload* detail(
    const api::history::v1::MarkerRecordedEventAttributes& marker, const char* name) {
  const auto found = marker.details().find(name);
  if (found == marker.details().end() || found->second.payloads().empty()) return nullptr;
  return &found->second.payloads(0);
}

}  // namespace

std::optional<PatchMarker> read_patch_marker(
    const api::history::v1::MarkerRecordedEventAttributes& marker) {
  if (marker.marker_name() != kPatchMarker) return std::nullopt;
  if (const auto* data = detail(marker, kDetail)) {
    const auto json = nlohmann::json::parse(data->data(), nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_string()) return std::nullopt;
    const auto deprecated = json.find("deprecated");
    return PatchMarker{json["id"].get<std::string>(), deprecated != json.end() &&
                                                          deprecated->is_boolean() &&
                                                          deprecated->get<bool>()};
  }
  const auto* id = detail(marker, "patch_id");
  if (!id) return std::nullopt;
  const auto* deprecated = detail(marker, "deprecated");
  return PatchMarker{id->data(),
                     deprecated && !deprecated->data().empty() && deprecated->data()[0] == 1};
}

void write_patch_marker(const PatchMarker& patch,
                        api::command::v1::RecordMarkerCommandAttributes& marker) {
  marker.set_marker_name(kPatchMarker);
  auto& payload = *(*marker.mutable_details())[kDetail].add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  const auto id =
      nlohmann::json(patch.id).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  payload.set_data("{\"id\":" + id + ",\"deprecated\":" + (patch.deprecated ? "true}" : "false}"));
}

void Patches::take(SetPatchMarker& command, Command& whole, bool replaying, RunPort& run,
                   Outgoing& outgoing) {
  const std::string& id = command.patch_id;
  if (!versions_.add_patch(id)) return;  // One marker per patch and run.
  OutgoingCommand entry{MachineKind::kPatch, enums::EVENT_TYPE_MARKER_RECORDED, 0, id};
  entry.command = run.make_marker(whole);
  if (entry.command) {
    write_patch_marker({id, command.deprecated},
                       *entry.command->mutable_record_marker_command_attributes());
  }
  outgoing.push(std::move(entry));
  if (replaying && !known_.contains(id)) return;
  if (!run.use(CoreFlag::kUpsertOnPatch)) return;
  if (auto attribute = versions_.attribute())
    ChangeVersions::upsert(*std::move(attribute), run, outgoing);
}

absl::Status Patches::meet(const PatchMarker& marker, const HistoryEvent& event, RunPort& run,
                           Outgoing& outgoing) {
  const OutgoingCommand* head = outgoing.front();
  if (head && head->kind == MachineKind::kPatch && head->id == marker.id) {
    outgoing.pop();
    return absl::OkStatus();
  }
  if (marker.deprecated) {
    versions_.pass_marker();
    return absl::OkStatus();
  }
  return run.disagree(event, absl::StrCat("the code no longer asks for patch \"", marker.id,
                                          "\", which this run was made with"));
}

void Patches::pass(Outgoing& outgoing) {
  for (const OutgoingCommand* head = outgoing.front(); head && head->kind == MachineKind::kPatch;
       head = outgoing.front())
    outgoing.pop();
}

}  // namespace chimera::core
