#include "program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>

#include "temporary_folder.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void redirect(const std::filesystem::path& file, int to) {
  const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (opened < 0 || dup2(opened, to) < 0) _exit(126);
  close(opened);
}

}  // namespace

Program::Program(std::vector<std::string> command, const std::filesystem::path& scratch) {
  static int count = 0;
  const std::string number = std::to_string(++count);
  out_ = scratch / (number + ".out");
  err_ = scratch / (number + ".err");
  std::vector<char*> arguments;
  for (auto& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    redirect(out_, STDOUT_FILENO);
    redirect(err_, STDERR_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
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
