#include "core/rpc/grpc_transport.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <list>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpc/support/log.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_certificate_verifier.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/proto_buffer_reader.h"

#include "core/base/mutexes.h"
#include "core/rpc/status_codes.h"
#include "core/rpc/tls.h"

namespace chimera::core {
namespace {

using google::protobuf::MessageLite;

// Official default (sdk-core 1.35): 128 MiB, or TEMPORAL_MAX_INCOMING_GRPC_BYTES.
int max_receive_bytes() {
  int bytes = 128 << 20;
  if (const char* text = std::getenv("TEMPORAL_MAX_INCOMING_GRPC_BYTES")) {
    int wanted = 0;
    if (absl::SimpleAtoi(text, &wanted) && wanted > 0) bytes = wanted;
  }
  return bytes;
}

// Serializes straight into the one slice that gRPC will send.
grpc::ByteBuffer serialize(const MessageLite& message) {
  std::size_t size = message.ByteSizeLong();
  grpc_slice raw = grpc_slice_malloc(size);
  message.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(raw));
  grpc::Slice slice(raw, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer adopt(std::string bytes) {
  auto* owned = new std::string(std::move(bytes));
  grpc::Slice slice(
      owned->data(), owned->size(), [](void* string) { delete static_cast<std::string*>(string); },
      owned);
  return grpc::ByteBuffer(&slice, 1);
}

bool parse(grpc::ByteBuffer& buffer, MessageLite& message) {
  grpc::Slice slice;
  if (buffer.TrySingleSlice(&slice).ok()) {
    return message.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
  }
  grpc::ProtoBufferReader reader(&buffer);
  return reader.status().ok() && message.ParseFromZeroCopyStream(&reader);
}

void append(grpc::ByteBuffer& buffer, std::string& bytes) {
  std::vector<grpc::Slice> slices;
  bytes.clear();
  if (!buffer.Dump(&slices).ok()) return;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
}

// One call; shared by its caller, who may cancel it, and by gRPC's callback, until that has run.
class Call : public base::RpcInFlight {
 public:
  void cancel() override { context.TryCancel(); }

  grpc::ClientContext context;
  grpc::ByteBuffer request, reply;
  std::variant<MessageLite*, std::string*> response;
  absl::AnyInvocable<void(absl::Status) &&> done;

  absl::Status take_reply() {
    if (auto* bytes = std::get_if<std::string*>(&response)) {
      append(reply, **bytes);
    } else if (MessageLite* message = std::get<MessageLite*>(response); !parse(reply, *message)) {
      return absl::InternalError(absl::StrCat("the reply is not a valid ", message->GetTypeName(),
                                              " (", reply.Length(),
                                              " bytes); is this a Temporal server?"));
    }
    return absl::OkStatus();
  }
};

// The calls under way, so that the transport can end them. Striped: callers do not wait for each
// other. Shared by the transport and its callbacks, since a callback may end the transport.
class Ledger {
 public:
  using Place = std::list<Call*>::iterator;

  Place add(Call* call) {
    in_flight_.fetch_add(1);
    Stripe& stripe = of(call);
    absl::MutexLock lock(&stripe.mutex);
    return stripe.calls.insert(stripe.calls.end(), call);
  }

  // From here the call cannot be cancelled by the transport; it counts until leave().
  void remove(Call* call, Place place) {
    Stripe& stripe = of(call);
    absl::MutexLock lock(&stripe.mutex);
    stripe.calls.erase(place);
  }

  void leave() {
    if (in_flight_.fetch_sub(1) > 1 && !closing_.load()) return;
    absl::MutexLock lock(&mutex_);
    left_.SignalAll();
  }

  // Cancels everything and waits, except for callbacks that this very thread is inside.
  void close() {
    closing_.store(true);
    for (Stripe& stripe : stripes_) {
      absl::MutexLock lock(&stripe.mutex);
      for (Call* call : stripe.calls) call->cancel();
    }
    int own = current == this ? 1 : 0;
    absl::MutexLock lock(&mutex_);
    while (in_flight_.load() > own) left_.Wait(&mutex_);
  }

  static thread_local const Ledger* current;  // Whose callback this thread is inside.

 private:
  struct Stripe {
    absl::Mutex mutex;
    std::list<Call*> calls ABSL_GUARDED_BY(mutex);
  };
  Stripe& of(Call* call) {
    return stripes_[(reinterpret_cast<std::uintptr_t>(call) >> 6) % stripes_.size()];
  }

  std::array<Stripe, 8> stripes_;
  std::atomic<int> in_flight_{0};
  std::atomic<bool> closing_{false};
  absl::Mutex mutex_;
  absl::CondVar left_;
};

thread_local const Ledger* Ledger::current = nullptr;

void finish(Call& call, Ledger& ledger, const grpc::Status& status) {
  absl::Status result = from_grpc(status);
  if (result.ok()) result = call.take_reply();
  call.request.Clear();
  call.reply.Clear();
  const Ledger* outer = std::exchange(Ledger::current, &ledger);
  {
    auto done = std::move(call.done);
    std::move(done)(std::move(result));
  }
  Ledger::current = outer;
  ledger.leave();
}

class GrpcTransportImpl : public GrpcTransport {
 public:
  GrpcTransportImpl(std::shared_ptr<grpc::Channel> channel, bool gzip)
      : stub_(std::move(channel)), gzip_(gzip) {}

  ~GrpcTransportImpl() override { ledger_->close(); }

  void set_gzip(bool on) override { gzip_.store(on, std::memory_order_relaxed); }

  std::shared_ptr<base::RpcInFlight> start(base::RpcCall rpc) override {
    auto call = std::make_shared<Call>();
    prepare(rpc, *call);
    Ledger::Place place = ledger_->add(call.get());
    stub_.UnaryCall(&call->context, std::string(rpc.method), grpc::StubOptions(), &call->request,
                    &call->reply, [ledger = ledger_, call, place](grpc::Status status) {
                      ledger->remove(call.get(), place);
                      finish(*call, *ledger, status);
                    });
    return call;
  }

 private:
  void prepare(base::RpcCall& rpc, Call& call) {
    call.request = std::holds_alternative<std::string>(rpc.request)
                       ? adopt(std::move(std::get<std::string>(rpc.request)))
                       : serialize(*std::get<const MessageLite*>(rpc.request));
    call.response = rpc.response;
    call.done = std::move(rpc.done);
    for (const auto& [name, value] : rpc.metadata) call.context.AddMetadata(name, value);
    if (rpc.timeout.count() > 0) {
      call.context.set_deadline(std::chrono::system_clock::now() +
                                std::chrono::duration_cast<std::chrono::microseconds>(rpc.timeout));
    }
    if (gzip_.load(std::memory_order_relaxed)) {
      call.context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
  }

  std::shared_ptr<Ledger> ledger_ = std::make_shared<Ledger>();
  grpc::GenericStub stub_;
  std::atomic<bool> gzip_;
};

grpc::ChannelArguments channel_arguments(const ConnectionOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(max_receive_bytes());
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // Connection retries.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // A channel of its own per connection.
  // A server that restarts is found again at once, not after gRPC's default of up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  if (options.keep_alive) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                     static_cast<int>(options.keep_alive->interval.count()));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                     static_cast<int>(options.keep_alive->timeout.count()));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  if (const auto& proxy = options.http_connect_proxy) {
    arguments.SetString(GRPC_ARG_HTTP_PROXY, absl::StrCat("http://", proxy->target_host));
    if (!proxy->user.empty()) {  // In the URL, some characters would be read as parts of it.
      arguments.SetString(
          "grpc.http_connect_headers",
          absl::StrCat("Proxy-Authorization:Basic ",
                       absl::Base64Escape(absl::StrCat(proxy->user, ":", proxy->password))));
    }
  }
  if (options.tls && !options.tls->domain.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->domain);
  }
  return arguments;
}

// Checks a server's certificate for one name, whatever the name that was dialled. gRPC's threads.
class NameVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit NameVerifier(std::string name) : name_(std::move(name)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>, grpc::Status* result) override {
    const grpc::string_ref certificate = request->peer_cert();
    if (!certificate_is_for(std::string(certificate.data(), certificate.size()), name_)) {
      *result = {grpc::StatusCode::UNAUTHENTICATED,
                 absl::StrCat("the server's certificate is not for ", name_)};
    }
    return true;  // Done at once.
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string name_;
};

using grpc::experimental::CertificateProviderInterface;

// What it gives may change; the files have been checked, as they are now.
std::shared_ptr<CertificateProviderInterface> provider(const TlsOptions& tls) {
  if (tls.from_files()) {
    return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
        tls.client_private_key_file, tls.client_cert_file, tls.server_root_ca_cert_file,
        static_cast<unsigned>(tls.reload_interval.count()));
  }
  std::vector<grpc::experimental::IdentityKeyCertPair> identities;
  if (!tls.client_cert.empty()) identities.push_back({tls.client_private_key, tls.client_cert});
  return std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
      tls.server_root_ca_cert, identities);
}

