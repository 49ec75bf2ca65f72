#include "sdk-cpp/src/http/server.h"

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/strand.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http.hpp"

#include "core/telemetry/log.h"

namespace chimera::http {

namespace asio = boost::asio;
namespace beast = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr int kThreads = 4;
constexpr int kConnectionsMax = 256;
constexpr std::chrono::seconds kPatience{30};  // With a client that neither sends nor reads.
constexpr std::chrono::seconds kFarewell{2};   // For a client to read why it was turned away.
constexpr std::uint32_t kHeaderMax = 64 << 10;

}  // namespace

class Server::State {
 public:
  State(const ServerOptions& options, Handler handler)
      : options_(options), handler_(std::move(handler)), acceptor_(context_), pause_(context_) {
    const auto [host, port] = split_address(options.bind_address, "bind_address");
    try {
      tcp::resolver resolver(context_);
      const tcp::endpoint where =
          *resolver.resolve(host, port, tcp::resolver::passive | tcp::resolver::numeric_service);
      acceptor_.open(where.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));
      acceptor_.bind(where);
      acceptor_.listen();
    } catch (const boost::system::system_error& error) {
      throw std::runtime_error(absl::StrCat("cannot listen on ", options.bind_address, ": ",
                                            error.code().message(),
                                            "; choose another address, or port 0 for a free one"));
    }
    port_ = acceptor_.local_endpoint().port();
  }

  void start() {
    accept();
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  void stop() {
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
  }
  int port() const { return port_; }

 private:
  class Connection;

  void accept() {
    acceptor_.async_accept(asio::make_strand(context_), [this](error_code error, tcp::socket peer) {
      if (!error) {
        if (connections_.load() < kConnectionsMax) begin(std::move(peer));
        return accept();
      }
      // Out of descriptors, mostly: some of them come back.
      pause_.expires_after(std::chrono::milliseconds(100));
      pause_.async_wait([this](error_code) { accept(); });
    });
  }
  void begin(tcp::socket peer);

  Reply answer(const Request& request) {
    try {
      return handler_(request);
    } catch (const std::exception& error) {
      return failed(request, error.what());
    } catch (...) {
      return failed(request, "something was thrown that is no std::exception");
    }
  }
  static Reply failed(const Request& request, const std::string& what) {
    core::log(core::LogLevel::kError, "sdk", absl::StrCat(request.path, ": ", what));
    return {.status = 500, .body = "the server failed\n"};
  }

  const ServerOptions options_;
  const Handler handler_;
  std::atomic<int> connections_{0};
  asio::io_context context_{kThreads};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  int port_ = 0;
  std::vector<std::thread> threads_;
};

// One client: a request, its answer, and so on. Kept by what it waits for.
class Server::State::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(State& server, tcp::socket peer) : server_(server), stream_(std::move(peer)) {
    ++server_.connections_;
  }
  ~Connection() { --server_.connections_; }

  void read() {
    parser_.emplace();
    parser_->body_limit(server_.options_.max_body_bytes);
    parser_->header_limit(kHeaderMax);
    stream_.expires_after(kPatience);
    beast::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->after_header(error); });
  }

 private:
  void after_header(error_code error) {
    if (error) return turn_away(error);
    if (!absl::EqualsIgnoreCase(std::string(parser_->get()[beast::field::expect]), "100-continue"))
      return read_body();
    continue_.emplace(beast::status::continue_, 11);
    beast::async_write(stream_, *continue_,
                       [self = shared_from_this()](error_code failed, std::size_t) {
                         if (!failed) self->read_body();
                       });
  }
  void read_body() {
    beast::async_read(stream_, buffer_, *parser_,
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->turn_away(error);
                        self->serve();
                      });
  }
  void serve() {
    auto message = parser_->release();
    const std::string target(message.target());
    Request request{.method = std::string(message.method_string()),
                    .path = target.substr(0, target.find('?')),
                    .body = std::move(message.body())};
    for (const auto& field : message) {
      std::string& value = request.headers[absl::AsciiStrToLower(std::string(field.name_string()))];
      absl::StrAppend(&value, value.empty() ? "" : ", ", std::string(field.value()));
    }
    send(server_.answer(request), message.keep_alive(), message.method() == beast::verb::head);
  }
  // What cannot be read on is answered, where the client waits for an answer.
  void turn_away(error_code error) {
    if (error == beast::error::body_limit)
      return send({.status = 413,
                   .body = absl::StrCat("the request is larger than the limit of ",
                                        server_.options_.max_body_bytes, " bytes\n")},
                  false, false);
    if (error == beast::error::header_limit)
      return send({.status = 431, .body = "the request's headers are too long\n"}, false, false);
    const bool gone = error == beast::error::end_of_stream ||
                      error == beast::error::partial_message ||
                      error.category() != make_error_code(beast::error::bad_method).category();
    if (!gone) send({.status = 400, .body = "this is not HTTP/1.1\n"}, false, false);
  }
  void send(Reply reply, bool keep, bool without_body) {
    reply_.emplace(static_cast<beast::status>(reply.status), 11);
    for (const auto& [name, value] : reply.headers) reply_->set(name, value);
    if (!reply.body.empty() && !reply.headers.contains("Content-Type"))
      reply_->set(beast::field::content_type, "text/plain; charset=utf-8");
    reply_->keep_alive(keep);
    const std::size_t length = reply.body.size();
    if (!without_body) reply_->body() = std::move(reply.body);
    reply_->prepare_payload();
    if (without_body) reply_->content_length(length);
    stream_.expires_after(kPatience);
    beast::async_write(stream_, *reply_,
                       [self = shared_from_this(), keep](error_code error, std::size_t) {
                         if (error) return;
                         if (keep) return self->read();
                         self->part();
                       });
  }
  // What the client still sends is read, or its machine might drop our answer.
  void part() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kFarewell);
    drain();
  }
  void drain() {
    stream_.async_read_some(asio::buffer(scratch_),
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (!error) self->drain();
                            });
  }

  State& server_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<beast::request_parser<beast::string_body>> parser_;
  std::optional<beast::response<beast::empty_body>> continue_;
  std::optional<beast::response<beast::string_body>> reply_;
  std::array<char, 4096> scratch_;
};

void Server::State::begin(tcp::socket peer) {
  std::make_shared<Connection>(*this, std::move(peer))->read();
}

Server::Server(const ServerOptions& options, Handler handler)
    : state_(std::make_unique<State>(options, std::move(handler))) {
  state_->start();
}
Server::~Server() { state_->stop(); }

int Server::port() const { return state_->port(); }

}  // namespace chimera::http
