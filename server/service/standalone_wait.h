// Calls that wait for a change of an execution that stands alone. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_STANDALONE_WAIT_H_
#define CHIMERA_SERVER_SERVICE_STANDALONE_WAIT_H_

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"

#include "server/base/call.h"
#include "server/base/errors.h"
#include "server/engine/engine.h"

namespace chimera::server {

inline constexpr Nanos kLongPoll = seconds{60};
inline constexpr Nanos kLongPollMargin = seconds{1};  // Before the caller gives up.

// Owned by the waiter that it leaves at the execution and by its timer.
template <class Execution>
struct StandaloneWait {
  CallPtr call;
  std::weak_ptr<const Execution> execution;
  // Fills the response; false: it is not time yet.
  absl::AnyInvocable<bool(const Execution&)> answer;
  absl::Status gone;  // What the call hears when the execution is.
  std::unique_ptr<Timer> deadline;
  std::uint64_t place = 0;  // Among the execution's waiters.

  void leave() const {
    if (const auto live = execution.lock()) live->waiting.erase(place);
  }
};

// Answers the call, or leaves it waiting; when its patience ends it is answered with nothing, and
// its caller is to ask again.
template <class Execution>
void look(Engine& engine, const std::shared_ptr<StandaloneWait<Execution>>& wait, bool may_wait) {
  wait->leave();
  const CallPtr& call = wait->call;
  if (call->finished) return;
  const auto execution = wait->execution.lock();
  if (execution == nullptr || execution->erased) return engine.finish(call, wait->gone);
  if (wait->answer(*execution) || !may_wait) return engine.finish(call, absl::OkStatus());
  wait->place = engine.ids().next_stamp();
  execution->waiting[wait->place] = [&engine, wait] { look(engine, wait, /*may_wait=*/true); };
  if (wait->deadline != nullptr) return;
  const std::weak_ptr<StandaloneWait<Execution>> weak = wait;
  call->on_cancel = [weak] {
    if (const auto live = weak.lock()) live->leave();
  };
  wait->deadline = std::make_unique<Timer>([&engine, weak] {
    if (const auto live = weak.lock())
      engine.follow_up([&engine, live] { look(engine, live, /*may_wait=*/false); });
  });
  Nanos patience = kLongPoll;
  if (call->timeout > Nanos{0}) {
    patience =
        std::min(patience, std::max<Nanos>(call->timeout - kLongPollMargin, milliseconds{1}));
  }
  engine.loop().patience().arm(*wait->deadline, engine.loop().real_now() + patience);
}

template <class Execution, class Answer>
void answer_when(Engine& engine, const CallPtr& call, const Execution& execution, Answer answer) {
  auto wait = std::make_shared<StandaloneWait<Execution>>();
  wait->call = call;
  wait->execution = execution.weak_from_this();
  wait->answer = std::move(answer);
  wait->gone = not_found(absl::StrCat(Execution::kName, " not found for ID: ", execution.id()));
  look(engine, wait, /*may_wait=*/true);
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_STANDALONE_WAIT_H_
