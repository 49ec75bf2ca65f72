// AsyncActivityHandle, an activity that somebody else than its function completes: it ended with
// activity::raise_complete_async(). By the token that activity::info() gave it, or by its ids:
//
//   client.get_async_activity_handle(token).complete("signed");
//   client.get_async_activity_handle("order-17", "", "sign").heartbeat();
#ifndef CHIMERA_ASYNC_ACTIVITY_H_
#define CHIMERA_ASYNC_ACTIVITY_H_

#include <string>
#include <utility>

#include "chimera/activity.h"
#include "chimera/client_options.h"
#include "chimera/definition.h"
#include "chimera/errors.h"

namespace chimera {

// What a heartbeat throws when the activity shall stop: details() say why. It was asked to
// (cancel_requested), is paused or begins anew (reset), or is over or unknown (not_found).
class AsyncActivityCancelledError : public TemporalError {
 public:
  explicit AsyncActivityCancelledError(activity::CancellationDetails details);
  const activity::CancellationDetails& details() const { return details_; }

 private:
  activity::CancellationDetails details_;
};

namespace detail {

struct ActivityReference {  // By the token, unless it is empty.
  std::string task_token = {};
  std::string workflow_id = {}, run_id = {}, activity_id = {};
};

void complete_activity(ClientState& client, const ActivityReference& activity, Arguments result);
void fail_activity(ClientState& client, const ActivityReference& activity,
                   const FailureError& error, Arguments last_heartbeat_details);
void heartbeat_activity(ClientState& client, const ActivityReference& activity, Arguments details);
void report_activity_cancellation(ClientState& client, const ActivityReference& activity,
                                  Arguments details);

}  // namespace detail

// Calls block, and throw RpcError (kNotFound: the activity is over, or there was none); any thread,
// cheap to copy, not from workflow code.
class AsyncActivityHandle {
 public:
  AsyncActivityHandle(detail::ClientPtr client, detail::ActivityReference activity)
      : client_(std::move(client)), activity_(std::move(activity)) {}
  // The same handle, whose calls have these options.
  AsyncActivityHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), activity_};
  }

  // Says that it goes on; the next attempt finds the details. Throws AsyncActivityCancelledError.
  template <class... A>
  void heartbeat(const A&... details) const {
    detail::pass_any(
        [&](detail::Arguments list) { detail::heartbeat_activity(*client_, activity_, list); },
        details...);
  }
  // Ends it with this result, if there is one.
  template <class... A>
  void complete(const A&... result) const {
    static_assert(sizeof...(A) <= 1, "an activity has one result; pass a struct or a tuple");
    detail::pass_any(
        [&](detail::Arguments list) { detail::complete_activity(*client_, activity_, list); },
        result...);
  }
  // Ends this attempt; the retry policy says whether there is another one, which finds the details.
  template <class... A>
  void fail(const FailureError& error, const A&... last_heartbeat_details) const {
    detail::pass_any(
        [&](detail::Arguments list) { detail::fail_activity(*client_, activity_, error, list); },
        last_heartbeat_details...);
  }
  // Ends it as cancelled. Only after it was asked to stop.
  template <class... A>
  void report_cancellation(const A&... details) const {
    detail::pass_any(
        [&](detail::Arguments list) {
          detail::report_activity_cancellation(*client_, activity_, list);
        },
        details...);
  }

 private:
  detail::ClientPtr client_;
  detail::ActivityReference activity_;
};

}  // namespace chimera

#endif  // CHIMERA_ASYNC_ACTIVITY_H_
