// TestService: the time of a server that skips it.
#include "temporal/api/testservice/v1/request_response.pb.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/time_skipping.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

namespace test = ::temporal::api::testservice::v1;
using Empty = google::protobuf::Empty;

absl::StatusOr<TimeSkipping*> time_of(Engine& engine) {
  if (engine.time_skipping != nullptr) return engine.time_skipping.get();
  return absl::UnimplementedError(
      "This server does not skip time. Start it with --enable-time-skipping, or as a test server "
      "with a port alone: chimera PORT");
}

absl::Status lock(Engine& engine, test::LockTimeSkippingRequest&, test::LockTimeSkippingResponse&) {
  absl::StatusOr<TimeSkipping*> time = time_of(engine);
  if (time.ok()) (*time)->lock();
  return time.status();
}

absl::Status unlock(Engine& engine, test::UnlockTimeSkippingRequest&,
                    test::UnlockTimeSkippingResponse&) {
  absl::StatusOr<TimeSkipping*> time = time_of(engine);
  if (time.ok()) (*time)->unlock();
  return time.status();
}

template <class Request>
using SleepCall = TypedCall<Request, test::SleepResponse>;

template <class Request>
absl::Status end_at(Engine& engine, SleepCall<Request> call, WallTime at, bool unlocked) {
  absl::StatusOr<TimeSkipping*> time = time_of(engine);
  if (!time.ok()) return time.status();
  if (at > TimeSkipping::kLast) {
    return invalid("A sleep beyond the year 2219: this server's time ends there. Sleep less.");
  }
  const std::uint64_t sleeper = (*time)->sleep(
      at, unlocked, [&engine, call = call.raw()] { engine.finish(call, absl::OkStatus()); });
  call.raw()->on_cancel = [time = *time, sleeper] { time->wake(sleeper); };
  return absl::OkStatus();
}

absl::StatusOr<WallTime> end_of(Engine& engine, const google::protobuf::Duration& duration) {
  const std::string problem = duration_problem(duration);
  if (!problem.empty()) return invalid(absl::StrCat("Invalid duration of a sleep: ", problem));
  return add_saturated(engine.now(), to_nanos(duration));
}

absl::Status sleep(Engine& engine, SleepCall<test::SleepRequest> call) {
  absl::StatusOr<WallTime> end = end_of(engine, call.request().duration());
  return end.ok() ? end_at(engine, call, *end, /*unlocked=*/false) : end.status();
}

absl::Status sleep_to(Engine& engine, SleepCall<test::SleepUntilRequest> call) {
  return end_at(engine, call, to_wall(call.request().timestamp()), /*unlocked=*/false);
}

absl::Status unlock_and_sleep(Engine& engine, SleepCall<test::SleepRequest> call) {
  absl::StatusOr<WallTime> end = end_of(engine, call.request().duration());
  return end.ok() ? end_at(engine, call, *end, /*unlocked=*/true) : end.status();
}

absl::Status current_time(Engine& engine, Empty&, test::GetCurrentTimeResponse& response) {
  set(response.mutable_time(), engine.now());
  return absl::OkStatus();
}

}  // namespace

void register_test_service(MethodTable& table) {
  table.add("LockTimeSkipping", lock);
  table.add("UnlockTimeSkipping", unlock);
  table.add("Sleep", sleep);
  table.add("SleepUntil", sleep_to);
  table.add("UnlockTimeSkippingWithSleep", unlock_and_sleep);
  table.add("GetCurrentTime", current_time);
}

}  // namespace chimera::server
