// Histories in an archive's folder, each a file of JSON: its batches, as the genuine server's file
// store writes and reads them. They may block. Any thread.
#ifndef CHIMERA_SERVER_ARCHIVAL_HISTORY_FILE_H_
#define CHIMERA_SERVER_ARCHIVAL_HISTORY_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "temporal/api/history/v1/message.pb.h"

#include "server/base/types.h"

namespace chimera::server::archival {

struct RunKey {
  std::string namespace_id, workflow_id, run_id;
};

// `version` is of the run's last event.
std::string history_name(const RunKey& key, std::int64_t version);

// Of batches that begin with the events `begins` (ids, ascending).
std::string encode_history(const history::History& events, const std::vector<std::int64_t>& begins);
absl::StatusOr<std::vector<history::History>> decode_history(const std::string& json);

// kUnavailable: it could not be written now.
absl::Status write_history(const std::string& folder, const RunKey& key,
                           const history::History& events, const std::vector<std::int64_t>& begins);

struct HistoryPage {
  history::History events;
  std::string next_token;  // Empty: it was the last one.
};

// Whole batches, until they have so many events. kNotFound: it is not in the archive;
// kInvalidArgument: the token is none; kDataLoss: its file is damaged.
class HistoryReader {
 public:
  absl::StatusOr<HistoryPage> read(const std::string& folder, const RunKey& key,
                                   const std::string& token, int page_size);

 private:
  absl::Status open(const std::string& folder, const std::string& name);

  // The file of the last page that was not the last of its history.
  std::string folder_, name_;
  std::vector<history::History> batches_;
};

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_HISTORY_FILE_H_
