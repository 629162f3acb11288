#include "launcher_host.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "hosted_launcher.h"
#include "test_paths.h"

namespace kindred::test {
namespace {

std::vector<std::string> this_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

LauncherHost::LauncherHost() : environment_(this_environment()) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("socketpair failed");
  socket_ = ends[0];
  auto variables = environment_;
  variables.push_back(std::string("LD_PRELOAD=") + build_directory + "/tests/lib/libhosted_launcher.so");
  std::vector<std::string> command{launcher};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], host_socket);
  const int error = posix_spawn(&pid_, launcher, &actions, nullptr, pointers_to(command).data(),
                                pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(socket_);
    throw std::runtime_error(std::string("cannot start the launcher: ") + std::strerror(error));
  }
}

LauncherHost::~LauncherHost() {
  close(socket_);
  waitpid(pid_, nullptr, 0);
}

bool LauncherHost::has_this_environment() const {
  return environment_ == this_environment();
}

pid_t LauncherHost::start(const std::vector<std::string>& command, int out, int err) const {
  std::string arguments;
  for (const auto& argument : command) arguments.append(argument).push_back('\0');
  const int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  const HostedDescriptors descriptors{folder, STDIN_FILENO, out, err};
  iovec bytes{arguments.data(), arguments.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptors)] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof descriptors);

  // The process becomes a child of this one as its parent ends.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t pid = -1;
  const bool done = sendmsg(socket_, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(arguments.size()) &&
                    recv(socket_, &pid, sizeof pid, 0) == static_cast<ssize_t>(sizeof pid) && pid > 0;
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  close(folder);
  if (!done) throw std::runtime_error("the launcher's host has started no process");
  return pid;
}

}  // namespace kindred::test
