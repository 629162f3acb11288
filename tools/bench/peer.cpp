#include "peer.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "common.h"
#include "kindred/core/error.h"

extern "C" char** environ;

namespace kindred::bench {
namespace {

/// Starts a program whose standard input and output are `channel`.
pid_t start(const std::vector<std::string>& command, int channel) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, channel, STDOUT_FILENO);
  pid_t process = -1;
  const int failure =
      ::posix_spawnp(&process, arguments.front(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure != 0)
    throw Error("bench: error: cannot start '" + command.front() + "': " + std::strerror(failure));
  return process;
}

}  // namespace

Peer::Peer(std::string name, const std::vector<std::string>& command, const nlohmann::json& work)
    : name_(std::move(name)) {
  // A socket, not two pipes: writing to a program that has ended is then an error and no signal.
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw Error(std::string("bench: error: no channel to another program: ") + std::strerror(errno));
  }
  channel_ = ends[0];
  try {
    process_ = start(command, ends[1]);
    ::close(ends[1]);
    ends[1] = -1;
    about_ = ask(work);
  } catch (...) {
    if (ends[1] >= 0) ::close(ends[1]);
    stop();
    throw;
  }
}

Peer::~Peer() {
  stop();
}

void Peer::stop() {
  if (channel_ >= 0) ::close(channel_);
  channel_ = -1;
  if (process_ < 0) return;
  // Its input has ended; a program that does not mind is ended too.
  constexpr int patience = 100;
  for (int i = 0; i < patience; ++i) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) {
      process_ = -1;
      return;
    }
    ::usleep(20000);
  }
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

nlohmann::json Peer::ask(const nlohmann::json& question) {
  const auto line = question.dump() + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const auto count = ::send(channel_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Error("bench: error: " + name_ + " has ended: see its messages above");
    sent += static_cast<std::size_t>(count);
  }
  auto end = unread_.find('\n');
  while (end == std::string::npos) {
    char bytes[4096];
    const auto count = ::read(channel_, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      throw Error("bench: error: " + name_ + " ended without an answer: see its messages above");
    unread_.append(bytes, static_cast<std::size_t>(count));
    end = unread_.find('\n');
  }
  const auto text = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  auto answer = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object())
    throw Error("bench: error: " + name_ + " answered '" + text + "', which is not JSON");
  const auto error = answer.find("error");
  if (error != answer.end()) {
    throw Error("bench: error: " + name_ + ": " +
                (error->is_string() ? error->get<std::string>() : error->dump()));
  }
  return answer;
}

double Peer::run(std::int64_t steps) {
  const auto answer = ask({{"steps", steps}});
  const auto seconds = answer.find("seconds");
  if (seconds == answer.end() || !seconds->is_number() || !(seconds->get<double>() > 0)) {
    throw Error("bench: error: " + name_ + " answered '" + answer.dump() + "' instead of seconds");
  }
  return seconds->get<double>();
}

bool run_program(const std::vector<std::string>& command) {
  int status = 0;
  ::waitpid(start(command, STDERR_FILENO), &status, 0);
  return status == 0;
}

std::vector<std::string> pytorch_command(const std::string& python) {
  if (!run_program({python, "-c", "import torch"})) {
    throw Error(
        "bench: error: '" + python +
        "' cannot import torch (its message is above); name a Python that has PyTorch with --python, or "
        "leave out --pytorch");
  }
  return {python, (scripts_folder() / "peer.py").string()};
}

}  // namespace kindred::bench
