#include "onnx_runtime.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <torch/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "kindred/core/error.h"
#include "run_onnx.h"

extern char** environ;  // NOLINT: POSIX's

namespace kindred::onnx {
namespace {

namespace fs = std::filesystem;

/// Files that two processes exchange, in the folder of the model: who made that one removes it if this
/// process is killed.
class ExchangeFolder {
 public:
  explicit ExchangeFolder(const fs::path& parent) {
    auto name = (parent / ".onnx-runtime-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw DataError(name, "cannot be created: " + std::generic_category().message(errno));
    }
    path_ = name;
  }
  ~ExchangeFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ExchangeFolder(const ExchangeFolder&) = delete;
  ExchangeFolder& operator=(const ExchangeFolder&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write_file(const fs::path& file, const void* bytes, std::size_t count) {
  std::ofstream out(file, std::ios::binary);
  out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
  out.close();
  if (!out) throw DataError(file, "cannot be written: " + std::generic_category().message(errno));
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();  // what of it can be read: it only explains an error
  return text.str();
}

/// What a traceback ends in.
std::string last_line(const std::string& text) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

std::string numpy_type(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat:
      return "float32";
    case torch::kByte:
      return "uint8";
    case torch::kLong:
      return "int64";
    default:
      throw std::logic_error(std::string("no input of an exported model is of type ") +
                             torch::toString(type));
  }
}

void write_request(const fs::path& folder, const std::vector<std::string>& names,
                   const std::vector<std::vector<torch::Tensor>>& batches) {
  std::string request;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    for (std::size_t j = 0; j < batches[i].size(); ++j) {
      const auto tensor = batches[i][j].contiguous();
      const auto file = std::to_string(i) + "_" + std::to_string(j) + ".in";
      request += std::to_string(i) + " " + names.at(j) + " " + numpy_type(tensor.scalar_type()) + " " + file;
      for (const auto size : tensor.sizes()) request += " " + std::to_string(size);
      request += "\n";
      write_file(folder / file, tensor.data_ptr(), tensor.nbytes());
    }
  }
  write_file(folder / "request.txt", request.data(), request.size());
}

/// The exit status; 127 when the program does not exist.
int run_program(const std::vector<std::string>& words, const fs::path& out, const fs::path& errors) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT: POSIX's
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  pid_t process = 0;
  const int failure = posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return 127;
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return 127;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ExportRun run_in_onnx_runtime(const std::string& python, const fs::path& model,
                              const std::vector<std::string>& names,
                              const std::vector<std::vector<torch::Tensor>>& batches) {
  const ExchangeFolder folder(fs::absolute(model).parent_path());
  write_request(folder.path(), names, batches);
  const auto out = folder.path() / "stdout";
  const auto errors = folder.path() / "stderr";
  const int status = run_program(
      {python, "-c", run_onnx_program, fs::absolute(model).string(), folder.path().string()}, out, errors);
  ExportRun run;
  constexpr int missing_package = 3;
  constexpr int missing_program = 127;
  if (status == missing_program || status == missing_package) {
    run.why_not = status == missing_program ? "there is no program '" + python + "'"
                                            : python + ": " + last_line(text_of(errors));
    run.why_not +=
        "; install ONNX Runtime (pip install onnxruntime), and name the Python that has it in KINDRED_PYTHON";
    return run;
  }
  if (status != 0) {
    const auto said = last_line(text_of(errors));
    throw ComponentError("exporter/onnx",
                         "ONNX Runtime does not run the file: " +
                             (said.empty() ? "it ended with " + std::to_string(status) : said));
  }
  std::istringstream said(text_of(out));
  std::string version;
  std::getline(said, version);
  run.runtime = "ONNX Runtime " + version;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    std::int64_t images = 0;
    std::int64_t dim = 0;
    const auto bytes = text_of(folder.path() / (std::to_string(i) + ".out"));
    if (!(said >> images >> dim) || images < 0 || dim < 0 ||
        bytes.size() != static_cast<std::size_t>(images * dim) * sizeof(float)) {
      throw ComponentError("exporter/onnx", "the output in ONNX Runtime is no matrix");
    }
    auto rows = torch::empty({images, dim});
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(rows.data_ptr()));
    run.outputs.push_back(rows);
  }
  return run;
}

}  // namespace kindred::onnx
