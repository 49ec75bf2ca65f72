// Call, one RPC under way: made by a transport, handed to the loop, answered there exactly once.
// What `deliver` does with the answer is the transport's; it runs after the turn's changes are
// durable.
#ifndef CHIMERA_SERVER_BASE_CALL_H_
#define CHIMERA_SERVER_BASE_CALL_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "google/protobuf/message.h"

#include "server/base/types.h"

namespace chimera::server {

struct Method;

struct Call : std::enable_shared_from_this<Call> {
  const Method* method = nullptr;
  std::unique_ptr<google::protobuf::Message> request;  // The handler may move out of it.
  google::protobuf::MessageLite* response = nullptr;   // Written on the loop, before finish().
  std::unique_ptr<google::protobuf::Message>
      owned_response;           // Where `response` points, unless the caller's.
  bool follows_runs = false;    // It goes on to the run that follows one, by itself.
  bool reads_unwritten = true;  // Histories may end with events that are not written yet.
  Nanos timeout{};              // What the caller will wait; zero: for ever.
  absl::AnyInvocable<void(absl::Status) &&> deliver;  // Any thread.

  // Loop thread only.
  bool finished = false;
  absl::AnyInvocable<void()> on_cancel;  // The caller went away: forget the call.
};
// Shared by the transport, which may cancel it, and by whoever on the loop will answer it.
using CallPtr = std::shared_ptr<Call>;

// The header in which a caller names what it can do, and whether it follows runs.
inline constexpr char kSupportedFeatures[] = "supported-features";
bool follows_runs(std::string_view supported_features);
// The header with a caller's name: the official CLI and web UI show only what is written (genuine
// servers 1.29, 1.32).
inline constexpr char kClientName[] = "client-name";
bool reads_unwritten(std::string_view client_name);

// A Call with its types.
template <class Request, class Response>
class TypedCall {
 public:
  explicit TypedCall(CallPtr call) : call_(std::move(call)) {}
  Request& request() const { return static_cast<Request&>(*call_->request); }
  Response& response() const { return static_cast<Response&>(*call_->response); }
  const CallPtr& raw() const { return call_; }

 private:
  CallPtr call_;
};

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_BASE_CALL_H_
