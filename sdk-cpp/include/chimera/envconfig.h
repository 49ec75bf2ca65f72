// Client options from the environment, as all official SDKs and the command line read them: a TOML
// file with profiles, and variables over it.
//
//   auto client = chimera::Client::connect(chimera::load_client_options());
//   auto cloud = chimera::Client::connect(chimera::load_client_options({.profile = "cloud"}));
//
// The file is the one that TEMPORAL_CONFIG_FILE names, else temporalio/temporal.toml in the user's
// folder for configuration (XDG_CONFIG_HOME, ~/.config); it need not be there. Variables:
//   TEMPORAL_PROFILE  TEMPORAL_ADDRESS  TEMPORAL_NAMESPACE  TEMPORAL_API_KEY  TEMPORAL_TLS
//   TEMPORAL_TLS_SERVER_NAME  TEMPORAL_TLS_SERVER_CA_CERT_PATH or _DATA
//   TEMPORAL_TLS_CLIENT_CERT_PATH or _DATA  TEMPORAL_TLS_CLIENT_KEY_PATH or _DATA
//   TEMPORAL_GRPC_META_NAME (metadata "name"; an empty one removes that of the file)
// Everything throws std::invalid_argument, which says what is wrong, and where.
#ifndef CHIMERA_ENVCONFIG_H_
#define CHIMERA_ENVCONFIG_H_

#include <map>
#include <optional>
#include <string>

#include "chimera/client_options.h"

namespace chimera {

struct ClientConfigOptions {
  std::string profile = {};      // Else TEMPORAL_PROFILE's, else "default", which need not exist.
  std::string config_file = {};  // A path, in place of the file above.
  std::optional<std::string> config_data = {};  // The file's text, in place of a file.
  bool disable_file = false;
  bool disable_env = false;         // No variables, but for TEMPORAL_CONFIG_FILE.
  bool config_file_strict = false;  // Keys that nobody knows are refused.
  // In place of the process's.
  std::optional<std::map<std::string, std::string>> override_env_vars = {};
};

// PEM text, or the path of a file of it; not both.
struct ClientConfigSource {
  std::string path = {}, data = {};
  bool empty() const { return path.empty() && data.empty(); }
  bool operator==(const ClientConfigSource&) const = default;
};

struct ClientConfigTls {  // That it is there turns TLS on, unless it is disabled.
  std::optional<bool> disabled = {};
  bool disable_host_verification = false;  // Is refused by to_client_options().
  std::string server_name = {};
  ClientConfigSource server_ca_cert = {}, client_cert = {}, client_key = {};
};

struct ClientConfigCodec {
  std::string endpoint = {}, auth = {};
};

// What is empty is not set.
struct ClientConfigProfile {
  std::string address = {}, namespace_ = {}, api_key = {};
  std::optional<ClientConfigTls> tls = {};
  // A codec server, for tools. As in the official SDKs no client uses it: payloads that a worker
  // encodes need ClientOptions::payload_codec.
  std::optional<ClientConfigCodec> codec = {};
  std::map<std::string, std::string> grpc_meta = {};  // Lower case, with dashes.
  std::string authority = {};                         // Is refused by to_client_options().

  // One profile of the file, with the variables applied.
  static ClientConfigProfile load(const ClientConfigOptions& options = {});
  // An API key turns TLS on unless the profile disables it. Files of certificates are read again
  // when they change (TlsConfig), unless some are files and some are not.
  ClientOptions to_client_options() const;
};

// All profiles of the file, by name. No variables are applied.
struct ClientConfig {
  std::map<std::string, ClientConfigProfile> profiles = {};
  static ClientConfig load(const ClientConfigOptions& options = {});
};

inline ClientOptions load_client_options(const ClientConfigOptions& options = {}) {
  return ClientConfigProfile::load(options).to_client_options();
}

}  // namespace chimera

#endif  // CHIMERA_ENVCONFIG_H_
