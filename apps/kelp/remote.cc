#include "remote.h"

#include <fmt/format.h>

#include <charconv>

#include "json_slice.h"
#include "row.h"
#include "up.h"

namespace kelp::cli {
namespace {

constexpr ByteSize kTokenBytesMax = 4_KiB;

std::string Trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  while (!text.empty() && is_space(text.front())) text.erase(text.begin());
  return text;
}

Result<std::string> ReadToken(const std::string& path, const Context& context) {
  ASSIGN_OR_RETURN(std::string token, ReadFile(context.env.files(), path, kTokenBytesMax));
  token = Trimmed(std::move(token));
  if (token.empty()) return InvalidArgumentError("the token file " + path + " is empty");
  return token;
}

Result<std::string> ResolveToken(const std::string& url, const Arguments& arguments,
                                 const Context& context) {
  if (arguments.Has("token-file")) return ReadToken(arguments.Get("token-file"), context);
  if (const auto token = context.variable("KELP_TOKEN"); token && !token->empty()) return *token;
  const auto home = context.variable("HOME");
  if (!home || home->empty()) return std::string();
  Result<std::string> token = ReadToken(JoinPath(*home, ".config/kelp/token"), context);
  if (token.ok() || token.status().code() != Code::kNotFound) return token;
  // A `kelp up` of this user on this machine leaves its token here.
  UpOptions up;
  up.data_dir = DefaultDataDir(context);
  if (url == kServerDefault) token = ReadToken(up.AdminTokenPath(), context);
  return token.ok() ? token : std::string();
}

}  // namespace

std::vector<OptionSpec> ServerOptions() {
  return {
      {.name = "server",
       .value = "URL",
       .doc = "The server's address; else KELP_SERVER, else " + std::string(kServerDefault) + "."},
      {.name = "token-file",
       .value = "FILE",
       .doc = "Holds the access token; else KELP_TOKEN, else ~/.config/kelp/token."},
      {.name = "ca-file", .value = "FILE", .doc = "Trust this certificate authority (PEM)."},
  };
}

namespace {

// The option, else the variable, else the default; with a scheme and without a slash at the end.
Result<std::string> ResolveUrl(const Arguments& arguments, const Context& context,
                               const std::string& option, const std::string& variable,
                               const std::string& fallback) {
  std::string url =
      arguments.Has(option) ? arguments.Get(option) : context.variable(variable).value_or("");
  if (url.empty()) url = fallback;
  if (url.find("://") == std::string::npos) url = "http://" + url;
  while (url.ends_with('/')) url.pop_back();
  RETURN_IF_ERROR(net::ParseUrl(url).status().Annotate("the " + option + "'s address"));
  return url;
}

}  // namespace

Result<Remote> ResolveServer(const Arguments& arguments, const Context& context) {
  Remote remote;
  ASSIGN_OR_RETURN(remote.url,
                   ResolveUrl(arguments, context, "server", "KELP_SERVER", kServerDefault));
  ASSIGN_OR_RETURN(remote.token, ResolveToken(remote.url, arguments, context));
  return remote;
}

OptionSpec AgentOption() {
  return {.name = "agent",
          .value = "URL",
          .doc = "The agent's address; else KELP_AGENT, else " + std::string(kAgentDefault) + "."};
}

Result<Remote> ResolveAgent(const Arguments& arguments, const Context& context) {
  Remote remote;
  ASSIGN_OR_RETURN(remote.url,
                   ResolveUrl(arguments, context, "agent", "KELP_AGENT", kAgentDefault));
  return remote;
}

Result<size_t> ParseCount(const std::string& text, const std::string& option) {
  size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgumentError(fmt::format("--{} takes a number, not \"{}\"", option, text));
  }
  return count;
}

Result<size_t> CountParameter(const Arguments& arguments, const std::string& option) {
  return ParseCount(arguments.Get(option), option);
}

std::string QueryString(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    out += fmt::format("{}{}={}", out.empty() ? '?' : '&', name, net::UrlEncode(value));
  }
  return out;
}

RemoteClient::RemoteClient(Remote remote, const std::string& ca_file)
    : remote_(std::move(remote)), client_([&] {
        net::HttpClientOptions options;
        options.user_agent = "kelp-cli";
        options.tls.ca_file = ca_file;
        return options;
      }()) {}

net::HttpClientRequest RemoteClient::Request(const std::string& target) const {
  net::HttpClientRequest request;
  request.url = remote_.url + target;
  if (!remote_.token.empty()) request.headers.Set("Authorization", "Bearer " + remote_.token);
  return request;
}

Result<std::string> RemoteClient::Check(Result<net::HttpResponse> answer,
                                        std::string_view query) const {
  if (!answer.ok()) {
    if (answer.status().code() != Code::kUnavailable) return std::move(answer).status();
    return UnavailableError(
        fmt::format("{}. Is it running at {}?", answer.status().message(), remote_.url));
  }
  if (answer->ok()) return std::move(answer->body);
  std::string message = ErrorMessage(answer->body, query);
  if (answer->status == 401) {
    message += remote_.token.empty()
                   ? "; no token was given: use --token-file, KELP_TOKEN or ~/.config/kelp/token"
                   : "; the server does not accept this token";
  }
  return net::StatusFromHttp(answer->status, std::move(message));
}

Result<std::string> RemoteClient::Get(const std::string& target, std::string_view query) {
  return Check(client_.Send(Request(target)), query);
}

Status RemoteClient::Stream(const std::string& target, const OnChunk& on_chunk,
                            std::string_view query, Duration silence_max) {
  return Check(client_.SendStreaming(Request(target), on_chunk, silence_max), query).status();
}

namespace {

// The API counts characters, not bytes.
std::string_view FirstCharacters(std::string_view text, size_t count) {
  size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
    if (starts && count-- == 0) break;
  }
  return text.substr(0, end);
}

}  // namespace

std::string ErrorMessage(std::string_view body, std::string_view query) {
  constexpr size_t kQuotedMax = 200;
  const auto error = Member(body, "error");
  const auto message = error ? Member(*error, "message") : std::nullopt;
  if (!message) return "the answer was: " + Harmless(body.substr(0, kQuotedMax));
  std::string out = Harmless(ValueText(*message));
  const auto position = Member(*error, "position");
  size_t characters = 0;
  if (query.empty() || !position) return out;
  const auto read =
      std::from_chars(position->data(), position->data() + position->size(), characters);
  if (read.ec != std::errc()) return out;
  const std::string_view before = FirstCharacters(query, characters);
  return fmt::format("{}\n  {}\n  {:>{}}", out, Harmless(query), "^", DisplayWidth(before) + 1);
}

}  // namespace kelp::cli
