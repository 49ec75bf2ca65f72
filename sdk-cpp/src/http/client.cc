#include "sdk-cpp/src/http/client.h"

#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "boost/asio/connect.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/host_name_verification.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http.hpp"
#include <openssl/ssl.h>

namespace chimera::http {

namespace asio = boost::asio;
namespace beast = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::uint64_t kReplyMax = 1 << 20;  // What a collector has to say is short.

asio::ssl::context tls_context() {
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  context.set_default_verify_paths();
  context.set_verify_mode(asio::ssl::verify_peer);
  return context;
}

// Asynchronous steps one after another, until a deadline: Asio's blocking calls have none.
class Steps {
 public:
  Steps(asio::io_context& context, std::chrono::steady_clock::time_point deadline)
      : context_(context), deadline_(deadline) {}

  // `start` is given the completion's handler. What is left of a step that does not complete is
  // destroyed with the context, and does not run.
  template <class Start>
  void operator()(const std::string& doing, Start&& start) {
    bool done = false;
    error_code result;
    start([&done, &result](const error_code& error, const auto&...) {
      done = true;
      result = error;
    });
    while (!done && context_.run_one_until(deadline_) > 0) continue;
    if (!done)
      throw std::runtime_error(
          absl::StrCat(doing, context_.stopped() ? ": given up" : ": no answer in time"));
    if (result) throw std::runtime_error(absl::StrCat(doing, ": ", result.message()));
  }

 private:
  asio::io_context& context_;
  const std::chrono::steady_clock::time_point deadline_;
};

template <class Stream>
Reply exchange(Stream& stream, const beast::request<beast::string_body>& request, Steps& step) {
  step("sending the request",
       [&](auto done) { beast::async_write(stream, request, std::move(done)); });
  boost::beast::flat_buffer buffer;
  beast::response_parser<beast::string_body> parser;
  parser.body_limit(kReplyMax);
  step("reading the reply",
       [&](auto done) { beast::async_read(stream, buffer, parser, std::move(done)); });
  auto message = parser.release();
  Reply reply{.status = static_cast<int>(message.result_int()), .body = std::move(message.body())};
  for (const auto& field : message)
    reply.headers[absl::AsciiStrToLower(std::string(field.name_string()))] =
        std::string(field.value());
  return reply;
}

}  // namespace

class Client::State {
 public:
  State(Url url, Headers headers) : url_(std::move(url)), headers_(std::move(headers)) {
    if (url_.tls) tls_.emplace(tls_context());
  }

  Reply post(const std::string& body, const std::string& content_type,
             std::chrono::steady_clock::time_point deadline) {
    asio::io_context context(1);
    const auto busy = asio::make_work_guard(context);  // It stops when it is told to, only.
    const UnderWay under_way(*this, context);
    Steps step(context, deadline);
    const std::string where = url_.host_and_port();
    tcp::resolver resolver(context);
    tcp::resolver::results_type addresses;
    step("looking up " + url_.host, [&](auto done) {
      resolver.async_resolve(url_.host, url_.port,
                             [done, &addresses](const error_code& error, const auto& found) {
                               addresses = found;
                               done(error);
                             });
    });
    tcp::socket socket(context);
    step("connecting to " + where,
         [&](auto done) { asio::async_connect(socket, addresses, std::move(done)); });
    beast::request<beast::string_body> request(beast::verb::post, url_.target, 11, body);
    request.set(beast::field::host, where);
    request.set(beast::field::user_agent, "chimera/" CHIMERA_VERSION);
    request.set(beast::field::connection, "close");
    for (const auto& [name, value] : headers_) request.set(name, value);
    request.set(beast::field::content_type, content_type);
    request.prepare_payload();
    if (!tls_) return exchange(socket, request, step);
    asio::ssl::stream<tcp::socket&> stream(socket, *tls_);
    stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    error_code is_name;  // RFC 6066: an address is not told.
    asio::ip::make_address(url_.host, is_name);
    if (is_name) SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
    step("TLS with " + where, [&](auto done) {
      stream.async_handshake(asio::ssl::stream_base::client, std::move(done));
    });
    return exchange(stream, request, step);
  }

  void give_up() {
    absl::MutexLock lock(&mutex_);
    gave_up_ = true;
    if (context_ != nullptr) context_->stop();
  }

 private:
  class UnderWay {
   public:
    UnderWay(State& state, asio::io_context& context) : state_(state) {
      absl::MutexLock lock(&state_.mutex_);
      if (state_.gave_up_) context.stop();
      state_.context_ = &context;
    }
    ~UnderWay() {
      absl::MutexLock lock(&state_.mutex_);
      state_.context_ = nullptr;
    }
    UnderWay(const UnderWay&) = delete;

   private:
    State& state_;
  };

  const Url url_;
  const Headers headers_;
  std::optional<asio::ssl::context> tls_;
  absl::Mutex mutex_;
  asio::io_context* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // Of the post under way.
  bool gave_up_ ABSL_GUARDED_BY(mutex_) = false;
};

Client::Client(Url url, Headers headers)
    : state_(std::make_unique<State>(std::move(url), std::move(headers))) {}
Client::~Client() = default;

Reply Client::post(const std::string& body, const std::string& content_type,
                   std::chrono::steady_clock::time_point deadline) {
  return state_->post(body, content_type, deadline);
}

void Client::give_up() { state_->give_up(); }

}  // namespace chimera::http
