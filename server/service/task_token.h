// The opaque tokens that a worker or client hands back: of tasks, of pages of histories and
// lists. Any thread.
#ifndef CHIMERA_SERVER_SERVICE_TASK_TOKEN_H_
#define CHIMERA_SERVER_SERVICE_TASK_TOKEN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace chimera::server {

class Engine;
class Run;

struct TaskToken {
  std::string namespace_id, workflow_id, run_id;
  std::int64_t scheduled_id = 0, started_id = 0;
  int attempt = 1;
  std::uint64_t stamp = 0;
  std::string query_id;  // Set: a direct query's token.

  std::string encode() const;
  static std::optional<TaskToken> decode(absl::string_view bytes);
};

struct PageToken {
  std::string run_id;
  std::int64_t next_id = 1;  // First event of the next page.
  std::int64_t end_id = 0;   // First event that is not part of what is read; 0: open ended.
  bool wait = false;         // Ends in a long poll.
  bool worker = false;       // Shows the unwritten events of a started task at the end.

  std::string encode() const;
  static std::optional<PageToken> decode(absl::string_view bytes);
};

// The place of a row in a list of executions. It stays where it is when its row moves or goes.
struct ListToken {
  bool running = false;
  std::int64_t close_time = 0, start_time = 0;  // Nanoseconds since 1970.
  std::string run_id;

  std::string encode() const;
  static std::optional<ListToken> decode(absl::string_view bytes);
};

// An error if the bytes are no task token, or one of another namespace than the request names; it
// may name none.
absl::Status check_token(Engine& engine, const std::string& ns, const std::string& bytes);
// The run whose started workflow task has this token, or the error that the worker gets.
absl::StatusOr<Run*> find_started_task(Engine& engine, const std::string& token);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_TASK_TOKEN_H_
