#include "chimera/envconfig.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include <unistd.h>

// Some texts that are no TOML end in its assertions, which must not end the process.
#define TOML_ASSERT(expression) \
  ((expression) ? void() : throw std::invalid_argument("this is no TOML"))
#include "toml++/toml.h"

namespace chimera {
namespace {

namespace fs = std::filesystem;
using Variables = std::map<std::string, std::string>;

template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  throw std::invalid_argument(absl::StrCat("client configuration: ", parts...));
}

std::string normalized(std::string_view name) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::string_view(name.data(), name.size())),
                             {{"_", "-"}});
}

Variables process_environment() {
  Variables out;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    const std::size_t equals = entry.find('=');
    if (equals != std::string_view::npos)
      out.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return out;
}

// Empty where it is not set.
std::string variable(const Variables& variables, const std::string& name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string() : found->second;
}

// --- The file ---

// A table of the file: what is in it, each key as the type that it must be.
class Table {
 public:
  Table(const toml::table& table, std::string where) : table_(table), where_(std::move(where)) {}
  const std::string& where() const { return where_; }
  const toml::table& entries() const { return table_; }

  void read(std::string_view key, std::string& out) const {
    if (const toml::node* node = table_.get(key)) out = value<std::string>(*node, key, "a string");
  }
  template <class B>
  void read_bool(std::string_view key, B& out) const {
    if (const toml::node* node = table_.get(key)) out = value<bool>(*node, key, "true or false");
  }
  std::optional<Table> table(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_table()) refuse(std::string(key), " in ", where_, " must be a table");
    return Table(*node->as_table(), absl::StrCat(std::string(key), " of ", where_));
  }
  void refuse_unknown(const std::vector<std::string_view>& known) const {
    for (const auto& [key, node] : table_) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end())
        refuse("unknown field `", std::string(key.str()), "` in ", where_);
    }
  }

 private:
  template <class T>
  T value(const toml::node& node, std::string_view key, const char* what) const {
    const std::optional<T> found = node.value_exact<T>();
    if (!found) refuse(std::string(key), " in ", where_, " must be ", what);
    return *found;
  }

  const toml::table& table_;
  const std::string where_;
};

void read_source(const Table& table, const std::string& name, ClientConfigSource& out) {
  table.read(name + "_path", out.path);
  table.read(name + "_data", out.data);
  if (!out.path.empty() && !out.data.empty())
    refuse("cannot have both ", name, "_path and ", name, "_data in ", table.where());
}

ClientConfigTls read_tls(const Table& table, bool strict) {
  if (strict) {
    table.refuse_unknown({"disabled", "server_name", "disable_host_verification",
                          "server_ca_cert_path", "server_ca_cert_data", "client_cert_path",
                          "client_cert_data", "client_key_path", "client_key_data"});
  }
  ClientConfigTls out;
  table.read_bool("disabled", out.disabled);
  table.read_bool("disable_host_verification", out.disable_host_verification);
  table.read("server_name", out.server_name);
  read_source(table, "server_ca_cert", out.server_ca_cert);
  read_source(table, "client_cert", out.client_cert);
  read_source(table, "client_key", out.client_key);
  return out;
}

ClientConfigProfile read_profile(const Table& table, bool strict) {
  if (strict) {
    table.refuse_unknown(
        {"address", "namespace", "api_key", "tls", "codec", "grpc_meta", "authority"});
  }
  ClientConfigProfile out;
  table.read("address", out.address);
  table.read("namespace", out.namespace_);
  table.read("api_key", out.api_key);
  table.read("authority", out.authority);
  if (const auto tls = table.table("tls")) out.tls = read_tls(*tls, strict);
  if (const auto codec = table.table("codec")) {
    if (strict) codec->refuse_unknown({"endpoint", "auth"});
    out.codec.emplace();
    codec->read("endpoint", out.codec->endpoint);
    codec->read("auth", out.codec->auth);
  }
  if (const auto metadata = table.table("grpc_meta")) {
    for (const auto& [key, node] : metadata->entries())
      metadata->read(key.str(), out.grpc_meta[normalized(key.str())]);
  }
  return out;
}

fs::path default_file(const Variables& process) {
  const std::string config = variable(process, "XDG_CONFIG_HOME");
  const fs::path folder =
      config.empty() ? fs::path(variable(process, "HOME")) / ".config" : fs::path(config);
  return folder / "temporalio" / "temporal.toml";
}

