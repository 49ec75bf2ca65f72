// Files of an archive: whole or not at all, and on the disk when a call returns. They may block.
// Any thread; errors are kUnavailable and name the file.
#ifndef CHIMERA_SERVER_ARCHIVAL_FILES_H_
#define CHIMERA_SERVER_ARCHIVAL_FILES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace chimera::server::archival {

// Makes the folders on the way. Until it is complete the file stands in `aside`, on the same file
// system. One that is there is replaced.
absl::Status write_file(const std::string& folder, const std::string& name,
                        const std::string& aside, const std::string& bytes);
// Nothing if there is no such file, or if it is no regular one: that is never opened, for one might
// wait for its other end.
absl::StatusOr<std::optional<std::string>> read_file(const std::string& folder,
                                                     const std::string& name);
// In no order; nothing if there is no such folder.
absl::StatusOr<std::optional<std::vector<std::string>>> names_in(const std::string& folder);
// Makes the folder, if it is not there, and a file in it, which goes again.
absl::Status try_folder(const std::string& folder);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_FILES_H_
