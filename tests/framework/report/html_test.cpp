#include "report/html.h"

#include <doctest/doctest.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "markup_check.h"
#include "report/number_text.h"

namespace kindred::test {
using namespace kindred::report;  // NOLINT
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

TEST_CASE("figures are written as people read them") {
  CHECK(percent_text(0.63128) == "63.13\u00a0%");
  CHECK(percent_text(std::nan("")) == "-");
  CHECK(fixed_text(-1.005, 1) == "-1.0");
  CHECK(number_text(52.968) == "52.97");
  CHECK(number_text(0.001) == "0.001");
  CHECK(number_text(1e-5) == "1e-5");
  CHECK(number_text(3.4e-12) == "3.4e-12");
  CHECK(number_text(12345) == "12,345");
  CHECK(number_text(-12345) == "-12,345");
  CHECK(number_text(-0.0) == "0");
  CHECK(number_text(1e20) == "1e20");
  CHECK(number_text(HUGE_VAL) == "-");
  CHECK(size_text(512) == "512\u00a0B");
  CHECK(size_text(89'400) == "89\u00a0kB");
  CHECK(size_text(1'234'567) == "1.2\u00a0MB");
}

}  // namespace
}  // namespace kindred::test
