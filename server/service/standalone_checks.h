// The checks that calls about activities and about Nexus operations that stand alone share, with
// texts of the genuine server 1.32. Any thread.
#ifndef CHIMERA_SERVER_SERVICE_STANDALONE_CHECKS_H_
#define CHIMERA_SERVER_SERVICE_STANDALONE_CHECKS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "temporal/api/sdk/v1/user_metadata.pb.h"

#include "server/base/errors.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {

// "activity ID exceeds length limit. Length=1001 Limit=1000"
inline absl::Status check_size(absl::string_view what, std::size_t size, std::size_t limit,
                               absl::string_view kind = "size limit") {
  if (size <= limit) return absl::OkStatus();
  return invalid(absl::StrCat(what, " exceeds ", kind, ". Length=", size, " Limit=", limit));
}
inline absl::Status check_limit(absl::string_view what, absl::string_view text,
                                std::size_t limit = kIdMax,
                                absl::string_view kind = "length limit") {
  return check_size(what, text.size(), limit, kind);
}

inline absl::Status check_user_metadata(const ::temporal::api::sdk::v1::UserMetadata& metadata) {
  constexpr std::size_t kSummaryMax = 400, kDetailsMax = 20000;
  if (absl::Status s =
          check_size("user_metadata.summary", metadata.summary().ByteSizeLong(), kSummaryMax);
      !s.ok())
    return s;
  return check_size("user_metadata.details", metadata.details().ByteSizeLong(), kDetailsMax);
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_STANDALONE_CHECKS_H_
