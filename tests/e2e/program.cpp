#include "program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <utility>

#include "launcher_host.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int opened(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) throw std::runtime_error("cannot write " + file.string());
  return descriptor;
}

pid_t execute(std::vector<std::string>& command, int out, int err) {
  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid > 0) return pid;
  if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

pid_t launch(const std::vector<std::string>& command, int out, int err) {
  static std::unique_ptr<LauncherHost> host;
  if (host == nullptr || !host->has_this_environment()) host = std::make_unique<LauncherHost>();
  return host->start(command, out, err);
}

}  // namespace

Program::Program(std::vector<std::string> command, const std::filesystem::path& scratch) {
  static int count = 0;
  const std::string number = std::to_string(++count);
  out_ = scratch / (number + ".out");
  err_ = scratch / (number + ".err");
  const int out = opened(out_);
  const int err = opened(err_);
  pid_ = command.front() == launcher ? launch(command, out, err) : execute(command, out, err);
  close(out);
  close(err);
}

Program::~Program() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void Program::send(int signal) const {
  kill(pid_, signal);
}

bool Program::running() const {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid == 0;
}

std::string Program::printed() const {
  return read_bytes(out_);
}

Outcome Program::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return {exit_code_of(status), read_bytes(out_), read_bytes(err_)};
}

Outcome kindred(std::vector<std::string> arguments, const std::filesystem::path& scratch) {
  arguments.insert(arguments.begin(), launcher);
  return Program(std::move(arguments), scratch).wait();
}

}  // namespace kindred::test
