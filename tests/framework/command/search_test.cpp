#include "command/search.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "command/serve.h"
#include "framework/application/made_model.h"
#include "kindred/core/error.h"
#include "progress/progress.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::test;

namespace {

/// Of a vision transformer.
std::string vit_with(const std::string& side_information) {
  return "backbone={type=\"vit\", dim=32, depth=1, heads=2, image_height=48, image_width=24, stride=8, "
         "side_information=\"" +
         side_information + "\"}";
}

}  // namespace

TEST_CASE(
    "a model that uses cameras is not searched with pictures of unknown ones, which is told before the "
    "gallery "
    "is read") {
  const TemporaryFolder folder;
  const auto picture = folder / "picture.png";
  cv::imwrite(picture.string(), made_crops(1).front());
  command::SearchRequest request;
  request.model = write_made_model(folder, {vit_with("camera")}, "vit.safetensors", {2, 5});
  request.gallery = folder / "none";
  request.images = {picture};
  progress::SilentProgress silent;
  const auto search = [&] {
    return message_of<Error>([&] { static_cast<void>(command::search(request, built_plugins(), silent)); });
  };
  const auto refused = search();
  CAPTURE(refused);
  CHECK(refused.starts_with(picture.string() + ": error: its camera is not known, but "));
  CHECK(refused.ends_with(", as in --set backbone.unknown_camera=none: `kindred search` is not told them"));
  // The remedy: now it is the gallery that is not there.
  request.overrides = {"backbone.unknown_camera=none"};
  CHECK(search().starts_with((folder / "none").string() + ": error: "));
}

TEST_CASE("a model that uses views is not served, which is told before the gallery is read") {
  const TemporaryFolder folder;
  command::ServeRequest request;
  request.model = write_made_model(folder, {vit_with("view")}, "vit.safetensors", {}, {0, 1});
  request.gallery = folder / "none";
  request.server.port = 0;
  progress::SilentProgress silent;
  const std::atomic<bool> stop = true;
  const auto serve = [&] {
    return message_of<Error>([&] {
      command::serve(request, built_plugins(), silent,
                     [&](std::int64_t, int) -> const std::atomic<bool>& { return stop; });
    });
  };
  const auto refused = serve();
  if (refused.find("built without cpp-httplib") != std::string::npos) {
    MESSAGE("left out: built without cpp-httplib");
    return;
  }
  CAPTURE(refused);
  CHECK(refused.starts_with(request.model.string() + ": error: uses the view of a picture"));
  request.overrides = {"backbone.unknown_camera=none"};
  CHECK(serve().starts_with((folder / "none").string() + ": error: "));
}