struct File {
  std::string text, name;
};

bool read_text(const fs::path& path, std::string& text) {
  std::error_code none;
  if (fs::is_directory(path, none)) return false;
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open()) return false;
  text.assign((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return !in.bad();
}

// Nothing where there is no file.
std::optional<File> read_file(const ClientConfigOptions& options, const Variables& variables) {
  if (options.config_data) return File{*options.config_data, "the configuration given as text"};
  fs::path path = options.config_file;
  if (path.empty()) path = variable(variables, "TEMPORAL_CONFIG_FILE");
  if (path.empty()) path = default_file(process_environment());
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  File file{.name = absl::StrCat("'", path.string(), "'")};
  if (!read_text(path, file.text)) refuse("cannot read ", file.name);
  return file;
}

std::map<std::string, ClientConfigProfile> read_profiles(const ClientConfigOptions& options,
                                                         const Variables& variables) {
  if (options.config_data && !options.config_file.empty())
    refuse("config_file and config_data are both given; choose one");
  std::map<std::string, ClientConfigProfile> out;
  const std::optional<File> file = read_file(options, variables);
  if (!file) return out;
  toml::table parsed;
  try {
    parsed = toml::parse(file->text);
  } catch (const toml::parse_error& error) {
    refuse(file->name, ", line ", error.source().begin.line, ": ",
           std::string(error.description()));
  } catch (const std::invalid_argument& error) {
    refuse(file->name, ": ", error.what());
  }
  const Table top(parsed, file->name);
  if (options.config_file_strict) top.refuse_unknown({"profile"});
  if (const auto profiles = top.table("profile")) {
    for (const auto& [name, node] : profiles->entries()) {
      const std::string key(name.str());
      out.emplace(key, read_profile(*profiles->table(key), options.config_file_strict));
    }
  }
  return out;
}

// --- The variables ---

bool boolean(const std::string& name, const std::string& text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "true" || lower == "1") return true;
  if (lower == "false" || lower == "0") return false;
  refuse(name, " must be true, false, 1 or 0, not '", text, "'");
}

void overlay(std::string& value, const Variables& variables, const std::string& name) {
  if (std::string text = variable(variables, name); !text.empty()) value = std::move(text);
}

// True if there is one.
bool overlay_source(ClientConfigSource& source, const Variables& variables,
                    const std::string& name) {
  const ClientConfigSource given{variable(variables, name + "_PATH"),
                                 variable(variables, name + "_DATA")};
  if (given.empty()) return false;
  const bool by_path = !given.path.empty();
  if (by_path ? !given.data.empty() || !source.data.empty() : !source.path.empty()) {
    refuse(name, by_path ? "_PATH" : "_DATA", " is set, and ", by_path ? "data" : "a path",
           " for the same is given already; give one of the two");
  }
  source = given;
  return true;
}

void overlay_tls(std::optional<ClientConfigTls>& tls, const Variables& variables) {
  ClientConfigTls with = tls.value_or(ClientConfigTls{});
  bool any = false;
  if (variables.contains("TEMPORAL_TLS")) {
    with.disabled = !boolean("TEMPORAL_TLS", variables.at("TEMPORAL_TLS"));
    any = true;
  }
  const std::string unverified = "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION";
  if (variables.contains(unverified)) {
    with.disable_host_verification = boolean(unverified, variables.at(unverified));
    any |= with.disable_host_verification;
  }
  if (!variable(variables, "TEMPORAL_TLS_SERVER_NAME").empty()) {
    with.server_name = variables.at("TEMPORAL_TLS_SERVER_NAME");
    any = true;
  }
  any |= overlay_source(with.server_ca_cert, variables, "TEMPORAL_TLS_SERVER_CA_CERT");
  any |= overlay_source(with.client_cert, variables, "TEMPORAL_TLS_CLIENT_CERT");
  any |= overlay_source(with.client_key, variables, "TEMPORAL_TLS_CLIENT_KEY");
  if (any || tls) tls = std::move(with);
}

