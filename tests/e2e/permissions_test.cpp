// Files and folders that another user may not read or write. Root may do everything, so it runs the launcher
// as nobody.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "program.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

namespace fs = std::filesystem;

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The launcher, with no more permissions than anybody has.
Outcome kindred_of_anybody(const TemporaryFolder& folder, const std::vector<std::string>& arguments) {
  std::vector<std::string> command;
  if (::geteuid() == 0) command = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  command.push_back(launcher);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Program(std::move(command), folder.path()).wait();
}

/// Permissions of a file or folder while it lives.
class Permissions {
 public:
  Permissions(fs::path path, fs::perms permissions)
      : path_(std::move(path)), before_(fs::status(path_).permissions()) {
    fs::permissions(path_, permissions);
  }
  ~Permissions() {
    std::error_code ignored;
    fs::permissions(path_, before_, ignored);
  }
  Permissions(const Permissions&) = delete;
  Permissions& operator=(const Permissions&) = delete;

 private:
  fs::path path_;
  fs::perms before_;
};

struct Stock {
  TemporaryFolder folder;
  std::string data = (folder / "data").string();
  std::string model = (folder / "run/model/model.safetensors").string();
  std::string features = (folder / "run/features").string();

  /// Made by who runs the test; everybody may read it and write into "out".
  Stock() {
    const auto recipe = std::string(source_directory) + "/tests/e2e/tiny.toml";
    REQUIRE(kindred({"data", "convert", recipe, "--layout", "market1501", "--out", data}, folder.path())
                .exit_code == 0);
    REQUIRE(kindred({"run", recipe, "--run-dir", (folder / "run").string()}, folder.path()).exit_code == 0);
    fs::permissions(folder.path(), fs::perms::all);
    fs::create_directory(folder / "out");
    fs::permissions(folder / "out", fs::perms::all);
  }

  /// @return whether nobody can run the launcher where this was built, as not below a closed home folder
  [[nodiscard]] bool is_closed() const {
    if (kindred_of_anybody(folder, {"--version"}).exit_code == 0) return false;
    MESSAGE("left out: another user cannot start " << launcher);
    return true;
  }
  [[nodiscard]] std::string error_of(const std::vector<std::string>& arguments) const {
    const auto outcome = kindred_of_anybody(folder, arguments);
    CHECK(outcome.exit_code == 1);
    CHECK_FALSE(holds(outcome.err, "unexpected"));
    return outcome.err;
  }
  [[nodiscard]] std::vector<std::string> embedding(const std::string& name) const {
    return {"embed", "--weights", model, "--data", data, "--out", (folder / name).string()};
  }
};

TEST_CASE("what may not be read or written is named, and never taken for something that is not there") {
  const Stock stock;
  if (stock.is_closed()) return;
  const auto query = fs::directory_iterator(stock.data + "/query")->path();
  {
    const Permissions closed(query, fs::perms::none);
    CHECK(holds(stock.error_of(stock.embedding("out/a")),
                query.string() + ": error: cannot be opened: Permission denied"));
    auto skipping = stock.embedding("out/a");
    skipping.insert(skipping.end(), {"--set", "loader.skip_bad_images=true"});
    const auto outcome = kindred_of_anybody(stock.folder, skipping);
    CHECK(outcome.exit_code == 0);
    CHECK(holds(outcome.err,
                "1 of 18 query images cannot be read and are skipped; the first: " + query.string()));
  }
  {
    const Permissions closed(query.parent_path(), fs::perms::none);
    CHECK(
        holds(stock.error_of(stock.embedding("out/b")), "query: error: cannot be listed: Permission denied"));
  }
  {
    // Whichever is looked into first.
    for (const auto* name : {"plain/a/1.jpg", "plain/b/2.jpg", "plain/c/3.jpg"}) {
      fs::create_directories((stock.folder / name).parent_path());
      fs::copy_file(query, stock.folder / name);
    }
    for (const auto* name : {"plain/a", "plain/b", "plain/c"}) {
      const Permissions closed(stock.folder / name, fs::perms::none);
      const auto plain = (stock.folder / "plain").string();
      CHECK(holds(stock.error_of({"data", "doctor", plain}),
                  (stock.folder / name).string() + ": error: cannot be listed: Permission denied"));
    }
    fs::create_directory(stock.folder / "linked");
    fs::copy_file(query, stock.folder / "linked/1.jpg");
    fs::create_directory_symlink(stock.folder / "plain/a", stock.folder / "linked/a");
    const Permissions closed(stock.folder / "plain", fs::perms::none);
    CHECK(holds(stock.error_of({"data", "doctor", (stock.folder / "linked").string()}),
                "linked/a: error: cannot be listed: Permission denied"));
    CHECK(holds(stock.error_of({"data", "doctor", (stock.folder / "plain/a").string()}),
                "plain/a: error: cannot be read: Permission denied"));
  }
  {
    const Permissions closed(stock.model, fs::perms::none);
    CHECK(holds(stock.error_of(stock.embedding("out/c")),
                "model.safetensors: error: cannot be read: Permission denied"));
  }
  {
    // A folder that cannot be looked into may hold features, and what a stage has made.
    const Permissions closed(stock.features, fs::perms::none);
    const auto run = (stock.folder / "run").string();
    for (const std::vector<std::string>& command : {std::vector<std::string>{"evaluate", run},
                                                    {"evaluate", stock.features},
                                                    {"match", run, "--out", run}}) {
      CAPTURE(command[1]);
      const auto error = stock.error_of(command);
      CHECK(holds(error, "Permission denied"));
      CHECK(holds(error, stock.features));
    }
    const auto page = stock.folder / "out/report.html";
    REQUIRE(kindred_of_anybody(stock.folder, {"report", run, "--out", page.string()}).exit_code == 0);
    CHECK(holds(read_bytes(page), "features/stage.json: error: cannot be read: Permission denied"));
  }
  {
    const auto before = read_bytes(stock.features + "/query.npy");
    CHECK(holds(stock.error_of(stock.embedding("run/features")),
                "features: error: cannot be written: Permission denied"));
    CHECK(read_bytes(stock.features + "/query.npy") == before);
    CHECK(holds(stock.error_of({"run", std::string(source_directory) + "/tests/e2e/tiny.toml", "--run-dir",
                                (stock.folder / "run").string()}),
                "run: error: cannot be used as a run directory: Permission denied"));
  }
}

}  // namespace
}  // namespace kindred::test
