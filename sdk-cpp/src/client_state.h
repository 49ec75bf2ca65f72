// ClientState, what a client's copies and handles share: the connection, the namespace and the
// codec. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_CLIENT_STATE_H_
#define CHIMERA_SDK_CPP_SRC_CLIENT_STATE_H_

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chimera/runtime.h"
#include "core/rpc/connection.h"
#include "core/worker/worker.h"
#include "sdk-cpp/src/call_threads.h"
#include "sdk-cpp/src/client_calls.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/user_client_links.h"

namespace chimera::detail {

// How long a verb that waits goes on: without an end if there is none.
struct Patience {
  std::optional<base::SteadyTime> until = {};
  bool over() const { return until && std::chrono::steady_clock::now() >= *until; }
};

class ClientState : public std::enable_shared_from_this<ClientState> {
 public:
  ClientState();
  // The same client with options of single calls. A null `plain` stands for itself.
  ClientState(std::shared_ptr<ClientState> plain, const RpcOptions& rpc);
  ~ClientState();
  ClientState(const ClientState&) = delete;
  ClientState& operator=(const ClientState&) = delete;

  std::shared_ptr<const Runtime> runtime;  // Shared with the program, which made it; may be null.
  std::shared_ptr<core::Connection> connection;  // Shared with the workers of this client.
  std::string namespace_;
  sdk::Codec codec;                // Whatever the context.
  int query_reject_condition = 0;  // Of queries that name none.

  // The context of a workflow's values, or of an activity's or a Nexus operation's as far as the
  // reference says whose they are; and the codec for them. Borrows.
  core::PayloadContext values_of(const std::string& workflow_id) const {
    return {.namespace_ = namespace_, .workflow_id = workflow_id};
  }
  core::PayloadContext values_of(const ActivityReference& activity) const {
    return {.namespace_ = namespace_,
            .workflow_id = activity.workflow_id,
            .activity = core::PayloadContext::Activity{.id = activity.activity_id}};
  }
  core::PayloadContext values_of(const ActivityTarget& activity) const {
    return {.namespace_ = namespace_,
            .workflow_id = {},
            .activity = core::PayloadContext::Activity{.id = activity.id}};
  }
  core::PayloadContext values_of(const NexusTarget& operation) const {
    if (operation.operation.empty()) return {.namespace_ = namespace_, .workflow_id = {}};
    return {.nexus = core::PayloadContext::Nexus{operation.endpoint, operation.service,
                                                 operation.operation}};
  }
  template <class Whose>
  sdk::CodecIn codec_of(const Whose& whose) const {
    return {codec, values_of(whose)};
  }

  // The first link of what the client's calls go through.
  sdk::ClientOutbound& outbound() const {
    return user_outbound_ == nullptr ? inner() : *user_outbound_;
  }
  // The first behind those of the user's interceptors.
  sdk::ClientOutbound& inner() const { return outbound_->first(); }
  // Before the first call, not of a view: the SDK's own; and the user's, around those.
  void intercept(const sdk::ClientInterceptors& interceptors);
  void use(const Interceptors& interceptors);
  // The user's, for workers.
  const Interceptors& user_interceptors() const;
  const RpcOptions& rpc() const { return rpc_; }

  // This client, or the one whose view with options this is.
  std::shared_ptr<ClientState> plain();
  // Of a verb that begins now.
  Patience patience() const;

  // Whether the reply's references to external storage stay what they are.
  enum class Values { kRetrieved, kAsTheyAre };
  // `patience` of the verb that the call is part of; without one the call has its own.
  absl::Status call(std::string_view method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite& response, std::chrono::milliseconds timeout = {},
                    const Patience* patience = nullptr, Values values = Values::kRetrieved);
  // Throws RpcError, which begins with `doing`.
  void must(std::string_view doing, std::string_view method,
            const google::protobuf::MessageLite& request, google::protobuf::MessageLite& response,
            std::chrono::milliseconds timeout = {}, const Patience* patience = nullptr,
            Values values = Values::kRetrieved);
  // As the options of single calls say.
  core::CallOptions call_options() const;
  // For what runs beside the caller; of the plain client. Never null.
  const std::shared_ptr<sdk::CallThreads>& threads() const {
    return plain_ == nullptr ? threads_ : plain_->threads_;
  }

 private:
  const std::shared_ptr<ClientState> plain_;  // Null: this is it.
  const RpcOptions rpc_;
  const std::unique_ptr<sdk::ClientCalls> calls_;
  sdk::ClientInterceptors interceptors_;
  // Shared with its threads.
  const std::shared_ptr<sdk::CallThreads> threads_ = std::make_shared<sdk::CallThreads>();
  std::unique_ptr<sdk::Chain<sdk::ClientOutbound>> outbound_;
  Interceptors user_interceptors_;
  std::unique_ptr<sdk::UserClientLinks> user_links_;  // Of a view: none, it uses the client's.
  std::unique_ptr<sdk::ClientOutbound> user_outbound_;
};

}  // namespace chimera::detail

namespace chimera::sdk {

// Throws std::invalid_argument, which begins with `what`, for what cannot be sent.
void check_metadata(const std::map<std::string, std::string>& metadata, std::string_view what);

// Blocks until the server has answered; throws RpcError. The transport, if there is one, takes the
// place of the way to options.target_host.
detail::ClientPtr open_client(const ClientOptions& options,
                              std::shared_ptr<base::Transport> transport);

// A client of a connection that somebody else has, without interceptors.
detail::ClientPtr client_of(std::shared_ptr<core::Connection> connection, std::string namespace_,
                            Codec codec);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CLIENT_STATE_H_
