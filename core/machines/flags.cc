#include "core/machines/flags.h"

#include <algorithm>

#include "core/machines/dialect.h"

namespace chimera::core {
namespace {

constexpr std::uint32_t kAllCoreFlags = 0b11110;

bool insert_sorted(std::vector<std::uint32_t>& flags, std::uint32_t flag) {
  const auto at = std::lower_bound(flags.begin(), flags.end(), flag);
  if (at != flags.end() && *at == flag) return false;
  flags.insert(at, flag);
  return true;
}

}  // namespace

void Flags::seen(const api::history::v1::WorkflowTaskCompletedEventAttributes& completed) {
  any_completed_ = true;
  if (!completed.has_sdk_metadata()) return;
  const auto& metadata = completed.sdk_metadata();
  for (std::uint32_t flag : metadata.core_used_flags()) {
    if (flag < 32) core_ |= 1u << flag;
  }
  if (!metadata.sdk_name().empty()) sdk_name_ = metadata.sdk_name();
  // Theirs mean something else.
  if (!is_foreign_sdk(sdk_name_)) {
    for (std::uint32_t flag : metadata.lang_used_flags()) insert_sorted(language_, flag);
  }
  if (!metadata.sdk_version().empty()) sdk_version_ = metadata.sdk_version();
}

bool Flags::use(CoreFlag flag, bool replaying) {
  const std::uint32_t bit = 1u << static_cast<int>(flag);
  if (core_ & bit) return true;
  if (replaying) return false;
  core_ |= bit;
  core_unrecorded_ |= bit;
  return true;
}

void Flags::used_by_language(const std::vector<std::uint32_t>& flags) {
  for (std::uint32_t flag : flags) {
    if (insert_sorted(language_, flag)) language_unrecorded_.push_back(flag);
  }
}

void Flags::record(const LanguageIdentity& identity,
                   api::sdk::v1::WorkflowTaskCompletedMetadata& metadata) {
  // A run that we begin follows all rules that we know; an older one only those that it has come
  // to.
  if (!any_completed_) {
    core_unrecorded_ |= kAllCoreFlags & ~core_;
    core_ |= kAllCoreFlags;
    any_completed_ = true;
    core_unrecorded_ |= core_;
  }
  for (std::uint32_t flag = 0; flag < 32; ++flag) {
    if (core_unrecorded_ & 1u << flag) metadata.add_core_used_flags(flag);
  }
  for (std::uint32_t flag : language_unrecorded_) metadata.add_lang_used_flags(flag);
  core_unrecorded_ = 0;
  language_unrecorded_.clear();
  if (identity.sdk_name != sdk_name_) metadata.set_sdk_name(identity.sdk_name);
  if (identity.sdk_version != sdk_version_) metadata.set_sdk_version(identity.sdk_version);
}

}  // namespace chimera::core
