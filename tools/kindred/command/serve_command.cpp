#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "common_options.h"
#include "kindred/core/error.h"
#include "kindred/extract.h"
#include "kindred/image/image.h"
#include "kindred/search.h"
#include "service/gallery_images.h"
#include "service/http_server.h"
#include "service/search_service.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  std::filesystem::path weights;
  std::filesystem::path gallery;
  std::filesystem::path images;
  service::HttpServerOptions server;
  std::int64_t upload_mib = 10;
  double megapixels = 25;
  double seconds = 20;
  std::int64_t top = 20;
  std::string device = "auto";
  int threads = 0;
  std::vector<std::string> set;
  PluginOptions plugins;
};

int serve(Options options, Session& session) {
  service::require_http();  // before a model is loaded in vain
  ExtractorOptions model;
  model.model = options.weights;
  model.device = options.device;
  model.threads = options.threads;
  model.plugin_folders = options.plugins.folders;
  model.overrides = options.set;
  const Extractor extractor(model);
  for (const auto& note : extractor.notes()) session.note(note);
  auto gallery = Gallery::open(options.gallery, {.read_only = true, .model = extractor.model_id()});
  for (const auto& note : gallery.notes()) session.note(note);
  auto images = options.images.empty() ? nullptr : std::make_unique<service::GalleryImages>(options.images);
  if (images == nullptr) session.note("no --images: matches are shown without pictures");
  set_pixel_limit(static_cast<std::int64_t>(options.megapixels * 1e6));
  const auto size = gallery.size();
  service::SearchService service(std::move(gallery),
                                 [&](const cv::Mat& image, std::int64_t camera) {
                                   const CropOrigin origin{.camera = camera};
                                   return extractor.extract({&image, 1}, {&origin, 1});
                                 },
                                 std::move(images),
                                 {.top = options.top, .needs_camera = extractor.needs_cameras()});
  options.server.body_bytes = static_cast<std::size_t>(options.upload_mib) << 20;
  options.server.time = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * options.seconds));
  options.server.waiting = 2 * options.server.connections;
  options.server.head_time = std::min(options.server.head_time, options.server.time);
  const auto host = options.server.host;
  service::HttpServer server(std::move(options.server), service);
  std::cout << "serving " << size << " images at http://"
            << (host.find(':') == std::string::npos ? host : "[" + host + "]") << ':' << server.port()
            << "/ (Ctrl-C ends it)" << std::endl;
  server.run(stop_requested());
  session.note("the service has ended");
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("--weights", options->weights, "Model file (model.safetensors)")
      ->required()
      ->type_name("FILE");
  app.add_option(
         "--gallery", options->gallery,
         "What is searched: a gallery, or a folder of features that 'kindred embed' wrote with this model")
      ->required()
      ->type_name("DIR");
  app.add_option(
         "--images", options->images,
         "Folder with the gallery's images, for the pictures beside the matches; without it there are "
         "none")
      ->type_name("DIR");
  app.add_option("--host", options->server.host,
                 "Address to listen at; 0.0.0.0 lets every machine of the network search, without a password")
      ->capture_default_str()
      ->type_name("ADDRESS");
  app.add_option("--port", options->server.port, "Port to listen at; 0: any that is free")
      ->check(CLI::Range(0, 65535).description(""))
      ->capture_default_str()
      ->type_name("N");
  add_repeatable(app, "--allow-host", options->server.allowed_hosts,
                 "Name that clients may call the service by, beside its address and localhost")
      ->type_name("NAME");
  app.add_option("--top", options->top, "Matches of a search that does not say how many")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{200}).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-upload-mib", options->upload_mib, "Largest upload, in MiB")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1024}).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-megapixels", options->megapixels,
                 "Largest picture, in megapixels; it is checked before the picture is decoded")
      ->check(CLI::Range(0.001, 1000.0).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-requests", options->server.connections,
                 "Requests that are answered at once; twice as many may wait, further ones are refused")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-seconds", options->seconds,
                 "Time for a client to send its request, and again to take the answer")
      ->check(CLI::Range(0.1, 3600.0).description(""))
      ->capture_default_str()
      ->type_name("S");
  app.add_option("--device", options->device, "Device of the model: auto, cpu, cuda, cuda:1, ...")
      ->capture_default_str()
      ->type_name("DEVICE");
  app.add_option("--threads", options->threads, "Threads of the model; 0: one for each usable processor")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str()
      ->type_name("N");
  add_repeatable(app, "--set", options->set, "Override a key of the model's recipe: embed.flip_test=true")
      ->type_name("KEY=VALUE");
  options->plugins.add_to(app);
  return [options](Session& session) { return serve(*options, session); };
}

}  // namespace

const Command serve_command = {"serve", "Search for people in a browser, or by an HTTP API", add_options};

}  // namespace kindred::launcher
