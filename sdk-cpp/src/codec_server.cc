#include "chimera/codec_server.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"

#include "sdk-cpp/src/codec.h"
#include "sdk-cpp/src/http/server.h"
#include "sdk-cpp/src/payload_access.h"
#include "sdk-cpp/src/storage/payload_store.h"

namespace chimera {
namespace {

using Codec = std::shared_ptr<const core::PayloadCodec>;
using http::Reply;
using http::Request;

Reply text(int status, const std::string& what) {
  return {.status = status, .body = absl::StrCat(what, "\n")};
}

struct Target {
  std::string action;      // "encode", "decode"; empty: neither.
  std::string namespace_;  // Empty: the path has none.
};

// /decode and /NAMESPACE/decode.
Target target_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {};
  Target out{.action = path.substr(slash + 1)};
  if (out.action != "encode" && out.action != "decode") return {};
  if (slash > 0) out.namespace_ = http::percent_decoded(path.substr(1, slash - 1));
  return absl::StrContains(out.namespace_, '/') ? Target{} : out;
}

CodecServerOptions checked(const CodecServerOptions& options) {
  if (options.codec == nullptr && options.codecs.empty())
    throw std::invalid_argument(
        "CodecServerOptions: there is no codec; give one, or one for a namespace (codecs)");
  for (const auto& [name, codec] : options.codecs)
    if (codec == nullptr)
      throw std::invalid_argument(
          absl::StrCat("CodecServerOptions::codecs has none for namespace ", name));
  for (const std::string& origin : options.allowed_origins) {
    if (origin == "*") continue;
    const bool scheme = absl::StartsWith(origin, "http://") || absl::StartsWith(origin, "https://");
    if (!scheme || absl::StrContains(origin.substr(origin.find("//") + 2), '/'))
      throw std::invalid_argument(absl::StrCat(
          "CodecServerOptions::allowed_origins: \"", origin,
          "\" is no origin; give scheme, host and port, as in http://localhost:8233, or *"));
  }
  if (options.max_request_bytes == 0)
    throw std::invalid_argument("CodecServerOptions::max_request_bytes must not be 0");
  return options;
}

}  // namespace

class CodecServer::State {
 public:
  explicit State(const CodecServerOptions& options)
      : options_(checked(options)),
        codec_(sdk::to_core(options.codec)),
        store_(sdk::PayloadStore::make(options.external_storage, codec_,
                                       "CodecServerOptions::external_storage")),
        server_({.bind_address = options.bind_address, .max_body_bytes = options.max_request_bytes},
                [this](const Request& request) { return answer(request); }) {}
  const http::Server& server() const { return server_; }
  const CodecServerOptions& options() const { return options_; }

 private:
  Reply answer(const Request& request) const {
    const std::string origin = request.header("origin");
    if (!origin.empty() && !is_allowed(origin))
      return text(403, absl::StrCat("the codec server does not know the origin ", origin));
    const Target target = target_of(request.path);
    Reply reply;
    if (target.action.empty())
      reply = text(404, "the codec server answers POST /encode and POST /decode");
    else if (request.method == "OPTIONS")
      reply = preflight(request);
    else if (request.method != "POST")
      reply = {
          .status = 405, .headers = {{"Allow", "POST, OPTIONS"}}, .body = "POST is asked for\n"};
    else
      reply = guarded(request, target);
    if (!origin.empty()) allow(origin, reply);
    return reply;
  }

