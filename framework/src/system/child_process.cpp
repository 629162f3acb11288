#include "system/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <system_error>

#include "kindred/core/error.h"

namespace kindred::system {
namespace {

[[noreturn]] void refuse_start(const std::string& program, int error) {
  throw Error(program + ": error: cannot be started: " + std::generic_category().message(error));
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// The given variables, and this program's others.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& given) {
  std::vector<std::string> all;
  for (const auto& [name, value] : given) all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view own(*entry);
    const bool is_given = std::any_of(given.begin(), given.end(), [&](const auto& variable) {
      return own.starts_with(variable.first + "=");
    });
    if (!is_given) all.emplace_back(own);
  }
  return all;
}

void await_end(pid_t id) {
  while (::waitpid(id, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

std::string Ending::text() const {
  if (signal == 0) return "ended with exit code " + std::to_string(exit_code);
  const char* description = ::strsignal(signal);
  return "was ended by signal " + std::to_string(signal) +
         (description == nullptr ? "" : " (" + std::string(description) + ")");
}

ChildProcess::Pipe::~Pipe() {
  close_write_end();
  if (read_ >= 0) ::close(read_);
}

bool ChildProcess::Pipe::open() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  read_ = ends[0];
  write_ = ends[1];
  ::fcntl(read_, F_SETFL, O_NONBLOCK);
  return true;
}

void ChildProcess::Pipe::close_write_end() {
  if (write_ >= 0) ::close(write_);
  write_ = -1;
}

std::string ChildProcess::Pipe::read() {
  std::string text;
  std::array<char, 4096> piece{};
  while (read_ >= 0) {
    const auto count = ::read(read_, piece.data(), piece.size());
    if (count > 0) {
      text.append(piece.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
      ::close(read_);
      read_ = -1;
    } else if (errno != EINTR) {
      break;  // nothing more for now
    }
  }
  return text;
}

ChildProcess::ChildProcess(const ChildCommand& command) {
  auto arguments = command.arguments;
  auto environment = environment_with(command.environment);
  const auto argument_pointers = pointers(arguments);
  const auto environment_pointers = pointers(environment);
  Pipe failure;  // closed by a successful start
  if ((command.out == Output::kept && !out_.open()) || (command.err == Output::kept && !err_.open()) ||
      !failure.open()) {
    refuse_start(arguments.front(), errno);
  }
  const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nothing < 0) refuse_start(arguments.front(), errno);
  // Whoever started this program may have had it ignored, and then nobody learns how a child has ended.
  ::signal(SIGCHLD, SIG_DFL);
  const auto parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) {
    // Other threads do not exist here: nothing but system calls.
    const auto redirect = [&](Output to, int kept, int descriptor) {
      if (to != Output::shared) ::dup2(to == Output::kept ? kept : nothing, descriptor);
    };
    redirect(command.out, out_.write_end(), STDOUT_FILENO);
    redirect(command.err, err_.write_end(), STDERR_FILENO);
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::execve(argument_pointers.front(), argument_pointers.data(), environment_pointers.data());
    const int error = errno;
    static_cast<void>(!::write(failure.write_end(), &error, sizeof error));
    ::_exit(127);
  }
  const int fork_error = errno;
  ::close(nothing);
  if (id_ < 0) refuse_start(arguments.front(), fork_error);
  ::setpgid(id_, id_);
  out_.close_write_end();
  err_.close_write_end();
  failure.close_write_end();
  int error = 0;
  pollfd news{failure.read_end(), POLLIN, 0};
  while (::poll(&news, 1, -1) < 0 && errno == EINTR) continue;
  if (const auto told = failure.read(); told.size() == sizeof error) {
    std::memcpy(&error, told.data(), sizeof error);
    await_end(id_);
    id_ = -1;
    refuse_start(arguments.front(), error);
  }
}

ChildProcess::~ChildProcess() {
  if (id_ < 0 || ending()) return;
  ::kill(id_, SIGKILL);
  await_end(id_);
}

const std::optional<Ending>& ChildProcess::ending() {
  int status = 0;
  if (!ending_ && ::waitpid(id_, &status, WNOHANG) == id_) {
    ending_ = WIFEXITED(status) ? Ending{WEXITSTATUS(status), 0} : Ending{0, WTERMSIG(status)};
  }
  return ending_;
}

void ChildProcess::send(int signal) {
  if (!ending()) ::kill(id_, signal);
}

void ChildProcess::await_output(const std::vector<ChildProcess*>& children,
                                std::chrono::milliseconds longest) {
  std::vector<pollfd> waited;
  for (const auto* child : children) {
    for (const int descriptor : {child->out_.read_end(), child->err_.read_end()}) {
      if (descriptor >= 0) waited.push_back({descriptor, POLLIN, 0});
    }
  }
  ::poll(waited.data(), waited.size(), static_cast<int>(longest.count()));
}

}  // namespace kindred::system
