// Flags, which rules of the core and of the language a run's history was made with.
// Owned by the run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_FLAGS_H_
#define CHIMERA_CORE_MACHINES_FLAGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/api.h"
#include "core/language/language.h"

namespace chimera::core {

enum class CoreFlag : std::uint8_t {
  kIdAndTypeChecks = 1,
  kUpsertOnPatch = 2,
  kTerminalCommandLast = 3,
  kNexusChecks = 4,
};

class Flags {
 public:
  // What a workflow task's completion recorded.
  void seen(const api::history::v1::WorkflowTaskCompletedEventAttributes& completed);
  // Whether the rule holds; where history has not fixed it yet (not replaying), it does from now
  // on.
  bool use(CoreFlag flag, bool replaying);
  void used_by_language(const std::vector<std::uint32_t>& flags);
  // What the next completion has to record: each thing once.
  void record(const LanguageIdentity& identity,
              api::sdk::v1::WorkflowTaskCompletedMetadata& metadata);

  const std::vector<std::uint32_t>& of_language() const { return language_; }
  const std::string& sdk_version() const { return sdk_version_; }

 private:
  bool any_completed_ = false;
  std::uint32_t core_ = 0, core_unrecorded_ = 0;               // Bit n: flag n.
  std::vector<std::uint32_t> language_, language_unrecorded_;  // Sorted.
  std::string sdk_name_, sdk_version_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_FLAGS_H_
