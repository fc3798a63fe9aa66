#include "query_options.h"

#include <fmt/format.h>

#include "json_slice.h"
#include "row.h"
#include "up.h"

namespace kelp::cli {

std::vector<OptionSpec> QueryOptions(const std::string& since_default) {
  std::vector<OptionSpec> options = {
      {.name = "since",
       .value = "TIME",
       .doc = "Rows from then on: a duration before now, or a time.",
       .fallback = since_default},
      {.name = "until", .value = "TIME", .doc = "Rows before then. Without it: up to now."},
      {.name = "project", .value = "NAME", .doc = "The project.", .fallback = kProjectDefault},
      {.name = "logstore",
       .value = "A,B",
       .doc = "The logstore, or several of them.",
       .fallback = kLogstoreDefault},
  };
  for (OptionSpec& option : ServerOptions()) options.push_back(std::move(option));
  return options;
}

Result<std::string> TimeParameter(const std::string& text, const char* option) {
  if (text.empty() || text == "now") return std::string();
  if (const Result<Duration> span = ParseDuration(text); span.ok()) {
    return "-" + FormatDuration(span.value());
  }
  if (const Result<UnixNanos> time = ParseRfc3339(text); time.ok()) {
    return FormatRfc3339(time.value());
  }
  return InvalidArgumentError(
      fmt::format("--{} takes a duration such as 15m, or a time such as "
                  "2026-11-20T23:00:00Z, not \"{}\"",
                  option, text));
}

std::string QueryCall::Target(const std::string& call,
                              std::vector<std::pair<std::string, std::string>> more) const {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"q", query}, {"from", from}, {"to", to}};
  pairs.insert(pairs.end(), more.begin(), more.end());
  return path + "/" + call + QueryString(pairs);
}

Result<QueryCall> MakeCall(const Arguments& arguments) {
  QueryCall call;
  std::string logstores;
  for (const std::string& name : SplitList(arguments.Get("logstore"))) {
    logstores += (logstores.empty() ? "" : ",") + net::UrlEncode(name);
  }
  call.path = fmt::format("/api/v1/projects/{}/logstores/{}",
                          net::UrlEncode(arguments.Get("project")), logstores);
  call.query = arguments.positional().empty() ? "*" : arguments.positional()[0];
  ASSIGN_OR_RETURN(call.from, TimeParameter(arguments.Get("since"), "since"));
  ASSIGN_OR_RETURN(call.to, TimeParameter(arguments.Get("until"), "until"));
  return call;
}

int PrintAnswer(const Arguments& arguments, const Context& context, const QueryCall& call,
                const std::string& target,
                const std::function<std::string(std::string_view)>& print) {
  const Result<Remote> remote = ResolveServer(arguments, context);
  if (!remote.ok()) return context.Fail(kExitUsage, remote.status().message());
  RemoteClient client(*remote, arguments.Get("ca-file"));
  const Result<std::string> body = client.Get(target, call.query);
  if (!body.ok()) return context.Fail(body.status());
  context.out.Out(arguments.Get("output") == "json" ? *body + "\n" : print(*body));
  const auto partial = Member(*body, "partial");
  if (partial && *partial != "null") {
    context.out.Err("kelp: the result is not complete: " + Harmless(ValueText(*partial)) + "\n");
  }
  return kExitOk;
}

}  // namespace kelp::cli
