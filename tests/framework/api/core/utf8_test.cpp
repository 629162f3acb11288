#include "kindred/core/utf8.h"

#include <doctest/doctest.h>

#include <string>

using namespace kindred;

TEST_CASE("UTF-8 is told from other bytes") {
  for (const char* text : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF"}) {
    CHECK(is_utf8(text));
  }
  // Cut off, overlong, a surrogate, beyond U+10FFFF, a byte that follows nothing.
  for (const char* text : {"\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "a\xE9z"}) {
    CHECK_FALSE(is_utf8(text));
  }
  CHECK(utf8_prefix("\xC3\xA9") == 2);
  CHECK(utf8_prefix("a\xC3\xA9\xE9z") == 3);
}

TEST_CASE("bytes that cannot be shown are escaped, and nothing else") {
  CHECK(escaped("IMG_\xE9 \xC3\xA9.jpg") == "IMG_\\xE9 \xC3\xA9.jpg");
  CHECK(escaped(std::string("a\0\n\x7F", 4)) == "a\\x00\\x0A\\x7F");
  CHECK(escaped(escaped("a\nb")) == escaped("a\nb"));
  // Of two bytes: the first of them begins what a terminal takes for a command, the second is a space.
  CHECK(escaped("\xC2\x9B\xC2\xA0") == "\\xC2\\x9B\xC2\xA0");
}
