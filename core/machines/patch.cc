#include "core/machines/patch.h"

#include "nlohmann/json.hpp"

namespace chimera::core {
namespace {

constexpr char kDetail[] = "patch-data";
constexpr std::size_t kAttributeBytesMax = 2048;  // Of the official core.

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

std::optional<api::common::v1::Payload> change_version_attribute(
    const std::set<std::string>& patch_ids) {
  std::string data =
      nlohmann::json(patch_ids).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (data.size() >= kAttributeBytesMax) return std::nullopt;
  api::common::v1::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  (*payload.mutable_metadata())["type"] = "KeywordList";
  payload.set_data(std::move(data));
  return payload;
}

}  // namespace chimera::core
