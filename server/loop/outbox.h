// Outbox, what a turn leaves to be done: follow-ups, which run in the same turn, and the answers of
// its calls, which go out once the turn's changes are durable. Loop thread.
#ifndef CHIMERA_SERVER_LOOP_OUTBOX_H_
#define CHIMERA_SERVER_LOOP_OUTBOX_H_

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "server/base/call.h"
#include "server/store/store.h"

namespace chimera::server {

class Outbox {
 public:
  explicit Outbox(Store& store) : store_(store) {}
  ~Outbox();  // Every answer has gone out.

  // Runs after the current handler, in the same turn.
  void follow_up(absl::AnyInvocable<void()> task) { follow_ups_.push_back(std::move(task)); }
  void run_follow_ups();  // And what they add.
  bool has_follow_ups() const { return !follow_ups_.empty(); }
  void drop_follow_ups() { follow_ups_.clear(); }

  // The call's answer; later ones of the same call are dropped.
  void finish(const CallPtr& call, absl::Status status);
  // Taken and not answered yet: a call is dropped as soon as it is.
  absl::flat_hash_set<CallPtr>& open_calls() { return open_calls_; }

  // At the turn's end: the answers follow the changes. To send an answer may block; `elsewhere`:
  // not on this thread, please.
  void flush(WriteBatch changes, bool elsewhere);

 private:
  struct Answer {
    CallPtr call;
    absl::Status status;
  };
  using Answers = std::vector<Answer>;

  static void deliver(Answers& answers, const absl::Status& written);
  void hand_to_courier(Answers answers);
  void carry();

  Store& store_;
  std::deque<absl::AnyInvocable<void()>> follow_ups_;
  absl::flat_hash_set<CallPtr> open_calls_;
  Answers answers_, sending_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Answers> to_carry_;
  bool stopping_ = false;
  std::thread courier_;  // Made when first needed. Loop thread.
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_LOOP_OUTBOX_H_