// For what SslCredentials cannot do: they keep the texts that they were given, and would send the
// name that they verify as SNI, too.
std::shared_ptr<grpc::ChannelCredentials> tls_credentials(const TlsOptions& tls) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider(tls));
  if (!(tls.server_root_ca_cert.empty() && tls.server_root_ca_cert_file.empty()))
    options.watch_root_certs();
  if (!(tls.client_cert.empty() && tls.client_cert_file.empty()))
    options.watch_identity_key_cert_pairs();
  if (!tls.verification_server_name.empty()) {
    options.set_check_call_host(false);
    options.set_certificate_verifier(
        grpc::experimental::ExternalCertificateVerifier::Create<NameVerifier>(
            tls.verification_server_name));
  }
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> credentials(const ConnectionOptions& options) {
  if (!uses_tls(options)) return grpc::InsecureChannelCredentials();
  if (options.tls && (options.tls->from_files() || !options.tls->verification_server_name.empty()))
    return tls_credentials(*options.tls);
  grpc::SslCredentialsOptions ssl;
  if (options.tls) {
    ssl.pem_root_certs = options.tls->server_root_ca_cert;
    ssl.pem_cert_chain = options.tls->client_cert;
    ssl.pem_private_key = options.tls->client_private_key;
  }
  return grpc::SslCredentials(ssl);
}

