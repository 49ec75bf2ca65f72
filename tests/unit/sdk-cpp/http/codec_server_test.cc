// The codec server as the Web UI, the CLI and others see it.
#include "chimera/codec_server.h"

#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chimera/converter.h"
#include "tests/support/http_get.h"

namespace chimera {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kUi[] = "http://localhost:8233";

std::string ask(const CodecServer& server, const std::string& first_line,
                const std::string& headers = "", const std::string& body = "") {
  testing::TcpConnection connection(server.port());
  connection.send(absl::StrCat(first_line, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", headers,
                               "Content-Length: ", body.size(), "\r\n\r\n", body));
  return connection.rest();
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

std::shared_ptr<const PayloadCodec> aes(char key) {
  return aes_gcm_codec("k", {{"k", std::string(32, key)}});
}

// Refuses everything.
class Broken : public PayloadCodec {
 public:
  std::vector<Payload> encode(std::vector<Payload>) const override {
    throw std::runtime_error("no key");
  }
  std::vector<Payload> decode(std::vector<Payload>) const override {
    throw std::runtime_error("no key");
  }
};

// Has another key for each namespace.
class ByNamespace : public PayloadCodec {
 public:
  std::vector<Payload> encode(std::vector<Payload>) const override {
    throw std::runtime_error("no context");
  }
  std::vector<Payload> decode(std::vector<Payload>) const override {
    throw std::runtime_error("no context");
  }
  std::shared_ptr<const PayloadCodec> with_context(
      const SerializationContext& context) const override {
    return aes(context.namespace_ == "one" ? '1' : '2');
  }
};

const std::string kPayloads =
    R"({"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"IkFubiI="}]})";

TEST(CodecServerTest, EncodesAndDecodes) {
  const CodecServer server({.bind_address = "127.0.0.1:0", .codec = aes('a')});
  EXPECT_EQ(server.endpoint(), absl::StrCat("http://127.0.0.1:", server.port()));
  const std::string encoded = ask(server, "POST /encode", "", kPayloads);
  EXPECT_THAT(encoded, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("application/json"),
                             Not(HasSubstr("IkFubiI="))));
  const std::string decoded = ask(server, "POST /decode", "", body_of(encoded));
  EXPECT_EQ(nlohmann::json::parse(body_of(decoded)), nlohmann::json::parse(kPayloads));
  // As the CLI asks where {namespace} is in the endpoint.
  EXPECT_EQ(body_of(ask(server, "POST /default/decode", "", body_of(encoded))), body_of(decoded));
  // What no codec has encoded stays.
  EXPECT_EQ(body_of(ask(server, "POST /decode", "", kPayloads)), body_of(decoded));
}

TEST(CodecServerTest, ACodecByContextIsToldOfTheNamespace) {
  const CodecServer server(
      {.bind_address = "127.0.0.1:0", .codec = std::make_shared<ByNamespace>()});
  const std::string one = body_of(ask(server, "POST /encode", "X-Namespace: one\r\n", kPayloads));

  EXPECT_THAT(ask(server, "POST /decode", "X-Namespace: one\r\n", one), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(server, "POST /decode", "X-Namespace: two\r\n", one), StartsWith("HTTP/1.1 400"));
}

TEST(CodecServerTest, WhatIsKeptElsewhereIsReadFirst) {
  struct Shelf : StorageDriver {
    std::string name() const override { return "shelf"; }
    std::vector<StorageClaim> store(const StorageTarget&, const std::vector<Payload>&) override {
      return {};
    }
    std::vector<Payload> retrieve(const std::vector<StorageClaim>& claims) override {
      return aes('a')->encode({make_payload(claims.at(0).at("place"))});
    }
  };
  const CodecServer server({.bind_address = "127.0.0.1:0",
                            .codec = aes('a'),
                            .external_storage = {.drivers = {std::make_shared<Shelf>()}}});
  const std::string reference = absl::StrCat(
      R"({"payloads":[{"metadata":{"encoding":")", absl::Base64Escape("json/protobuf"),
      R"(","messageType":")", absl::Base64Escape("temporal.api.sdk.v1.ExternalStorageReference"),
      R"("},"data":")",
      absl::Base64Escape(R"({"driverName":"shelf","claimData":{"place":"third"}})"), R"("}]})");

  EXPECT_THAT(body_of(ask(server, "POST /decode", "", reference)),
              HasSubstr(absl::Base64Escape("\"third\"")));
}

TEST(CodecServerTest, ANamespaceHasItsOwnCodec) {
  const CodecServer server(
      {.bind_address = "127.0.0.1:0", .codecs = {{"one", aes('1')}, {"two", aes('2')}}});
  const std::string one = body_of(ask(server, "POST /encode", "X-Namespace: one\r\n", kPayloads));
  EXPECT_THAT(ask(server, "POST /one/decode", "", one), HasSubstr("IkFubiI="));
  EXPECT_THAT(ask(server, "POST /two/decode", "", one), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(server, "POST /decode", "X-Namespace: three\r\n", one),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("no codec for namespace three")));
  EXPECT_THAT(ask(server, "POST /decode", "", one),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("X-Namespace")));
  EXPECT_THAT(ask(server, "POST /one/decode", "X-Namespace: two\r\n", one),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("X-Namespace says two")));
}

