#include "text/html.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "markup_check.h"

namespace kindred::test {
using namespace kindred::text;  // NOLINT
namespace {

const std::string replacement = "\xEF\xBF\xBD";

TEST_CASE("text is shown as it is, whatever signs it holds") {
  CHECK(Html("a <b> & \"c\" 'd'").markup() == "a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  CHECK(Html("Zürich 日本 🙂").markup() == "Zürich 日本 🙂");
  CHECK(Html("two\nlines\tand a tab").markup() == "two\nlines\tand a tab");
  CHECK(Html("&amp;").markup() == "&amp;amp;");
}

TEST_CASE("what is no text becomes the replacement character") {
  CHECK(Html(std::string("a\0b", 3)).markup() == "a" + replacement + "b");
  CHECK(Html("\x1b[31m").markup() == replacement + "[31m");
  CHECK(Html("\xff").markup() == replacement);
  SUBCASE("a character that is cut off") {
    CHECK(Html("\xe6\x97").markup() == replacement + replacement);
  }
  SUBCASE("a slash written with more bytes than it needs") {
    CHECK(Html("\xc0\xaf").markup() == replacement + replacement);
    CHECK(Html("\xe0\x80\xaf").markup() == replacement + replacement + replacement);
  }
  SUBCASE("half of a surrogate pair") {
    CHECK(Html("\xed\xa0\x80").markup() == replacement + replacement + replacement);
  }
  SUBCASE("beyond the last character") {
    CHECK(Html("\xf4\x90\x80\x80").markup() == replacement + replacement + replacement + replacement);
  }
  SUBCASE("a control character of two bytes") {
    CHECK(Html("\xc2\x85").markup() == replacement + replacement);
  }
}

TEST_CASE("elements are closed and their attributes escaped") {
  CHECK(element("p", {{"title", "\"><script>"}}, "x").markup() ==
        "<p title=\"&quot;&gt;&lt;script&gt;\">x</p>");
  CHECK(element("p", element("em", "a") + "b").markup() == "<p><em>a</em>b</p>");
  CHECK(element("td", Html()).markup() == "<td></td>");
  CHECK(element("img", {{"alt", "x"}}, {}).markup() == "<img alt=\"x\"/>");
  CHECK(element("circle", {{"r", "1"}}, element("title", "t")).markup() ==
        "<circle r=\"1\"><title>t</title></circle>");
}

TEST_CASE("a style sheet cannot end its element") {
  CHECK(Html::style("a > b {}").markup() == "<style>\na > b {}</style>");
  CHECK_THROWS_AS(static_cast<void>(Html::style("</style>")), std::logic_error);
}

TEST_CASE("the checker of these tests finds what is not well-formed") {
  CHECK(markup_error("<!DOCTYPE html>\n<a b=\"c\"><d/>e &lt; f</a>\n").empty());
  for (const auto* wrong : {"<a><b></a></b>", "<a>", "</a>", "<a>&nbsp;</a>", "<a>x & y</a>", "<a b=c></a>",
                            "<a b=\"<\"></a>", "<a b=\"1\" b=\"2\"></a>", "<a>< </a>", "text", "<a b></a>"}) {
    CAPTURE(wrong);
    CHECK_FALSE(markup_error(wrong).empty());
  }
}

}  // namespace
}  // namespace kindred::test
