#include "core/telemetry/metrics_server.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chimera::core {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kRequestMax = 8192;
constexpr std::size_t kClientsMax = 64;
constexpr std::chrono::seconds kPatience{10};  // With a client that neither sends nor reads.

// A file descriptor that closes itself. Used by one thread.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// One connection: its request as far as it came, and its answer as far as it has to go.
struct Client {
  Fd fd;
  steady_clock::time_point until;
  std::string in, out;
};

std::string answer(int code, const char* reason, const std::string& body,
                   const char* type = "text/plain; charset=utf-8") {
  return absl::StrCat("HTTP/1.1 ", code, " ", reason, "\r\nContent-Type: ", type,
                      "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body);
}

absl::Status wrong_address(const std::string& address, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("cannot serve metrics on \"", address, "\": ", why,
                                                 "; give HOST:PORT, as in 127.0.0.1:9464"));
}

// "[::1]:9464", "127.0.0.1:9464", ":9464".
absl::StatusOr<std::pair<std::string, std::string>> split(const std::string& address) {
  std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return wrong_address(address, "there is no port");
  std::string host = address.substr(0, colon), port = address.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  int number = -1;
  if (!absl::SimpleAtoi(port, &number) || number < 0 || number > 65535)
    return wrong_address(address, absl::StrCat("\"", port, "\" is no port"));
  return std::make_pair(std::move(host), std::move(port));
}

absl::StatusOr<Fd> listen_on(const std::string& address) {
  auto parts = split(address);
  if (!parts.ok()) return parts.status();
  addrinfo hints = {}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const auto& [host, port] = *parts;
  int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return wrong_address(address, gai_strerror(error));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, &freeaddrinfo);
  Fd fd(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  int one = 1;
  if (fd) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd && bind(fd.get(), found->ai_addr, found->ai_addrlen) == 0 && listen(fd.get(), 64) == 0)
    return fd;
  int reason = errno;
  return absl::UnavailableError(absl::StrCat(
      "cannot serve metrics on ", address, ": ", std::strerror(reason),
      reason == EADDRINUSE ? "; another process or runtime listens there, choose another port"
                           : ""));
}

class MetricsServerImpl : public MetricsServer {
 public:
  MetricsServerImpl(Fd listening, const Metrics& metrics, const Health& health)
      : listening_(std::move(listening)), metrics_(metrics), health_(health) {
    int ends[2] = {-1, -1};
    static_cast<void>(!pipe2(ends, O_CLOEXEC));  // Without it the end waits for a client.
    wake_read_ = Fd(ends[0]);
    wake_write_ = Fd(ends[1]);
    thread_ = std::thread([this] { loop(); });
  }
  ~MetricsServerImpl() override {
    wake_write_ = Fd();  // poll() sees the pipe's end.
    thread_.join();
  }

  int port() const override {
    sockaddr_storage address = {};
    socklen_t size = sizeof address;
    getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                     : reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }

 private:
  void loop();
  void accept_clients();
  bool serve(Client& client, short events);  // False when it is over.
  std::string respond(const std::string& request) const;

  const Fd listening_;
  const Metrics& metrics_;
  const Health& health_;
  Fd wake_read_, wake_write_;
  std::list<Client> clients_;  // The thread's own.
  std::thread thread_;
};

void MetricsServerImpl::loop() {
  while (true) {
    std::vector<pollfd> waits = {{wake_read_.get(), POLLIN, 0}, {listening_.get(), POLLIN, 0}};
    if (clients_.size() >= kClientsMax) waits[1].fd = -1;
    for (const Client& client : clients_) {
      waits.push_back(
          {client.fd.get(), static_cast<short>(client.out.empty() ? POLLIN : POLLOUT), 0});
    }
    poll(waits.data(), waits.size(), clients_.empty() ? -1 : 1000);
    if (waits[0].revents != 0) return;
    auto now = steady_clock::now();
    std::size_t index = 2;
    for (auto it = clients_.begin(); it != clients_.end(); ++index) {
      bool goes_on = now < it->until && serve(*it, waits[index].revents);
      it = goes_on ? std::next(it) : clients_.erase(it);
    }
    if (waits[1].revents != 0) accept_clients();
  }
}

void MetricsServerImpl::accept_clients() {
  while (clients_.size() < kClientsMax) {
    Fd fd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return;
    clients_.push_back({.fd = std::move(fd), .until = steady_clock::now() + kPatience});
  }
}

bool MetricsServerImpl::serve(Client& client, short events) {
  if (events == 0) return true;
  if (client.out.empty()) {
    char buffer[2048];
    ssize_t size = read(client.fd.get(), buffer, sizeof buffer);
    if (size <= 0) return size < 0 && (errno == EAGAIN || errno == EINTR);
    client.in.append(buffer, static_cast<std::size_t>(size));
    if (client.in.find("\r\n\r\n") != std::string::npos)
      client.out = respond(client.in);
    else if (client.in.size() > kRequestMax)
      client.out = answer(431, "Request Header Fields Too Large", "the request is too long\n");
    return true;
  }
  ssize_t size = send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  client.out.erase(0, static_cast<std::size_t>(size));
  return !client.out.empty();
}

std::string MetricsServerImpl::respond(const std::string& request) const {
  if (!absl::StartsWith(request, "GET "))
    return answer(405, "Method Not Allowed", "only GET is answered here\n");
  std::string path = request.substr(4, request.find_first_of(" ?\r", 4) - 4);
  if (path == "/metrics")
    return answer(200, "OK", metrics_.prometheus_text(),
                  "text/plain; version=0.0.4; charset=utf-8");
  if (path != "/livez" && path != "/readyz")
    return answer(404, "Not Found", "there are /metrics, /livez and /readyz\n");
  Health::Report report = path == "/livez" ? health_.alive() : health_.ready();
  return report.ok ? answer(200, "OK", report.text)
                   : answer(503, "Service Unavailable", report.text);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& address,
                                                                    const Metrics& metrics,
                                                                    const Health& health) {
  auto listening = listen_on(address);
  if (!listening.ok()) return listening.status();
  return std::make_unique<MetricsServerImpl>(*std::move(listening), metrics, health);
}

}  // namespace chimera::core
