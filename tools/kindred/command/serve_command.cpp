#include "command/serve.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "command.h"
#include "common_options.h"
#include "session.h"

namespace kindred::launcher {
namespace {

struct Options {
  command::ServeRequest request;
  std::int64_t upload_mib = 10;
  double seconds = 20;
  RecipeOptions recipe;
};

int serve(const Options& options, Session& session) {
  const auto& catalog = session.load_plugins(options.recipe.plugins.folders);
  const auto progress = session.make_progress();
  auto request = options.request;
  request.overrides = options.recipe.overrides();
  auto& server = request.server;
  server.body_bytes = static_cast<std::size_t>(options.upload_mib) << 20;
  server.waiting = 2 * server.connections;
  server.time = std::chrono::milliseconds(static_cast<std::int64_t>(1000 * options.seconds));
  server.head_time = std::min(server.head_time, server.time);
  const auto listening = [&](std::int64_t images, int port) -> const std::atomic<bool>& {
    const bool six = server.host.find(':') != std::string::npos;
    std::cout << "serving " << images << " images at http://" << (six ? "[" : "") << server.host
              << (six ? "]" : "") << ':' << port << "/ (Ctrl-C ends it)" << std::endl;
    return stop_requested();  // while images are read, a signal ends the program, as nothing is lost
  };
  command::serve(request, catalog, *progress, listening);
  session.note("the service has ended");
  return 0;
}

Action add_options(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto& request = options->request;
  app.add_option("--weights", request.model, "The model file: model.safetensors")
      ->required()
      ->type_name("FILE");
  app.add_option(
         "--gallery", request.gallery,
         "Who is looked among: a gallery that 'kindred search --keep' has made, features of embed or of "
         "a run, or a folder or manifest of images")
      ->required()
      ->type_name("PATH");
  app.add_option("--data", request.data,
                 "Where the gallery's images lie, for the pictures beside the matches [a --gallery of images "
                 "itself]")
      ->type_name("DIR");
  app.add_option("--host", request.server.host,
                 "Address to listen at; 0.0.0.0 lets every machine of the network search, without a password")
      ->capture_default_str()
      ->type_name("ADDRESS");
  app.add_option("--port", request.server.port, "Port to listen at; 0: any that is free")
      ->check(CLI::Range(0, 65535).description(""))
      ->capture_default_str()
      ->type_name("N");
  add_repeatable(app, "--allow-host", request.server.allowed_hosts,
                 "Name that clients may call the service by, beside its address and localhost")
      ->type_name("NAME");
  app.add_option("--top", request.top, "Matches of a search that does not say how many")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{200}).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-upload-mib", options->upload_mib, "Largest upload, in MiB")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1024}).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-megapixels", request.max_megapixels,
                 "Largest picture, in megapixels, checked before it is decoded")
      ->check(real_range(0.001, 1000))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-requests", request.server.connections,
                 "Requests that are answered at once; twice as many may wait, further ones are refused")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option("--max-seconds", options->seconds,
                 "Time for a client to send its request, and again to take the answer")
      ->check(real_range(0.1, 3600))
      ->capture_default_str()
      ->type_name("S");
  options->recipe.add_to(app, Computing::on_any_device, "embed.flip_test=true");
  return [options](Session& session) { return serve(*options, session); };
}

}  // namespace

const Command serve_command = {"serve", "Search for people in a browser, or by an HTTP API", add_options};

}  // namespace kindred::launcher
