// NexusAttempts, how often something was sent and failed, and when it is sent again: a request to
// start an operation, one to cancel it, the delivery of a completion. Pure.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_ATTEMPTS_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_ATTEMPTS_H_

#include <cstdint>
#include <memory>

#include "server/base/types.h"

namespace chimera::server {

struct NexusAttempts {
  int count = 0;  // Of those that have ended.
  WallTime last_ended{};
  std::unique_ptr<failure::Failure> last_failure;  // Null: it has not failed.
  WallTime next{};                                 // kUnset: none waits for its time.

  bool waits() const { return next != kUnset; }
  // The last one has failed; the next waits: 1 s, then twice as long each time, an hour at most,
  // and up to a fifth less, by chance.
  void back_off(WallTime now, failure::Failure failure, std::uint64_t random);
  void end(WallTime now);                             // It has succeeded, or there will be none.
  void fail(WallTime now, failure::Failure failure);  // Likewise, badly.
  template <class Info>
  void describe(Info& info) const {
    info.set_attempt(count);
    if (last_ended != kUnset) set(info.mutable_last_attempt_complete_time(), last_ended);
    if (last_failure != nullptr) *info.mutable_last_attempt_failure() = *last_failure;
    if (waits()) set(info.mutable_next_attempt_schedule_time(), next);
  }
  template <class Archive, class Attempts>
  static void visit(Archive& ar, Attempts& attempts) {
    ar.number(attempts.count);
    ar.time(attempts.last_ended);
    ar.optional(attempts.last_failure);
    ar.time(attempts.next);
  }
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_ATTEMPTS_H_
