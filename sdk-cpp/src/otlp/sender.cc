#include "sdk-cpp/src/otlp/sender.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "core/base/utf8.h"

namespace chimera::otlp {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{200}, kLongestPause{5000};

http::Client make_client(const std::string& options, const std::string& endpoint,
                         const http::Headers& headers) {
  http::check_headers(headers, options + "::headers");
  return http::Client(http::parse_url(endpoint, options + "::endpoint"), headers);
}

// OTLP 1.x, "Failures": these say that the same request may be taken later.
bool is_temporary(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string refusal(const http::Reply& reply) {
  const bool text = !reply.body.empty() && base::is_utf8(reply.body) &&
                    reply.body.find('\0') == std::string::npos;
  return absl::StrCat("status ", reply.status, text ? ": " : "",
                      text ? base::cut_utf8(reply.body, 200) : "");
}

}  // namespace

milliseconds retry_after(const std::string& header) {
  std::int64_t seconds = 0;
  if (absl::SimpleAtoi(header, &seconds))
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 3600));
  absl::Time time;
  if (header.empty() || !absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", header, &time, nullptr))
    return milliseconds(0);
  return std::max(milliseconds(0), absl::ToChronoMilliseconds(time - absl::Now()));
}

Sender::Sender(const std::string& options, const std::string& endpoint,
               const http::Headers& headers, milliseconds timeout)
    : endpoint_(endpoint), timeout_(timeout), client_(make_client(options, endpoint, headers)) {
  if (timeout <= milliseconds(0))
    throw std::invalid_argument(options + "::timeout must be positive");
}

std::string Sender::send(const google::protobuf::Message& report,
                         google::protobuf::Message& reply) {
  const auto deadline = steady_clock::now() + timeout_;
  const std::string body = report.SerializeAsString();
  milliseconds pause = kFirstPause;
  for (;;) {
    std::string failure;
    milliseconds wait = pause;
    try {
      const http::Reply answer = client_.post(body, "application/x-protobuf", deadline);
      if (answer.status >= 200 && answer.status < 300) {
        reply.ParseFromString(answer.body);  // Empty where it is none of ours to read.
        return "";
      }
      failure = absl::StrCat(endpoint_, ": ", refusal(answer));
      if (!is_temporary(answer.status)) return failure;
      const auto header = answer.headers.find("retry-after");
      if (header != answer.headers.end()) wait = std::max(wait, retry_after(header->second));
    } catch (const std::exception& error) {
      failure = absl::StrCat(endpoint_, ": ", error.what());
    }
    if (steady_clock::now() + wait >= deadline) return failure;
    if (gave_up_.WaitForNotificationWithTimeout(absl::FromChrono(wait))) return failure;
    pause = std::min(pause * 2, kLongestPause);
  }
}

void Sender::give_up() {
  client_.give_up();
  if (!gave_up_.HasBeenNotified()) gave_up_.Notify();
}

void set(proto::common::v1::KeyValue& attribute, const std::string& name, const std::string& text) {
  attribute.set_key(base::valid_utf8(name));
  attribute.mutable_value()->set_string_value(base::valid_utf8(text));
}

std::uint64_t nanoseconds(std::chrono::system_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

namespace {

struct AtExit {
  absl::Mutex mutex;
  std::vector<std::weak_ptr<Ending>> endings ABSL_GUARDED_BY(mutex);
};
AtExit& at_exit() {
  static AtExit* const result = new AtExit;  // It is asked after statics have ended.
  return *result;
}

void end_all() {
  std::vector<std::weak_ptr<Ending>> endings;
  {
    absl::MutexLock lock(&at_exit().mutex);
    endings.swap(at_exit().endings);
  }
  for (const auto& each : endings)
    if (const auto ending = each.lock()) ending->end();
}

}  // namespace

void end_with_process(const std::shared_ptr<Ending>& what) {
  static const bool registered = std::atexit(end_all) == 0;
  absl::MutexLock lock(&at_exit().mutex);
  auto& endings = at_exit().endings;
  std::erase_if(endings, [](const auto& each) { return each.expired(); });
  if (registered) endings.push_back(what);
}

}  // namespace chimera::otlp