void overlay(ClientConfigProfile& profile, const Variables& variables) {
  overlay(profile.address, variables, "TEMPORAL_ADDRESS");
  overlay(profile.namespace_, variables, "TEMPORAL_NAMESPACE");
  overlay(profile.api_key, variables, "TEMPORAL_API_KEY");
  overlay(profile.authority, variables, "TEMPORAL_CLIENT_AUTHORITY");
  overlay_tls(profile.tls, variables);
  ClientConfigCodec codec = profile.codec.value_or(ClientConfigCodec{});
  overlay(codec.endpoint, variables, "TEMPORAL_CODEC_ENDPOINT");
  overlay(codec.auth, variables, "TEMPORAL_CODEC_AUTH");
  if (!codec.endpoint.empty() || !codec.auth.empty()) profile.codec = std::move(codec);
  constexpr std::string_view kMetadata = "TEMPORAL_GRPC_META_";
  for (const auto& [name, text] : variables) {
    if (!name.starts_with(kMetadata)) continue;
    const std::string key = normalized(std::string_view(name).substr(kMetadata.size()));
    if (text.empty()) {
      profile.grpc_meta.erase(key);
    } else {
      profile.grpc_meta[key] = text;
    }
  }
}

// --- Options ---

std::string text_of(const ClientConfigSource& source, const char* what) {
  if (source.path.empty()) return source.data;
  std::string text;
  if (!read_text(source.path, text) || text.empty())
    refuse("cannot read the ", what, " '", source.path, "', or it is empty");
  return text;
}

TlsConfig to_tls(const ClientConfigTls& tls) {
  TlsConfig out{.domain = tls.server_name};
  if (tls.server_ca_cert.data.empty() && tls.client_cert.data.empty() &&
      tls.client_key.data.empty()) {
    out.server_root_ca_cert_file = tls.server_ca_cert.path;
    out.client_cert_file = tls.client_cert.path;
    out.client_private_key_file = tls.client_key.path;
  } else {
    out.server_root_ca_cert = text_of(tls.server_ca_cert, "server's CA certificate");
    out.client_cert = text_of(tls.client_cert, "client certificate");
    out.client_private_key = text_of(tls.client_key, "client key");
  }
  return out;
}

}  // namespace

ClientConfigProfile ClientConfigProfile::load(const ClientConfigOptions& options) {
  if (options.disable_file && options.disable_env)
    refuse("disable_file and disable_env are both set; nothing is left to read");
  const Variables environment =
      options.override_env_vars ? *options.override_env_vars : process_environment();
  const Variables variables = options.disable_env ? Variables() : environment;
  std::map<std::string, ClientConfigProfile> profiles;
  if (!options.disable_file) profiles = read_profiles(options, environment);
  std::string name = options.profile;
  if (name.empty()) name = variable(variables, "TEMPORAL_PROFILE");
  if (!name.empty() && !options.disable_file && !profiles.contains(name))
    refuse("there is no profile '", name, "' in the file");
  ClientConfigProfile out = profiles[name.empty() ? "default" : name];
  overlay(out, variables);
  return out;
}

ClientConfig ClientConfig::load(const ClientConfigOptions& options) {
  const char* of_one = !options.profile.empty() ? "profile"
                       : options.disable_file   ? "disable_file"
                       : options.disable_env    ? "disable_env"
                                                : nullptr;
  if (of_one != nullptr)
    refuse(of_one,
           " is for ClientConfigProfile::load(); ClientConfig::load() reads all profiles, "
           "from the file alone");
  return {read_profiles(
      options, options.override_env_vars ? *options.override_env_vars : process_environment())};
}

ClientOptions ClientConfigProfile::to_client_options() const {
  if (!authority.empty())
    refuse("authority ('", authority,
           "') is not supported by this SDK; remove it from the profile "
           "and TEMPORAL_CLIENT_AUTHORITY");
  ClientOptions out;
  if (!address.empty()) out.target_host = address;
  if (!namespace_.empty()) out.namespace_ = namespace_;
  out.api_key = api_key;
  out.rpc_metadata = grpc_meta;
  if (!tls) return out;
  if (tls->disabled.value_or(false)) {
    out.tls_disabled = true;
    return out;
  }
  if (tls->disable_host_verification)
    refuse(
        "disable_host_verification is set; this SDK always verifies the server's name. Give its "
        "certificate's CA (server_ca_cert_path) and name (server_name) instead");
  out.tls = to_tls(*tls);
  return out;
}

}  // namespace chimera