TEST(CodecServerTest, AWebPageThatIsListedMayAsk) {
  const CodecServer server(
      {.bind_address = "127.0.0.1:0", .codec = aes('a'), .allowed_origins = {kUi}});
  const std::string origin = absl::StrCat("Origin: ", kUi, "\r\n");
  const std::string preflight =
      ask(server, "OPTIONS /decode",
          origin +
              "Access-Control-Request-Method: POST\r\n"
              "Access-Control-Request-Headers: authorization,content-type,x-namespace\r\n");
  EXPECT_THAT(preflight,
              AllOf(StartsWith("HTTP/1.1 204"),
                    HasSubstr(absl::StrCat("Access-Control-Allow-Origin: ", kUi, "\r\n")),
                    HasSubstr("Access-Control-Allow-Credentials: true\r\n"),
                    HasSubstr("Access-Control-Allow-Methods: POST, OPTIONS\r\n"),
                    HasSubstr("Access-Control-Allow-Headers: "
                              "authorization,content-type,x-namespace\r\n")));
  EXPECT_THAT(ask(server, "POST /decode", origin, kPayloads),
              AllOf(StartsWith("HTTP/1.1 200"),
                    HasSubstr(absl::StrCat("Access-Control-Allow-Origin: ", kUi, "\r\n"))));
  EXPECT_THAT(ask(server, "POST /decode", "Origin: http://elsewhere\r\n", kPayloads),
              AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("http://elsewhere"),
                    Not(HasSubstr("Access-Control"))));
}

TEST(CodecServerTest, AnyPageMayAskWithoutCredentials) {
  const CodecServer server(
      {.bind_address = "127.0.0.1:0", .codec = aes('a'), .allowed_origins = {"*"}});
  EXPECT_THAT(ask(server, "POST /decode", "Origin: http://elsewhere\r\n", kPayloads),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Access-Control-Allow-Origin: *\r\n"),
                    Not(HasSubstr("Credentials"))));
}

TEST(CodecServerTest, CallersAreLetInOrNot) {
  const CodecServer server({.bind_address = "127.0.0.1:0",
                            .codec = aes('a'),
                            .authorize = [](const CodecRequest& request) {
                              if (request.authorization == "throw") throw std::runtime_error("x");
                              return request.authorization == "Bearer me" && request.decode &&
                                     request.namespace_ == "mine" &&
                                     request.headers.contains("x-namespace");
                            }});
  const std::string mine = "X-Namespace: mine\r\n";
  EXPECT_THAT(ask(server, "POST /decode", mine + "Authorization: Bearer me\r\n", kPayloads),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(server, "POST /decode", mine, kPayloads), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask(server, "POST /encode", mine + "Authorization: Bearer me\r\n", kPayloads),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask(server, "POST /decode", "Authorization: throw\r\n", kPayloads),
              StartsWith("HTTP/1.1 500"));
}

TEST(CodecServerTest, WhatIsWrongIsSaid) {
  const CodecServer server({.bind_address = "127.0.0.1:0",
                            .codec = std::make_shared<Broken>(),
                            .max_request_bytes = 1000});
  EXPECT_THAT(ask(server, "POST /decode", "", "{"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("no JSON of payloads")));
  EXPECT_THAT(ask(server, "POST /decode", "", R"({"payload":[]})"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask(server, "POST /decode", "", kPayloads),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("no key")));
  EXPECT_THAT(ask(server, "GET /decode"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: POST, OPTIONS")));
  EXPECT_THAT(ask(server, "POST /"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(server, "POST /a/b/decode"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask(server, "POST /decode", "", std::string(1001, ' ')), StartsWith("HTTP/1.1 413"));
}

TEST(CodecServerTest, WrongOptionsAreNamed) {
  const auto refused = [](const CodecServerOptions& options, const std::string& name) {
    try {
      const CodecServer server(options);
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  };
  refused({.bind_address = "127.0.0.1:0"}, "codec");
  refused({.bind_address = "127.0.0.1:0", .codecs = {{"a", nullptr}}}, "codecs");
  refused({.bind_address = "here", .codec = aes('a')}, "bind_address");
  refused({.bind_address = "127.0.0.1:0", .codec = aes('a'), .allowed_origins = {"localhost"}},
          "allowed_origins");
  refused({.bind_address = "127.0.0.1:0", .codec = aes('a'), .max_request_bytes = 0},
          "max_request_bytes");
}

}  // namespace
}  // namespace chimera
