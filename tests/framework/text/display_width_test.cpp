#include "text/display_width.h"

#include <doctest/doctest.h>

using namespace kindred::text;

TEST_CASE("wide characters take two columns, marks that join none, others and broken bytes one") {
  CHECK(display_width("") == 0);
  CHECK(display_width("Bücher ± 5") == 10);
  CHECK(display_width("市场") == 4);
  CHECK(display_width("カタカナ한국") == 12);
  CHECK(display_width("Ａ\u3000") == 4);              // fullwidth letter and space
  CHECK(display_width("\U00020000\U0001F600") == 4);  // a rare ideograph, a face
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("\uFF5E\uFF61") == 3);  // fullwidth, halfwidth
  CHECK(display_width("a\xE5\xB8 b\xFF") == 6);
}

TEST_CASE("what fits ends between two characters") {
  CHECK(fitting("市场", 4) == "市场");
  CHECK(fitting("市场", 3) == "市");
  CHECK(fitting("市场", 1).empty());
  CHECK(fitting("ae\u0301i", 2) == "ae\u0301");
  CHECK(fitting("", 5).empty());
  CHECK(fitting("a\xFFz", 2) == "a\xFF");
}
