#include "file/hidden_path.h"

#include <doctest/doctest.h>

#include <string>

using kindred::file::hidden_path;

TEST_CASE("a hidden name is that of the target with a number, and can be as short as the target's own") {
  CHECK(hidden_path("a/model.onnx", 0, false) == "a/.model.onnx.tmp");
  CHECK(hidden_path("model.onnx", 12, false) == ".model.onnx.12.tmp");
  CHECK(hidden_path("a/model.onnx", 0, true) == "a/.model.tmp");
  CHECK(hidden_path("a/model.onnx", 3, true) == "a/.mod.3.tmp");
  CHECK(hidden_path("abc", 0, true) == "..tmp");
}

TEST_CASE("a hidden name that is shortened keeps whole characters") {
  const std::string umlaut = "\xC3\xA4";
  CHECK(hidden_path(umlaut + umlaut + umlaut + umlaut, 0, true) == "." + umlaut + ".tmp");
  CHECK(hidden_path("x" + umlaut + umlaut + umlaut, 0, true) == ".x.tmp");
  CHECK(hidden_path("xy" + umlaut + umlaut + umlaut, 0, true) == ".xy.tmp");
}
