// Sign-in by one-time code or token, sign-out, and who is signed in.
#include "server/api.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

// SameSite=Strict keeps other sites from using the session; HttpOnly keeps scripts from reading it.
std::string SessionCookie(const Api& api, std::string_view secret, Duration life) {
  std::string cookie =
      "kelp_session=" + std::string(secret) + "; Path=/; HttpOnly; SameSite=Strict";
  cookie +=
      "; Max-Age=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(life).count());
  if (!api.config.http.tls.cert_file.empty()) cookie += "; Secure";
  return cookie;
}

Result<domain::Session> OpenSession(Api& api, const std::string& body) {
  ASSIGN_OR_RETURN(const auto members, ParseRequestObject(body, {"code", "token"}));
  const auto code = members.find("code");
  const auto token = members.find("token");
  if ((code == members.end()) == (token == members.end())) {
    return InvalidArgumentError("sign-in takes either {\"code\":\"...\"} or {\"token\":\"...\"}");
  }
  if (code != members.end()) return api.domain.RedeemSignInCode(code->second.text);
  const std::optional<domain::Caller> caller = api.domain.CallerOfToken(token->second.text);
  if (!caller) return UnauthenticatedError("the token is not known");
  return api.domain.StartSession(*caller);
}

void SignIn(Api& api, const net::HttpRequest& request, const Answer& answer) {
  if (const auto wait = api.sign_ins.MustWait(request.remote)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    net::HttpResponse held =
        net::Error(429, "too many sign-ins from this address failed; try again in " +
                            std::to_string(seconds) + " s");
    held.headers.Set("Retry-After", std::to_string(seconds));
    return answer->Send(std::move(held));
  }
  const Result<domain::Session> session = OpenSession(api, request.body);
  if (session.status().code() == Code::kUnauthenticated) api.sign_ins.Failed(request.remote);
  if (!session.ok()) return answer->Send(Refusal(session.status()));
  net::HttpResponse response =
      net::Json(200, std::string("{\"role\":\"") + domain::RoleName(session->role) + "\"}");
  response.headers.Set("Set-Cookie", SessionCookie(api, session->secret, domain::kSessionLife));
  response.headers.Set("Cache-Control", "no-store");
  answer->Send(std::move(response));
}

void SignOut(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const std::string_view secret = request.Cookie("kelp_session");
  if (!secret.empty()) {
    const Status ended = api.domain.EndSession(secret);
    if (!ended.ok()) return answer->Send(Refusal(ended));
  }
  net::HttpResponse response{204, {}, ""};
  response.headers.Set("Set-Cookie", SessionCookie(api, "", Duration(0)));
  answer->Send(std::move(response));
}

void GetSession(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const domain::Caller caller = CallerOf(api, request).value_or(domain::Caller());
  answer->Send(net::Json(200, std::string("{\"role\":\"") + domain::RoleName(caller.role) +
                                  "\",\"project\":" + JsonTextOrNull(caller.project) +
                                  ",\"version\":\"" KELP_VERSION "\"}"));
}

}  // namespace

void AddSignInRoutes(net::Router& router, Api& api) {
  AddRoute(router, api, "POST", "/api/v1/sign-in", Access::kAnyone, SignIn);
  AddRoute(router, api, "POST", "/api/v1/sign-out", Access::kAnyone, SignOut);
  AddRoute(router, api, "GET", "/api/v1/session", Access::kSignedIn, GetSession,
           {.any_project = true});
}

}  // namespace kelp::server
