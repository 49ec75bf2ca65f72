// What a namespace says of one of its two archives (of histories, of executions), and how that may
// change: its URI stays once it is set. As by the genuine server. Pure, but for check_folder().
#ifndef CHIMERA_SERVER_ARCHIVAL_SETTING_H_
#define CHIMERA_SERVER_ARCHIVAL_SETTING_H_

#include <string>

#include "absl/status/statusor.h"
#include "temporal/api/enums/v1/namespace.pb.h"

#include "server/base/types.h"

namespace chimera::server::archival {

struct Setting {
  enums::ArchivalState state = enums::ARCHIVAL_STATE_DISABLED;
  std::string uri;  // Empty: none was ever set.
  bool enabled() const { return state == enums::ARCHIVAL_STATE_ENABLED; }
};

// A wish's state and URI may each be left out. kInvalidArgument, in the genuine server's words.
absl::StatusOr<Setting> changed(const Setting& now, const Setting& wish,
                                const std::string& default_uri);

// "file:///var/archive" of an absolute path.
std::string uri_of(const std::string& folder);
// kInvalidArgument, in the genuine server's words, for what is not a "file" URI with a path.
absl::StatusOr<std::string> folder_of(const std::string& uri);
// Likewise if there is something at the URI's path that is no folder. It may block.
absl::Status check_folder(const std::string& uri);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_SETTING_H_
