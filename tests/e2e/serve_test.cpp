// `kindred serve` as a user starts it, with clients that mean well and others.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "http_client.h"
#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

const std::string tiny_recipe = std::string(source_directory) + "/tests/e2e/tiny.toml";

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A trained model, people on disk and their descriptors, made once.
struct People {
  People() {
    const auto run = (folder / "run").string();
    REQUIRE(kindred({"train", tiny_recipe, "--run-dir", run, "--set", "train.epochs=4"}, folder.path())
                .exit_code == 0);
    weights = run + "/model/model.safetensors";
    images = (folder / "people").string();
    REQUIRE(kindred({"data", "convert", tiny_recipe, "--out", images, "--layout", "market1501", "--format",
                     "png"},
                    folder.path())
                .exit_code == 0);
    gallery = (folder / "features").string();
    const auto embedded =
        kindred({"embed", "--weights", weights, "--data", images, "--out", gallery}, folder.path());
    REQUIRE_MESSAGE(embedded.exit_code == 0, embedded.err);
    for (const auto& entry : fs::directory_iterator(images + "/bounding_box_test")) {
      pictures.push_back(entry.path().string());
    }
    std::sort(pictures.begin(), pictures.end());
  }

  TemporaryFolder folder;
  std::string weights;
  std::string images;
  std::string gallery;
  std::vector<std::string> pictures;  ///< of the gallery
};

const People& people() {
  static const People all;
  return all;
}

/// The launcher at a port of its own.
class Service {
 public:
  /// @param gallery --gallery and what belongs to it
  explicit Service(const std::vector<std::string>& more = {},
                   const std::vector<std::string>& gallery = {"--gallery", people().gallery, "--data",
                                                              people().images})
      : program_(command(more, gallery), scratch_.path()) {
    while (program_.running() && !says(program_.printed(), "\n"))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto line = program_.printed();
    const auto at = line.find("127.0.0.1:");
    if (at == std::string::npos) {
      const auto outcome = program_.wait();
      FAIL(outcome.err);
    }
    port_ = std::atoi(line.c_str() + at + 10);
  }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] bool running() const { return program_.running(); }
  [[nodiscard]] pid_t pid() const { return program_.pid(); }
  [[nodiscard]] Outcome end(int signal) {
    program_.send(signal);
    return program_.wait();
  }

 private:
  static std::vector<std::string> command(const std::vector<std::string>& more,
                                          const std::vector<std::string>& gallery) {
    std::vector<std::string> words{launcher, "serve", "--weights", people().weights,
                                   "--port", "0",     "--device",  "cpu"};
    words.insert(words.end(), gallery.begin(), gallery.end());
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  TemporaryFolder scratch_;
  Program program_;
  int port_ = 0;
};

HttpAnswer search(int port, const std::string& picture, const std::string& query = "",
                  const std::string& type = "image/png") {
  return http(port, "POST", "/api/v1/search" + query, "Content-Type: " + type + "\r\n", picture);
}

/// A black PNG of pixels of one bit, with right checksums.
std::string png_of(std::uint32_t width, std::uint32_t height) {
  const auto big_endian = [](std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
  };
  const auto chunk = [&](const std::string& type, const std::string& data) {
    const auto content = type + data;
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    return big_endian(static_cast<std::uint32_t>(data.size())) + content +
           big_endian(static_cast<std::uint32_t>(crc));
  };
  const std::string rows(std::size_t{height} * (1 + (width + 7) / 8), '\0');
  auto size = compressBound(rows.size());
  std::string packed(size, '\0');
  REQUIRE(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                   reinterpret_cast<const Bytef*>(rows.data()), rows.size()) == Z_OK);
  packed.resize(size);
  return "\x89PNG\r\n\x1a\n" +
         chunk("IHDR", big_endian(width) + big_endian(height) + std::string("\x01\0\0\0\0", 5)) +
         chunk("IDAT", packed) + chunk("IEND", "");
}

/// A hundred kilobytes.
std::string png_bomb() {
  return png_of(30000, 30000);
}

/// KiB that a process has in memory at most.
std::int64_t peak_memory(pid_t pid) {
  const auto status = read_bytes("/proc/" + std::to_string(pid) + "/status");
  return std::atoll(status.c_str() + status.find("VmHWM:") + 6);
}

bool built_without_serve() {
  const TemporaryFolder folder;
  const auto outcome = kindred({"serve", "--weights", "none", "--gallery", "none"}, folder.path());
  if (!says(outcome.err, "built without cpp-httplib")) return false;
  MESSAGE("left out: built without cpp-httplib");
  return true;
}

