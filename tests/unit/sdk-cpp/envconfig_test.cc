// The configuration standard: profiles of a file, and variables over them. As the tests of the
// Python package have it.
#include "chimera/envconfig.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <unistd.h>

namespace chimera {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;
using Variables = std::map<std::string, std::string>;

constexpr char kFile[] = R"(
[profile.default]
address = "a:1"
[profile.default.tls]
server_name = "x"
client_cert_data = "c"
[profile.default.grpc_meta]
Some_Key = "v"
[profile.cloud]
namespace = "cloudy"
api_key = "k"
[profile.tools.codec]
endpoint = "http://codec"
[profile.files.tls]
server_ca_cert_path = "ca.pem"
client_cert_path = "cert.pem"
client_key_path = "key.pem"
)";

ClientConfigOptions of(Variables variables, std::string profile = "", std::string file = kFile) {
  return {.profile = std::move(profile),
          .config_data = std::move(file),
          .override_env_vars = std::move(variables)};
}
std::string refusal(const ClientConfigOptions& options) {
  try {
    load_client_options(options);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "loaded";
}

TEST(EnvconfigTest, VariablesWinOverTheFile) {
  const ClientOptions options = load_client_options(of({{"TEMPORAL_NAMESPACE", "ns"},
                                                        {"TEMPORAL_ADDRESS", "b:2"},
                                                        {"TEMPORAL_API_KEY", ""},
                                                        {"TEMPORAL_TLS_CLIENT_KEY_DATA", "k"},
                                                        {"TEMPORAL_GRPC_META_OTHER_KEY", "w"}}));

  EXPECT_EQ(options.target_host, "b:2");
  EXPECT_EQ(options.namespace_, "ns");
  EXPECT_THAT(options.rpc_metadata,
              UnorderedElementsAre(Pair("some-key", "v"), Pair("other-key", "w")));
  ASSERT_TRUE(options.tls);
  EXPECT_EQ(options.tls->domain, "x");
  EXPECT_EQ(options.tls->client_cert, "c");
  EXPECT_EQ(options.tls->client_private_key, "k");
  EXPECT_TRUE(
      ClientConfigProfile::load(of({{"TEMPORAL_GRPC_META_SOME_KEY", ""}})).grpc_meta.empty());
}

TEST(EnvconfigTest, ProfilesAreChosenByArgumentThenVariable) {
  EXPECT_EQ(load_client_options(of({{"TEMPORAL_PROFILE", "cloud"}})).namespace_, "cloudy");
  EXPECT_EQ(load_client_options(of({{"TEMPORAL_PROFILE", "none"}}, "cloud")).namespace_, "cloudy");
  EXPECT_EQ(load_client_options(of({}, "", "")).target_host, "localhost:7233");
  EXPECT_EQ(ClientConfig::load(of({})).profiles.size(), 4u);
}

TEST(EnvconfigTest, AnApiKeyTurnsTlsOnUnlessItIsDisabled) {
  const ClientOptions on = load_client_options(of({}, "cloud"));
  const ClientOptions off = load_client_options(of({{"TEMPORAL_TLS", "0"}}, "cloud"));

  EXPECT_EQ(on.api_key, "k");
  EXPECT_FALSE(on.tls_disabled);
  EXPECT_TRUE(off.tls_disabled);
  EXPECT_FALSE(off.tls);
}

TEST(EnvconfigTest, ATableOrAVariableTurnsTlsOn) {
  EXPECT_TRUE(load_client_options(of({}, "", "[profile.default.tls]")).tls);
  EXPECT_TRUE(load_client_options(of({{"TEMPORAL_TLS", "TRUE"}}, "", "")).tls);
  EXPECT_TRUE(load_client_options(of({{"TEMPORAL_TLS_SERVER_NAME", "n"}}, "", "")).tls);
  EXPECT_FALSE(load_client_options(of({}, "", "")).tls);
  EXPECT_TRUE(load_client_options(of({}, "", "profile.default.tls.disabled = true")).tls_disabled);
}

TEST(EnvconfigTest, FilesOfCertificatesAreWatched) {
  const ClientOptions options = load_client_options(of({}, "files"));

  ASSERT_TRUE(options.tls);
  EXPECT_EQ(options.tls->server_root_ca_cert_file, "ca.pem");
  EXPECT_EQ(options.tls->client_cert_file, "cert.pem");
  EXPECT_EQ(options.tls->client_private_key_file, "key.pem");
  // A text beside them: then all are read at once, and that of this case is not there.
  EXPECT_THAT(refusal(of({}, "x", R"(
[profile.x.tls]
server_ca_cert_data = "text"
client_cert_path = "/none/cert.pem"
)")),
              HasSubstr("cannot read the client certificate '/none/cert.pem'"));
}

TEST(EnvconfigTest, TheFileIsFoundByItsVariableAndNeedNotBeThere) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("chimera-" + std::to_string(getpid()) + ".toml");
  std::ofstream(file) << "[profile.default]\naddress = \"f:9\"\n";
  const Variables variables{{"TEMPORAL_CONFIG_FILE", file}};

  EXPECT_EQ(load_client_options({.override_env_vars = variables}).target_host, "f:9");
  EXPECT_EQ(
      load_client_options({.config_file = file, .override_env_vars = Variables{}}).target_host,
      "f:9");
  EXPECT_EQ(load_client_options({.disable_file = true, .override_env_vars = variables}).target_host,
            "localhost:7233");
  std::filesystem::remove(file);
  EXPECT_EQ(load_client_options({.override_env_vars = variables}).target_host, "localhost:7233");
}

TEST(EnvconfigTest, ACodecServerIsShownAndNotUsed) {
  const ClientConfigProfile profile =
      ClientConfigProfile::load(of({{"TEMPORAL_CODEC_AUTH", "token"}}, "tools"));
  ASSERT_TRUE(profile.codec);
  EXPECT_EQ(profile.codec->endpoint, "http://codec");
  EXPECT_EQ(profile.codec->auth, "token");
  EXPECT_EQ(profile.to_client_options().payload_codec, nullptr);
}

TEST(EnvconfigTest, BadInputSaysWhat) {
  EXPECT_THAT(refusal(of({}, "none")), HasSubstr("no profile 'none'"));
  EXPECT_THAT(refusal(of({{"TEMPORAL_TLS_CLIENT_CERT_PATH", "p"}})),
              HasSubstr("TEMPORAL_TLS_CLIENT_CERT_PATH is set, and data"));
  EXPECT_THAT(
      refusal(of({{"TEMPORAL_TLS_CLIENT_KEY_PATH", "p"}, {"TEMPORAL_TLS_CLIENT_KEY_DATA", "d"}})),
      HasSubstr("TEMPORAL_TLS_CLIENT_KEY_PATH is set, and data"));
  EXPECT_THAT(refusal(of({{"TEMPORAL_TLS", "perhaps"}})), HasSubstr("true, false, 1 or 0"));
  EXPECT_THAT(refusal(of({}, "", "a = 1\nx = ")), HasSubstr("line 2"));
  for (const char* text : {"[[[", "[profile.default]\n[[[x]]]"})
    EXPECT_THAT(refusal(of({}, "", text)), HasSubstr("the configuration given as text"));
  EXPECT_THAT(
      refusal(of({}, "", "[profile.default]\naddress = 5")),
      HasSubstr("address in default of profile of the configuration given as text must be a "
                "string"));
  EXPECT_THAT(refusal(of({}, "", "profile.default.tls = true")), HasSubstr("must be a table"));
  EXPECT_THAT(refusal(of({}, "", R"(
[profile.default.tls]
client_key_path = "p"
client_key_data = "d"
)")),
              HasSubstr("both client_key_path and client_key_data"));
  EXPECT_THAT(refusal(of({{"TEMPORAL_CLIENT_AUTHORITY", "a"}})), HasSubstr("authority"));
  EXPECT_THAT(refusal(of({{"TEMPORAL_TLS_DISABLE_HOST_VERIFICATION", "1"}})),
              HasSubstr("disable_host_verification"));
  EXPECT_THAT(refusal({.disable_file = true, .disable_env = true}), HasSubstr("both set"));
  EXPECT_THAT(refusal({.config_file = "a", .config_data = ""}), HasSubstr("choose one"));
  EXPECT_THAT(refusal({.config_file = testing::TempDir()}), HasSubstr("cannot read"));
  EXPECT_THROW(ClientConfig::load({.profile = "cloud"}), std::invalid_argument);
}

TEST(EnvconfigTest, StrictlyUnknownKeysAreRefused) {
  const auto strictly = [](const char* file) {
    ClientConfigOptions options = of({}, "", file);
    EXPECT_EQ(refusal(options), "loaded") << file;
    options.config_file_strict = true;
    return refusal(options);
  };
  EXPECT_THAT(strictly("x = 1"), HasSubstr("unknown field `x`"));
  EXPECT_THAT(strictly("[profile.default]\nadress = \"a:1\""), HasSubstr("`adress`"));
  EXPECT_THAT(strictly("[profile.default.tls]\nca = \"a\""), HasSubstr("`ca` in tls of default"));
  EXPECT_THAT(strictly("[profile.default.codec]\nurl = \"a\""), HasSubstr("`url`"));
}

}  // namespace
}  // namespace chimera
