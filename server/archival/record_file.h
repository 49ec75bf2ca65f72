// Records of closed executions in an archive's folder, each a file of JSON, as the genuine server's
// file store writes and lists them. They may block. Any thread.
#ifndef CHIMERA_SERVER_ARCHIVAL_RECORD_FILE_H_
#define CHIMERA_SERVER_ARCHIVAL_RECORD_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/archival/query.h"
#include "server/base/types.h"
#include "server/visibility/attributes.h"

namespace chimera::server::archival {

using Info = ::temporal::api::workflow::v1::WorkflowExecutionInfo;

struct Record {
  std::string namespace_id, namespace_name;
  std::string history_uri;  // Empty: its history is not archived.
  // Of it: execution, type, times, status, length of its history, memo, search attributes.
  Info info;
};

std::string encode_record(const Record& record);
// `own`: the search attributes of the record's namespace.
absl::StatusOr<Record> decode_record(const std::string& json, const AttributeTypes& own);

// kUnavailable: it could not be written now.
absl::Status write_record(const std::string& folder, const Record& record);

struct RecordPage {
  std::vector<Info> infos;
  std::string next_token;            // Of a page that is full, also if nothing is behind it.
  std::vector<std::string> damaged;  // Files that were passed over: which, and what is wrong.
};
struct RecordList {
  std::string folder, namespace_id;
  AttributeTypes own;  // The namespace's search attributes.
  Filter filter;
  std::string token;  // Empty: from the first.
  int page_size = 0;
};
// The last one closed is first. kInvalidArgument: the token is none; kUnavailable: a file cannot be
// read now.
absl::StatusOr<RecordPage> list_records(const RecordList& list);

}  // namespace chimera::server::archival

#endif  // CHIMERA_SERVER_ARCHIVAL_RECORD_FILE_H_
