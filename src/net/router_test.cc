#include "net/router.h"

#include <gtest/gtest.h>

namespace kelp::net {
namespace {

// Keeps the answer for the test to look at.
class FakeResponder final : public Responder {
 public:
  void Send(HttpResponse response) override { sent = std::move(response); }
  void StartStream(int, HttpHeaders) override {}
  bool Write(std::string) override { return false; }
  size_t queued_bytes() const override { return 0; }
  bool WaitDrained(size_t, Duration) override { return false; }
  void Finish() override {}
  void OnClose(std::function<void()>) override {}
  HttpResponse sent{0, {}, ""};
};

HttpResponse Ask(const Router& router, std::string method, std::string path) {
  auto responder = std::make_shared<FakeResponder>();
  HttpRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  router(std::move(request), responder);
  return responder->sent;
}

Handler Say(std::string text) {
  return [text](HttpRequest request, std::shared_ptr<Responder> responder) {
    std::string body = text;
    for (const auto& [name, value] : request.path_params) body += " " + name + "=" + value;
    responder->Send(Text(200, body));
  };
}

Router SomeRoutes() {
  Router router;
  router.Add("GET", "/", Say("root"));
  router.Add("GET", "/projects", Say("list"));
  router.Add("POST", "/projects", Say("create"), {.body_bytes_max = 7_B});
  router.Add("GET", "/projects/{project}/logstores/{logstore}", Say("one"));
  router.Add("GET", "/assets/{file*}", Say("asset"));
  return router;
}

TEST(Router, FindsRoutesAndTheirParameters) {
  const Router router = SomeRoutes();
  EXPECT_EQ(Ask(router, "GET", "/").body, "root");
  EXPECT_EQ(Ask(router, "POST", "/projects").body, "create");
  EXPECT_EQ(Ask(router, "GET", "/projects/a/logstores/b c").body, "one project=a logstore=b c");
  EXPECT_EQ(Ask(router, "GET", "/assets/css/x.css").body, "asset file=css/x.css");
  EXPECT_EQ(Ask(router, "HEAD", "/projects").body, "list");
}

TEST(Router, AnswersWhatIsNotThere) {
  const Router router = SomeRoutes();
  for (const char* path : {"", "x", "/x", "/projects/", "/projects/a", "/projects//logstores/b",
                           "/projects/a/logstores/b/c", "/assets"}) {
    EXPECT_EQ(Ask(router, "GET", path).status, 404) << path;
  }
}

TEST(Router, NamesTheMethodsThatAPathTakes) {
  const Router router = SomeRoutes();
  const HttpResponse refused = Ask(router, "DELETE", "/projects");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.Get("Allow"), "GET, HEAD, POST");
  const HttpResponse options = Ask(router, "OPTIONS", "/projects");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.Get("Allow"), "GET, HEAD, POST");
}

TEST(Router, UsesTheFallbackForUnknownPaths) {
  Router router = SomeRoutes();
  router.SetFallback(Say("console"));
  EXPECT_EQ(Ask(router, "GET", "/anything").body, "console");
  EXPECT_EQ(Ask(router, "PUT", "/projects").status, 405);
}

TEST(Router, KnowsTheBodyLimitOfARoute) {
  const Router router = SomeRoutes();
  HttpRequest head;
  head.method = "POST";
  head.path = "/projects";
  EXPECT_EQ(router.BodyLimit(head, 1_MiB), 7_B);
  head.path = "/elsewhere";
  EXPECT_EQ(router.BodyLimit(head, 1_MiB), 1_MiB);
}

}  // namespace
}  // namespace kelp::net
