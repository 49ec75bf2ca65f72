#include "server/base/call.h"

#include "absl/strings/str_split.h"

namespace chimera::server {

bool follows_runs(std::string_view supported_features) {
  for (const absl::string_view feature : absl::StrSplit(
           absl::string_view(supported_features.data(), supported_features.size()), ',')) {
    if (feature == "follows-next-run-id") return true;
  }
  return false;
}

bool reads_unwritten(std::string_view client_name) {
  return client_name != "temporal-cli" && client_name != "temporal-ui";
}

}  // namespace chimera::server
