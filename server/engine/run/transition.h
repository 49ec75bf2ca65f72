// Transition, one change of one run, and the only way to change it: events are written (or
// buffered) through it, and when it is committed the run's workflow task, timers, waiters and the
// store follow. One at a time per run; loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_TRANSITION_H_
#define CHIMERA_SERVER_ENGINE_RUN_TRANSITION_H_

#include <string>

#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

class Transition {
 public:
  Transition(Engine& engine, const Run& run);
  ~Transition();  // It was committed: an error that returns early must come before it.
  Transition(const Transition&) = delete;
  Transition& operator=(const Transition&) = delete;

  HistoryEvent event(enums::EventType type) const;  // With type and time.
  // Appends; the returned event stays where it is. A speculative task is written before it.
  const HistoryEvent& write(HistoryEvent event);
  // An event from outside: buffered while a workflow task is started, and it wants a workflow task.
  void external(HistoryEvent event);
  // Likewise, but no reason for a workflow task.
  void aside(HistoryEvent event);
  // What a command brought about: behind the events of all commands of its task.
  void after_commands(HistoryEvent event);
  // What was written so far is a batch of its own.
  void end_batch();
  // What will be written belongs to the run's last batch, which the same turn has written.
  void join_batch();
  // After the events of a completed or failed task: what was buffered, results last.
  void flush_buffered();
  void want_task() { want_task_ = true; }
  bool wants_task() const { return want_task_; }
  // Once, at the end; then the transition is over.
  void commit();
  // Likewise, for what no event tells: a heartbeat, a task that matching gets. Nothing was written,
  // and it counts only if count() was called.
  void commit_unseen();
  // One more in the run's count of transitions: what the genuine server does in a transaction of
  // its own.
  void count() { ++run_.transitions; }
  // A commit that writes nothing does not count.
  void count_if_written() { counts_ = false; }

  Engine& engine() { return engine_; }
  WallTime now() const;  // On the run's clock.
  Run& run() { return run_; }
  template <class Kind>
  Kind& open() {
    return run_.pending_.of<Kind>();
  }
  bool wrote() const { return run_.events.events_size() > first_; }

 private:
  void end();
  bool counts() const;
  void enforce_history_limits();

  Engine& engine_;
  Run& run_;
  const int first_;
  int batch_;                   // The events before the batch that is written.
  const std::size_t buffered_;  // At first.
  const bool was_running_, was_speculative_;
  bool want_task_ = false;
  bool committed_ = false;
  bool counts_ = true;
  FlushedStarts flushed_starts_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_TRANSITION_H_
