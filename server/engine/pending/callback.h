// Callbacks of a run: who is told how its chain ends. They come with its start, or with a later
// start that is answered with it. Their deliveries are engine/nexus/callbacks.h's. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_CALLBACK_H_
#define CHIMERA_SERVER_ENGINE_PENDING_CALLBACK_H_

#include <string>
#include <vector>

#include "server/engine/nexus/attempts.h"
#include "server/engine/pending/kind.h"

namespace chimera::server {

class Writer;

struct RunCallback {
  common::Callback callback;
  std::string attached_by;  // The request that brought it; empty: its run's start.
  WallTime registered{};
  enums::CallbackState state = enums::CALLBACK_STATE_STANDBY;
  NexusAttempts attempts;

  bool is_standing_by() const { return state == enums::CALLBACK_STATE_STANDBY; }
  bool is_open() const {  // To be delivered: its run has closed.
    return state == enums::CALLBACK_STATE_SCHEDULED || state == enums::CALLBACK_STATE_BACKING_OFF;
  }
  // What no event tells.
  void write(Writer& ar) const;
  void read(Reader& ar);
};

// They stay when the run closes, and are shown then, too.
class Callbacks : public PendingKind {
 public:
  // Their events are about other things as well: it leaves them to the run.
  bool fold(const HistoryEvent& event);
  static constexpr const char* kTable = "callback";
  // Of those that are no longer as their events tell, by their places.
  template <class Visit>
  void each_row(Visit visit) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i].is_standing_by()) visit(static_cast<std::int64_t>(i), all_[i]);
    }
  }
  bool has_rows() const { return !all_.empty(); }
  bool has_row(std::int64_t place) const { return place < static_cast<std::int64_t>(all_.size()); }
  void read_row(std::int64_t place, Reader& ar);

  std::vector<RunCallback>& all() { return all_; }
  const std::vector<RunCallback>& all() const { return all_; }
  // For the run that follows this one.
  void hand_on(history::WorkflowExecutionStartedEventAttributes& start) const;

 private:
  void add(const google::protobuf::RepeatedPtrField<common::Callback>& callbacks,
           const std::string& attached_by, WallTime at);

  std::vector<RunCallback> all_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_CALLBACK_H_
