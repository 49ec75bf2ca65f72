// What the RPCs that list and count share: pages, and answers that come from the index's thread.
// Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_LISTING_H_
#define CHIMERA_SERVER_SERVICE_LISTING_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "temporal/api/activity/v1/message.pb.h"
#include "temporal/api/nexus/v1/message.pb.h"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/visibility/entry.h"
#include "server/visibility/visibility.h"

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

std::string status_name(enums::WorkflowExecutionStatus status);  // "TimedOut"
common::Payload group_value(const visibility::Value& value);     // Of a count.

// What a call asks for, checked.
struct Question {
  std::string namespace_id;
  visibility::Query query;
};

// False: the row is damaged.
inline bool read_row(const std::string& row, google::protobuf::Message& info) {
  return info.ParseFromString(row);
}
bool read_row(const std::string& row,
              ::temporal::api::activity::v1::ActivityExecutionListInfo& info);
bool read_row(const std::string& row, nexus::NexusOperationExecutionListInfo& info);

template <class Response>
auto& rows_of(Response& response) {
  if constexpr (requires { response.mutable_operations(); }) {
    return *response.mutable_operations();
  } else {
    return *response.mutable_executions();
  }
}

template <class Response>
absl::Status fill(absl::StatusOr<visibility::Page> page, Response& response) {
  if (!page.ok()) return page.status();
  auto& rows = rows_of(response);
  rows.Reserve(static_cast<int>(page->infos.size()));
  for (const std::string& info : page->infos) {
    if (!read_row(info, *rows.Add()))
      return absl::InternalError("a row of the index of executions is damaged");
  }
  response.set_next_page_token(next_page_token(*page));
  return absl::OkStatus();
}

template <class Request, class Response>
absl::Status list_executions(Engine& engine, TypedCall<Request, Response> call,
                             absl::StatusOr<Question> asked, int size) {
  absl::StatusOr<std::optional<visibility::Place>> after =
      place_of(call.request().next_page_token());
  if (!after.ok()) return after.status();
  if (!asked.ok()) return asked.status();
  if (!asked->query.group_by.empty())
    return invalid("invalid query: operation is not supported: 'group by' clause");
  engine.visibility().list(
      std::move(asked->namespace_id), std::move(asked->query),
      size > 0 ? std::min(size, kPageMax) : kPageMax, *std::move(after),
      [&engine, call = std::move(call)](absl::StatusOr<visibility::Page> page) mutable {
        auto response = std::make_shared<Response>();
        absl::Status status = fill(std::move(page), *response);
        answer(engine, std::move(call), std::move(status), std::move(response));
      });
  return absl::OkStatus();
}

template <class Request, class Response>
absl::Status count_executions(Engine& engine, TypedCall<Request, Response> call,
                              absl::StatusOr<Question> asked) {
  if (!asked.ok()) return asked.status();
  engine.visibility().count(
      std::move(asked->namespace_id), std::move(asked->query),
      [&engine, call = std::move(call)](absl::StatusOr<visibility::Count> count) mutable {
        auto response = std::make_shared<Response>();
        if (count.ok()) {
          response->set_count(count->rows);
          for (const visibility::Count::Group& each : count->groups) {
            auto& group = *response->add_groups();
            group.set_count(each.rows);
            *group.add_group_values() = group_value(each.value);
          }
        }
        answer(engine, std::move(call), count.status(), std::move(response));
      });
  return absl::OkStatus();
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_LISTING_H_