/// Two words: where chromedriver and Chromium are; none when one of them is missing.
std::vector<std::string> browser() {
  std::vector<std::string> found;
  for (const auto& names :
       {std::vector<std::string>{"chromedriver"}, {"chromium", "chromium-browser", "google-chrome"}}) {
    for (const auto& name : names) {
      for (const std::string folder : {"/usr/bin/", "/usr/local/bin/"}) {
        if (fs::exists(folder + name)) {
          found.push_back(folder + name);
          break;
        }
      }
      if (!found.empty() && found.back().ends_with(name)) break;
    }
  }
  return found.size() == 2 ? found : std::vector<std::string>();
}

}  // namespace

TEST_CASE(
    "a picture from disk is found in the gallery, with its thumbnail, and the service ends when it is told "
    "to") {
  if (built_without_serve()) return;
  for (const int signal : {SIGTERM, SIGINT}) {
    Service service;
    const auto port = service.port();
    for (const std::size_t place : {std::size_t{0}, people().pictures.size() - 1}) {
      const auto& picture = people().pictures[place];
      const auto answer = search(port, read_bytes(picture), "?top=3");
      REQUIRE_MESSAGE(answer.status == 200, answer.body);
      const auto found = nlohmann::json::parse(answer.body);
      REQUIRE(found["matches"].size() == 3);
      CHECK(found["gallery"] == people().pictures.size());
      const std::string id = found["matches"][0]["id"];
      CHECK(picture.ends_with("/" + id));
      CHECK(found["matches"][0]["similarity"] > 0.999);
      CHECK(found["matches"][0]["camera"].is_number());
      CHECK(found["matches"][1]["similarity"] < 0.9999);
      const auto thumbnail = http(port, "GET", found["matches"][0]["thumbnail"]);
      CHECK(thumbnail.status == 200);
      CHECK(thumbnail.body.starts_with("\xFF\xD8"));
    }
    const auto page = http(port, "GET", "/");
    CHECK(page.status == 200);
    CHECK(says(page.head, "Content-Security-Policy: default-src 'none'"));
    const auto outcome = service.end(signal);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out == "serving " + std::to_string(people().pictures.size()) +
                             " images at http://127.0.0.1:" + std::to_string(port) + "/ (Ctrl-C ends it)\n");
    CHECK(says(outcome.err, "note: the service has ended\n"));
  }
}

TEST_CASE("a folder of images is served as it is, and features without their images have no pictures") {
  if (built_without_serve()) return;
  const auto first_match = [](const Service& service) {
    const auto answer = search(service.port(), read_bytes(people().pictures.front()), "?top=1");
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return nlohmann::json::parse(answer.body)["matches"][0];
  };
  const Service of_images({}, {"--gallery", people().images});
  auto match = first_match(of_images);
  CHECK(people().pictures.front().ends_with("/" + std::string(match["id"])));
  CHECK(http(of_images.port(), "GET", match["thumbnail"]).status == 200);
  const Service bare({}, {"--gallery", people().gallery});
  match = first_match(bare);
  CHECK(people().pictures.front().ends_with("/" + std::string(match["id"])));
  CHECK(match["thumbnail"].is_null());
  CHECK(http(bare.port(), "GET", "/api/v1/thumbnail?id=" + std::string(match["id"])).status == 404);
}

TEST_CASE("the images of a manifest have thumbnails") {
  if (built_without_serve()) return;
  std::string text = "path,split\n";
  for (const std::size_t place : {0, 1, 2}) {
    text +=
        fs::path(people().pictures[place]).lexically_relative(people().folder.path()).string() + ",gallery\n";
  }
  const auto list = people().folder.write("list.csv", text);
  const Service service({}, {"--gallery", list.string(), "--data", people().images});
  const auto answer = search(service.port(), read_bytes(people().pictures[1]), "?top=3");
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  const auto matches = nlohmann::json::parse(answer.body)["matches"];
  REQUIRE(matches.size() == 3);
  for (const auto& match : matches) {
    const auto thumbnail = http(service.port(), "GET", match["thumbnail"]);
    CHECK(thumbnail.status == 200);
    CHECK(thumbnail.body.starts_with("\xFF\xD8"));
  }
}

TEST_CASE("the largest picture stays what the option says, also after a search") {
  if (built_without_serve()) return;
  const Service service({"--max-megapixels", "0.01"});
  const auto picture = read_bytes(people().pictures.front());
  for (int i = 0; i < 3; ++i) {
    const auto answer = search(service.port(), png_of(101, 100));
    CHECK(answer.status == 413);
    CHECK(says(answer.body, "the picture has 101 x 100 pixels (width x height), more than the 10000 pixels"));
    CHECK(search(service.port(), picture).status == 200);
    CHECK(search(service.port(), png_of(100, 100)).status == 200);
  }
}

