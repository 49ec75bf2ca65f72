#include "sdk-cpp/src/patches.h"

namespace chimera::sdk {

bool Patches::patched(Run& run, std::string_view id, bool deprecated) {
  const bool counts = run.may_change(deprecated ? "deprecate_patch" : "patched");
  const auto known = answers_.find(id);
  if (known != answers_.end()) return known->second;
  if (!counts) return false;
  const bool answer = !run.info.is_replaying || notified_.contains(id);
  answers_.emplace(id, answer);
  if (answer) run.add_command(core::SetPatchMarker{std::string(id), deprecated});
  return answer;
}

}  // namespace chimera::sdk
