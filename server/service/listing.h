// What the RPCs that list and count share: pages, and answers that come from the index's thread.
// Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_LISTING_H_
#define CHIMERA_SERVER_SERVICE_LISTING_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/visibility/entry.h"

namespace chimera::server {

inline constexpr int kPageMax = 1000;

// Where a page begins; none: at the first row.
inline absl::StatusOr<std::optional<visibility::Place>> place_of(const std::string& page_token) {
  if (page_token.empty()) return std::nullopt;
  auto token = ListToken::decode(page_token);
  if (!token) return invalid("Invalid NextPageToken.");
  return visibility::Place{token->running, token->close_time, token->start_time,
                           std::move(token->run_id)};
}

// Empty: there is none.
inline std::string next_page_token(const visibility::Page& page) {
  if (!page.last) return {};
  const visibility::Place& last = *page.last;
  return ListToken{last.open, last.close_time, last.start_time, last.run_id}.encode();
}

// Answers the call on the loop; `response` was made elsewhere.
template <class Call, class Response>
void answer(Engine& engine, Call call, absl::Status status, std::shared_ptr<Response> response) {
  engine.post([&engine, call = std::move(call), status = std::move(status),
               response = std::move(response)]() mutable {
    if (call.raw()->finished) return;  // Its caller went away, and with it what it points to.
    if (status.ok()) call.response().Swap(response.get());
    engine.finish(call.raw(), std::move(status));
  });
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_LISTING_H_
