#include "server/archival/setting.h"

#include <cctype>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "server/base/errors.h"

namespace chimera::server::archival {
namespace {

// As Go shows what it cannot parse.
absl::Status unparsable(const std::string& uri, absl::string_view why) {
  return invalid(absl::StrCat("parse \"", absl::CEscape(uri), "\": ", why));
}

// Percent signs undone; the error shows the first that is none.
absl::StatusOr<std::string> unescaped(const std::string& uri, absl::string_view path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      plain += path[i];
      continue;
    }
    const absl::string_view code = path.substr(i, 3);
    const auto is_hex = [&](std::size_t at) {
      return absl::ascii_isxdigit(static_cast<unsigned char>(code[at]));
    };
    if (code.size() < 3 || !is_hex(1) || !is_hex(2))
      return unparsable(uri, absl::StrCat("invalid URL escape \"", code, "\""));
    plain += absl::HexStringToBytes(code.substr(1));
    i += 2;
  }
  return plain;
}

}  // namespace

absl::StatusOr<Setting> changed(const Setting& now, const Setting& wish,
                                const std::string& default_uri) {
  if (!now.uri.empty() && !wish.uri.empty() && now.uri != wish.uri)
    return invalid("Cannot update existing archival URI");
  if (wish.state < enums::ARCHIVAL_STATE_UNSPECIFIED ||
      wish.state > enums::ARCHIVAL_STATE_ENABLED) {
    return invalid(
        "Encountered current state and event that cannot be handled (should be impossible)");
  }
  Setting next = now;
  if (wish.state != enums::ARCHIVAL_STATE_UNSPECIFIED) next.state = wish.state;
  if (next.uri.empty()) next.uri = wish.uri;
  if (next.uri.empty() && next.enabled()) next.uri = default_uri;
  return next;
}

std::string uri_of(const std::string& folder) {
  std::string uri = "file://";
  for (const char c : folder) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::string_view("/-_.~").find(c) != absl::string_view::npos)
      uri += c;
    else
      absl::StrAppend(&uri, "%", absl::AsciiStrToUpper(absl::BytesToHexString({&c, 1})));
  }
  return uri;
}

absl::StatusOr<std::string> folder_of(const std::string& uri) {
  if (uri.empty()) return unparsable(uri, "empty url");
  absl::string_view rest = uri;
  std::size_t end = 0;
  const auto in_scheme = [&](char c) {
    return absl::ascii_isalpha(static_cast<unsigned char>(c)) ||
           (end > 0 && (absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '+' ||
                        c == '-' || c == '.'));
  };
  while (end < rest.size() && in_scheme(rest[end])) ++end;
  if (end == 0 && rest[0] == ':') return unparsable(uri, "missing protocol scheme");
  const bool has_scheme = end > 0 && end < rest.size() && rest[end] == ':';
  if (!has_scheme) {
    return rest[0] == '/' ? invalid("unknown archiver scheme")
                          : unparsable(uri, "invalid URI for request");
  }
  const std::string scheme = absl::AsciiStrToLower(rest.substr(0, end));
  if (scheme == "s3" || scheme == "gs")
    return invalid("unable to find archiver config for the given scheme");
  if (scheme != "file") return invalid("unknown archiver scheme");
  rest.remove_prefix(end + 1);
  rest = rest.substr(0, rest.find('?'));
  if (rest.substr(0, 2) == "//") rest = rest.substr(std::min(rest.find('/', 2), rest.size()));
  if (rest.empty() || rest[0] != '/') return invalid("directory path is empty");
  return unescaped(uri, rest);
}

absl::Status check_folder(const std::string& uri) {
  const absl::StatusOr<std::string> folder = folder_of(uri);
  if (!folder.ok()) return folder.status();
  std::error_code error;
  const auto status = std::filesystem::status(*folder, error);
  if (status.type() == std::filesystem::file_type::not_found) return absl::OkStatus();
  if (error) return invalid(absl::StrCat("stat ", *folder, ": ", error.message()));
  if (!std::filesystem::is_directory(status)) return invalid("a path to a directory was expected");
  return absl::OkStatus();
}

}  // namespace chimera::server::archival
