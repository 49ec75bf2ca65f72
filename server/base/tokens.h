// The opaque tokens that a worker or client hands back: of tasks, of pages of histories and
// lists. Any thread.
#ifndef CHIMERA_SERVER_BASE_TOKENS_H_
#define CHIMERA_SERVER_BASE_TOKENS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace chimera::server {

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

// Whom a Nexus operation that a handler has begun reports to when it ends. Text: it travels in a
// header. Of one that stands alone: its ids, and no event's.
struct NexusToken {
  std::string namespace_id, workflow_id, run_id;
  std::int64_t scheduled_id = 0;
  std::string request_id;

  std::string encode() const;
  static std::optional<NexusToken> decode(absl::string_view text);
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_BASE_TOKENS_H_