  bool is_allowed(const std::string& origin) const {
    return std::ranges::any_of(options_.allowed_origins, [&](const std::string& allowed) {
      return allowed == "*" || allowed == origin;
    });
  }
  // Whoever is listed may send its user's credentials; a page that is only one of any may not.
  void allow(const std::string& origin, Reply& reply) const {
    const bool listed =
        std::ranges::find(options_.allowed_origins, origin) != options_.allowed_origins.end();
    reply.headers["Access-Control-Allow-Origin"] = listed ? origin : "*";
    if (listed) reply.headers["Access-Control-Allow-Credentials"] = "true";
    reply.headers["Vary"] = "Origin";
  }
  // The Web UI sends Content-Type, X-Namespace, and with its user's token Authorization.
  static Reply preflight(const Request& request) {
    const std::string asked = request.header("access-control-request-headers");
    Reply reply{.status = 204,
                .headers = {{"Access-Control-Allow-Methods", "POST, OPTIONS"},
                            {"Access-Control-Allow-Headers",
                             asked.empty() ? "content-type, x-namespace, authorization" : asked},
                            {"Access-Control-Max-Age", "600"}}};
    // A page of the net that asks a server of this machine.
    if (!request.header("access-control-request-private-network").empty())
      reply.headers["Access-Control-Allow-Private-Network"] = "true";
    return reply;
  }

  Reply guarded(const Request& request, const Target& target) const {
    CodecRequest who{.namespace_ = request.header("x-namespace"),
                     .authorization = request.header("authorization"),
                     .headers = request.headers,
                     .decode = target.action == "decode"};
    if (who.namespace_.empty())
      who.namespace_ = target.namespace_;
    else if (!target.namespace_.empty() && target.namespace_ != who.namespace_)
      return text(
          400, absl::StrCat("X-Namespace says ", who.namespace_, ", the path ", target.namespace_));
    if (options_.authorize && !options_.authorize(who))
      return text(403, "the codec server does not let this caller in");
    const auto own = options_.codecs.find(who.namespace_);
    const Codec codec = own == options_.codecs.end() ? codec_ : sdk::to_core(own->second);
    if (codec == nullptr)
      return text(404,
                  who.namespace_.empty()
                      ? std::string("no namespace is named (X-Namespace), and each has a codec "
                                    "of its own")
                      : absl::StrCat("no codec for namespace ", who.namespace_));
    // Whose payloads they are, nobody says but for the namespace.
    const auto in_namespace = codec->in({.namespace_ = who.namespace_, .workflow_id = ""});
    if (!in_namespace.ok()) return text(400, std::string(in_namespace.status().message()));
    return converted(request.body, *in_namespace == nullptr ? *codec : **in_namespace, who.decode);
  }

  Reply converted(const std::string& body, const core::PayloadCodec& codec, bool decode) const {
    sdk::ProtoPayloads payloads;
    const auto read = google::protobuf::util::JsonStringToMessage(body, &payloads);
    if (!read.ok())
      return text(400,
                  absl::StrCat("the body is no JSON of payloads: ", std::string(read.message())));
    if (decode && store_ != nullptr) {
      const absl::Status status = store_->retrieve_all(payloads);
      if (!status.ok()) return text(400, std::string(status.message()));
    }
    const absl::Status status = decode ? codec.decode(payloads) : codec.encode(payloads);
    if (!status.ok()) return text(400, std::string(status.message()));
    Reply reply{.headers = {{"Content-Type", "application/json"}}};
    const auto written = google::protobuf::util::MessageToJsonString(payloads, &reply.body);
    if (!written.ok())
      throw std::runtime_error("payloads as JSON: " + std::string(written.message()));
    return reply;
  }

  const CodecServerOptions options_;
  const Codec codec_;
  const std::shared_ptr<sdk::PayloadStore> store_;  // Null: none.
  http::Server server_;                             // Last: it asks the others.
};

CodecServer::CodecServer(const CodecServerOptions& options)
    : state_(std::make_unique<State>(options)) {}
CodecServer::~CodecServer() = default;

int CodecServer::port() const { return state_->server().port(); }

std::string CodecServer::endpoint() const {
  const std::string& address = state_->options().bind_address;
  std::string host = address.substr(0, address.rfind(':'));
  if (host.empty()) host = "127.0.0.1";
  return absl::StrCat("http://", host, ":", port());
}

}  // namespace chimera
