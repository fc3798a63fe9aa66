#include "net/http.h"

#include <gtest/gtest.h>

namespace kelp::net {
namespace {

TEST(HttpHeaders, ComparesNamesWithoutCase) {
  HttpHeaders headers{{"Content-Type", "a"}};
  headers.Set("content-type", "b");
  headers.Add("X", "1");
  headers.Add("x", "2");
  EXPECT_EQ(headers.Get("CONTENT-TYPE"), "b");
  EXPECT_EQ(headers.Get("x"), "1");
  EXPECT_EQ(headers.size(), 3u);
  headers.Remove("X");
  EXPECT_FALSE(headers.Has("x"));
  EXPECT_EQ(headers.Get("none"), "");
}

TEST(HttpRequest, FindsDecodedQueryParameters) {
  HttpRequest request;
  request.query = "q=level%3Aerror+%22a%20b%22&limit=10&flag&q=second&bad=%zz";
  EXPECT_EQ(request.QueryParam("q"), "level:error \"a b\"");
  EXPECT_EQ(request.QueryParam("limit"), "10");
  EXPECT_EQ(request.QueryParam("flag"), "");
  EXPECT_EQ(request.QueryParam("none"), std::nullopt);
  EXPECT_EQ(request.QueryParam("bad"), std::nullopt);
}

TEST(HttpRequest, ReadsCookiesAndBearerTokens) {
  HttpRequest request;
  request.headers.Set("Cookie", "a=1; kelp_session=abc ;b=2");
  request.headers.Set("Authorization", "bearer  token-1 ");
  EXPECT_EQ(request.Cookie("kelp_session"), "abc");
  EXPECT_EQ(request.Cookie("session"), "");
  EXPECT_EQ(request.BearerToken(), "token-1");
  request.headers.Set("Authorization", "Basic eHg=");
  EXPECT_EQ(request.BearerToken(), "");
}

TEST(Http, WritesErrorsAsJson) {
  EXPECT_EQ(Error(404, "no \"x\"\n").body,
            "{\"error\":{\"code\":\"not_found\",\"message\":\"no \\\"x\\\"\\n\"}}");
  EXPECT_EQ(Error(ResourceExhaustedError("full")).status, 429);
  EXPECT_EQ(Error(418, "teapot").body, "{\"error\":{\"code\":\"unknown\",\"message\":\"teapot\"}}");
}

TEST(Http, RepairsTextThatIsNotUtf8InJson) {
  std::string out;
  AppendJsonString(out, "a\xff\xc3\xa4\xed\xa0\x80\x01");
  EXPECT_EQ(out, "\"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\u0001\"");
}

TEST(Http, KeepsTheMeaningOfAStatusOverTheWire) {
  for (const Status& status :
       {NotFoundError("x"), UnauthenticatedError("x"), PermissionDeniedError("x"),
        AlreadyExistsError("x"), ResourceExhaustedError("x"), UnavailableError("x"),
        DeadlineExceededError("x"), InvalidArgumentError("x"), UnimplementedError("x"),
        CancelledError("x")}) {
    EXPECT_EQ(StatusFromHttp(StatusToHttp(status), "x").code(), status.code());
  }
  EXPECT_TRUE(StatusFromHttp(204, "").ok());
  EXPECT_TRUE(StatusFromHttp(502, "").retryable());
  EXPECT_FALSE(StatusFromHttp(413, "").retryable());
}

TEST(Http, SplitsEventDataIntoLines) {
  EXPECT_EQ(SseEvent("row", "{}"), "event: row\ndata: {}\n\n");
  EXPECT_EQ(SseEvent("", "a\r\nb\nc", "7"), "id: 7\ndata: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(SseEvent("x", ""), "event: x\ndata: \n\n");
}

TEST(Url, EncodesAndDecodes) {
  const std::string text("a b&c=/\xc3\xa4%\0", 10);
  EXPECT_EQ(*UrlDecode(UrlEncode(text), true), text);
  EXPECT_EQ(UrlEncode("a b"), "a%20b");
  EXPECT_EQ(*UrlDecode("a+b", false), "a+b");
  EXPECT_EQ(*UrlDecode("a+b", true), "a b");
  for (const char* bad : {"%", "%1", "%g0", "a%2"}) EXPECT_FALSE(UrlDecode(bad, true).ok()) << bad;
}

TEST(Url, ParsesWhatPeopleWrite) {
  const Url url = *ParseUrl("https://Example.com:8443/a/b?c=d#e");
  EXPECT_TRUE(url.tls);
  EXPECT_EQ(url.host, "Example.com");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.target, "/a/b?c=d");
  EXPECT_EQ(ParseUrl("http://h")->target, "/");
  EXPECT_EQ(ParseUrl("http://h?x=1")->target, "/?x=1");
  EXPECT_EQ(ParseUrl("http://h")->HostHeader(), "h");
  EXPECT_EQ(ParseUrl("https://h")->Authority(), "h:443");
  EXPECT_EQ(ParseUrl("http://[::1]:80/")->host, "::1");
  EXPECT_EQ(ParseUrl("http://[::1]:81/")->HostHeader(), "[::1]:81");
}

TEST(Url, RefusesWhatIsNotOne) {
  for (const char* bad :
       {"", "host:80", "ftp://h/", "http://", "http://:80", "http://h:0", "http://h:65536",
        "http://h:8x", "http://u:p@h/", "http://h/a b", "http://[::1", "http://::1/", "http://h/\n",
        "http://[[1]:8", "http://a_\xff/", "http://[]/"}) {
    EXPECT_EQ(ParseUrl(bad).status().code(), Code::kInvalidArgument) << bad;
  }
}

TEST(HostPort, ParsesAddresses) {
  EXPECT_EQ(ParseHostPort(":7700")->host, "");
  EXPECT_EQ(ParseHostPort("[::]:7700")->host, "::");
  EXPECT_EQ(ParseHostPort("127.0.0.1:0")->port, 0);
  for (const char* bad : {"", "7700", "h:", "h:70000", "::1:80"}) {
    EXPECT_FALSE(ParseHostPort(bad).ok()) << bad;
  }
}

TEST(RequestTarget, SplitsAndDecodes) {
  const RequestTarget target = *ParseRequestTarget("/a%20b/c?q=%41");
  EXPECT_EQ(target.path, "/a b/c");
  EXPECT_EQ(target.query, "q=%41");
  EXPECT_EQ(ParseRequestTarget("http://h:1/x?y")->path, "/x");
  EXPECT_EQ(ParseRequestTarget("/http://h/x")->path, "/http://h/x");
  for (const char* bad : {"", "*", "a", "/%", "/%00", "http://h"}) {
    EXPECT_FALSE(ParseRequestTarget(bad).ok()) << bad;
  }
}

TEST(Query, ParsesAllPairs) {
  const auto params = *ParseQuery("a=1&&b&c=%26");
  ASSERT_EQ(params.size(), 3u);
  EXPECT_EQ(params[1].first, "b");
  EXPECT_EQ(params[2].second, "&");
  EXPECT_FALSE(ParseQuery("a=%").ok());
}

}  // namespace
}  // namespace kelp::net
