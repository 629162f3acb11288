#include "recipe/wildcard.h"

#include <doctest/doctest.h>

#include <string>

using namespace kindred;
using namespace kindred::recipe;

TEST_CASE("a star stands for any characters, also none, and everything else for itself") {
  CHECK(matches_wildcard("", ""));
  CHECK_FALSE(matches_wildcard("", "a"));
  CHECK(matches_wildcard("*", ""));
  CHECK(matches_wildcard("a*c", "ac"));
  CHECK(matches_wildcard("a*c", "abcbc"));
  CHECK_FALSE(matches_wildcard("a*c", "acb"));
  CHECK(matches_wildcard("*.bn*.bias", "head.bn1.x.bn2.bias"));
  CHECK_FALSE(matches_wildcard("head.classifier*", "backbone.head.classifier.weight"));
  CHECK_FALSE(matches_wildcard("a.c", "abc"));
}

TEST_CASE("many stars on a long text take no time") {
  CHECK_FALSE(matches_wildcard("*a*a*a*a*a*a*a*a*a*a*b", std::string(20000, 'a')));
}