// Its errors reach users as statuses; on stderr they would only repeat themselves.
void quieten_grpc() {
  static const bool done = [] {
    if (!std::getenv("GRPC_VERBOSITY")) {
      gpr_set_log_verbosity(static_cast<gpr_log_severity>(GPR_LOG_SEVERITY_ERROR + 1));
    }
    return true;
  }();
  static_cast<void>(done);
}

// gRPC 1.51 ends its callback threads with the last channel that used them, and aborts when that
// happens inside a callback, as after a failed connect, or while the process exits. A channel that
// nobody uses or destroys keeps them; its one call goes to a socket that does not exist.
void keep_callback_threads() {
  struct Keeper {
    grpc::GenericStub stub{
        grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials())};
    grpc::ClientContext context;
    grpc::ByteBuffer request = adopt(""), reply;
  };
  // Stored although nobody reads it: leak checkers look for a pointer.
  [[gnu::used]] static Keeper* const keeper = [] {
    auto* made = new Keeper;
    made->stub.UnaryCall(&made->context, "/keep", grpc::StubOptions(), &made->request, &made->reply,
                         [](const grpc::Status&) {});
    return made;
  }();
}

}  // namespace

bool uses_tls(const ConnectionOptions& options) {
  return !options.tls_disabled && (options.tls || !options.api_key.empty());
}

bool worth_compressing(std::string_view target_host) {
  for (std::string_view local : {"localhost:", "127.", "[::1]:", "unix:"}) {
    if (target_host.starts_with(local)) return false;
  }
  return true;
}

std::unique_ptr<GrpcTransport> GrpcTransport::create(const ConnectionOptions& options) {
  quieten_grpc();
  base::skip_deadlock_detection();
  keep_callback_threads();
  auto channel = grpc::CreateCustomChannel(options.target_host, credentials(options),
                                           channel_arguments(options));
  return std::make_unique<GrpcTransportImpl>(
      std::move(channel), options.gzip && worth_compressing(options.target_host));
}

}  // namespace chimera::core
