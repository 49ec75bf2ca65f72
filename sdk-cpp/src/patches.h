// Patches, what workflow::patched() has answered in this run, and what history says it did.
#ifndef CHIMERA_SDK_CPP_SRC_PATCHES_H_
#define CHIMERA_SDK_CPP_SRC_PATCHES_H_

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "sdk-cpp/src/run.h"

namespace chimera::sdk {

class Patches {
 public:
  void apply(const core::NotifyHasPatch& job) { notified_.insert(job.patch_id); }
  // The same for as long as the run lives; a command of `run` where it is true.
  bool patched(Run& run, std::string_view id, bool deprecated);

 private:
  std::map<std::string, bool, std::less<>> answers_;
  std::set<std::string, std::less<>> notified_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_PATCHES_H_
