// Archival, the closed runs that still have to be written to the archives of their namespaces: in
// the background, one of a namespace at a time, tried again until it is done. None of them is
// deleted before. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_ARCHIVAL_H_
#define CHIMERA_SERVER_ENGINE_ARCHIVAL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "server/archival/archivist.h"
#include "server/archival/setting.h"
#include "server/engine/run/namespaces.h"
#include "server/engine/run/run.h"
#include "server/timers/timer_heap.h"

namespace chimera::server {

class Engine;

archival::Setting history_archival(const Namespace& ns);
archival::Setting visibility_archival(const Namespace& ns);
void set_archival(Namespace& ns, const archival::Setting& history,
                  const archival::Setting& visibility);

// Files of an archive that a list passed over: which, and what is wrong. Any thread.
void tell_of_damage(const std::vector<std::string>& damaged);

class Archival {
 public:
  Archival(Engine& engine, bool apart);
  ~Archival();
  // New namespaces archive to subfolders of it, an absolute path. Before the loop starts; without
  // it nothing is archived, nor read from an archive.
  void configure(const std::string& folder);
  bool on() const { return !history_uri_.empty(); }
  const std::string& history_uri() const { return history_uri_; }
  const std::string& visibility_uri() const { return visibility_uri_; }
  archival::Archivist& archivist() { return *archivist_; }

  // In the turn that closes it.
  void closed(const Run& run);
  // It is deleted.
  void forget(const std::string& run_id);
  // It is not in the archive yet: it must not be deleted.
  bool holds(const std::string& run_id) const { return on() && unarchived_.contains(run_id); }
  bool holds_any_of(const Namespace& ns) const;
  // One that it holds: deletes it once it is in the archive, also if that is after a restart.
  void delete_when_archived(const std::string& run_id);
  // Calls `done` once nothing more can be written now, with the number of those that could not.
  void when_idle(absl::AnyInvocable<void(std::size_t)> done);
  // After what is under way; the rest is left. When the loop has stopped.
  void stop();

  // --- The store.
  static constexpr char kTable[] = "unarchived";  // By run id.
  void restore(const std::string& run_id, absl::string_view value);
  void resume();  // When namespaces and runs are there.

 private:
  struct Unarchived {
    std::string namespace_id;
    bool deleted = false;  // By a caller: it goes when it is archived.
  };
  struct Waiting {
    std::string run_id;
    std::uint64_t commit = 0;  // That has its end: it must be written first.
  };
  struct Backlog {
    std::deque<Waiting> waiting;
    RunPtr under_way;  // Null: none.
    Nanos rest{};      // After the last failure; none: there was none.
    bool resting = false;
    std::unique_ptr<Timer> timer;
  };

  void add(const std::string& run_id, const std::string& namespace_id, std::uint64_t commit);
  void advance(const std::string& namespace_id);
  void wait(const std::string& namespace_id, Nanos time);
  bool write(const Run& run);  // False: its namespace does not archive any more.
  void written(const std::string& namespace_id, const absl::Status& status);
  void let_go(const Run& run);
  bool is_idle() const;
  void tell_if_idle();

  Engine& engine_;
  std::string history_uri_, visibility_uri_;
  absl::flat_hash_map<std::string, Unarchived> unarchived_;  // By run id.
  std::map<std::string, Backlog> backlogs_;                  // By namespace id.
  std::vector<absl::AnyInvocable<void(std::size_t)>> idle_;
  std::unique_ptr<archival::Archivist> archivist_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_ARCHIVAL_H_