TEST_CASE("bad uploads and bad requests get an answer, cost little memory, and leave the service as it was") {
  if (built_without_serve()) return;
  Service service({"--max-seconds", "2"});
  const auto port = service.port();
  const auto picture = read_bytes(people().pictures.front());
  const auto before = search(port, picture);
  REQUIRE(before.status == 200);
  const auto memory = peak_memory(service.pid());
  const auto bomb = png_bomb();
  CHECK(bomb.size() < 1'000'000);

  CHECK(search(port, "not an image").status == 415);
  CHECK(search(port, "<!DOCTYPE html><script>alert(1)</script>").status == 415);
  CHECK(search(port, "").status == 400);
  CHECK(search(port, picture.substr(0, picture.size() / 2)).status == 422);
  auto answer = search(port, bomb);
  CHECK(answer.status == 413);
  CHECK(says(answer.body, "the picture has 30000 x 30000 pixels"));
  answer = search(port, std::string(50'000'000, 'x'));
  CHECK(answer.status == 413);
  CHECK(says(answer.body, "the upload is larger than 10485760 bytes"));
  CHECK(search(port, picture, "", "multipart/form-data; boundary=x").status == 415);
  CHECK(
      search(port,
             "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"../../etc/passwd\"\r\n\r\n" +
                 picture,
             "", "multipart/form-data; boundary=x")
          .status == 415);
  CHECK(search(port, picture, "?top=0").status == 400);
  {
    const HttpConnection slow(port);  // never sends what it promises
    slow.send(
        "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: "
        "1000\r\n\r\n" +
        picture.substr(0, 100));
    CHECK(search(port, picture).status == 200);
    CHECK(slow.receive().status == 408);
  }
  {
    const HttpConnection gone(port);  // goes away in the middle
    gone.send("POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc");
  }
  CHECK(http(port, "GET", "/", "Host: evil.example\r\n").status == 403);

  // Names of files, in every spelling, where an id or an address is expected.
  const std::string secret = (people().folder / "secret.png").string();
  fs::copy_file(people().pictures.front(), secret, fs::copy_options::overwrite_existing);
  fs::create_symlink(secret, people().images + "/bounding_box_test/link.png");
  for (const std::string name :
       {"../secret.png", "..%2Fsecret.png", "%2e%2e/secret.png", "..%5csecret.png", "/etc/passwd",
        "%2Fetc%2Fpasswd", "bounding_box_test/../../secret.png", "bounding_box_test/link.png", "link.png",
        "....//secret.png", "bounding_box_test%00.png", "%252e%252e%252fsecret.png", "file:///etc/passwd"}) {
    CAPTURE(name);
    for (const std::string& target :
         {"/" + name, "/api/v1/thumbnail?id=" + name, "/api/v1/" + name, "//" + name}) {
      const auto got = http(port, "GET", target);
      CHECK(got.status == 404);
      CHECK(!says(got.body, "root:"));
      CHECK(!says(got.body, "PNG"));
      CHECK(!says(got.body, "\xFF\xD8"));
    }
  }
  CHECK(http(port, "GET", "/api/v1/thumbnail?id=" + secret).status == 404);

  REQUIRE(service.running());
  const auto after = search(port, picture);
  CHECK(nlohmann::json::parse(after.body)["matches"] == nlohmann::json::parse(before.body)["matches"]);
  // The bomb alone would be 2.7 GB.
  CHECK(peak_memory(service.pid()) - memory < 200'000);
  const auto metrics = http(port, "GET", "/metrics").body;
  CHECK(says(metrics, "kindred_requests_refused_total{reason=\"too_large\"} 1\n"));
  CHECK(says(metrics, "kindred_requests_refused_total{reason=\"host\"} 1\n"));
  CHECK(says(metrics, "kindred_requests_total{route=\"search\",status=\"413\"} 1\n"));
  CHECK(service.end(SIGTERM).exit_code == 0);
}

TEST_CASE("under the load of another process all are answered, and rightly") {
  if (built_without_serve()) return;
  Service service({"--max-requests", "4"});
  const auto port = service.port();
  const auto picture = read_bytes(people().pictures.front());
  const auto other = read_bytes(people().pictures.back());
  const auto expected = nlohmann::json::parse(search(port, picture).body)["matches"];
  const auto load = fork();
  REQUIRE(load >= 0);
  if (load == 0) {
    // Only 200 and, when there are too many, 503; each the answer to its own picture.
    std::atomic<bool> good = true;
    std::atomic<int> answered = 0;
    std::vector<std::thread> clients;
    const auto begin = std::chrono::steady_clock::now();
    // Longer on a machine that is busy with something else.
    const auto goes_on = [&] {
      const auto passed = std::chrono::steady_clock::now() - begin;
      return passed < std::chrono::seconds(2) || (answered <= 50 && passed < std::chrono::seconds(60));
    };
    for (int i = 0; i < 16; ++i) {
      clients.emplace_back([&, i] {
        while (goes_on()) {
          const auto answer = i % 4 == 0   ? http(port, "GET", "/api/v1/gallery")
                              : i % 4 == 1 ? http(port, "GET", "/")
                                           : search(port, i % 4 == 2 ? picture : other, "?top=1");
          if (answer.status != 200 && answer.status != 503) good = false;
          if (answer.status == 200) ++answered;
        }
      });
    }
    for (auto& client : clients) client.join();
    _exit(good && answered > 50 ? 0 : 1);
  }
  int done = 0;
  int status = 0;
  while (waitpid(load, &status, WNOHANG) == 0) {
    const auto answer = search(port, picture);
    if (answer.status == 503) continue;
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    CHECK(nlohmann::json::parse(answer.body)["matches"] == expected);
    ++done;
  }
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(done > 0);
  CHECK(http(port, "GET", "/healthz").status == 200);
  CHECK(service.end(SIGTERM).exit_code == 0);
}

TEST_CASE("what cannot be served is said before anything is served") {
  if (built_without_serve()) return;
  const auto& all = people();
  const TemporaryFolder folder;
  const auto serve = [&](const std::vector<std::string>& words) {
    std::vector<std::string> command{"serve"};
    command.insert(command.end(), words.begin(), words.end());
    const auto outcome = kindred(command, folder.path());
    CHECK(outcome.exit_code != 0);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  const std::vector<std::string> good{"--weights", all.weights, "--gallery", all.gallery};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), good.begin(), good.end());
    return more;
  };
  CHECK(says(serve({"--weights", all.weights}), "--gallery"));
  CHECK(says(serve({"--weights", all.weights, "--gallery", (folder / "none").string(), "--port", "0"}),
             "none"));
  CHECK(says(serve({"--weights", (folder / "none").string(), "--gallery", all.gallery, "--port", "0"}),
             "does not exist"));
  CHECK(says(serve(with({"--data", (folder / "none").string(), "--port", "0"})),
             "none: error: cannot be opened"));
  CHECK(says(serve(with({"--port", "70000"})), "--port"));
  CHECK(
      says(serve(with({"--host", "203.0.113.7"})), "serve: error: cannot listen at 203.0.113.7, port 8080"));
  Service service;
  CHECK(says(serve(with({"--port", std::to_string(service.port())})), "the port is in use"));
  // Before the images of a gallery are embedded.
  const auto refused =
      serve({"--weights", all.weights, "--gallery", all.images, "--port", std::to_string(service.port())});
  CHECK(says(refused, "the port is in use"));
  CHECK_FALSE(says(refused, "embed"));
}

TEST_CASE("the page works in a browser, by mouse and by keyboard, light and dark") {
  if (built_without_serve()) return;
  const auto programs = browser();
  if (programs.empty() || std::system("python3 -c '' 2>/dev/null") != 0) {
    MESSAGE("skipped: needs chromium, chromedriver (Debian: chromium-driver) and python3");
    return;
  }
  Service service;
  const TemporaryFolder folder;
  const auto text = folder.write("text.png", "this is no picture");
  std::vector<std::string> command{"/usr/bin/env",
                                   "python3",
                                   std::string(source_directory) + "/tests/e2e/serve_page.py",
                                   programs[0],
                                   programs[1],
                                   "http://127.0.0.1:" + std::to_string(service.port()) + "/",
                                   people().pictures[people().pictures.size() / 2],
                                   text.string(),
                                   std::to_string(people().pictures.size())};
  if (const auto* screenshots = std::getenv("KINDRED_SCREENSHOTS")) command.emplace_back(screenshots);
  const auto outcome = Program(command, folder.path()).wait();
  CHECK_MESSAGE(outcome.exit_code == 0, outcome.out, outcome.err);
  CHECK(outcome.out == "the page works\n");
  CHECK(service.running());
}

}  // namespace kindred::test
