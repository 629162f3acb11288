// A library for LD_PRELOAD. The program that it is loaded into does not run its main, but does so in a new
// process whenever it is asked to (hosted_launcher.h): all libraries are loaded by then.
#include "hosted_launcher.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using kindred::test::host_socket;
using kindred::test::HostedDescriptors;
using Main = int (*)(int, char**, char**);
using StartMain = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);

Main program_main = nullptr;

struct Request {
  std::string arguments;
  HostedDescriptors descriptors{};
};

/// Ends the process once nobody asks any more.
Request next_request() {
  Request request;
  request.arguments.resize(1 << 20);
  iovec bytes{request.arguments.data(), request.arguments.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof request.descriptors)] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto size = recvmsg(host_socket, &message, 0);
  if (size <= 0) _exit(0);
  const auto* const header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_len != CMSG_LEN(sizeof request.descriptors)) _exit(1);
  std::memcpy(request.descriptors.data(), CMSG_DATA(header), sizeof request.descriptors);
  request.arguments.resize(static_cast<std::size_t>(size));
  return request;
}

void take(const HostedDescriptors& descriptors) {
  if (fchdir(descriptors[0]) != 0) _exit(126);
  for (int standard = 0; standard < 3; ++standard) {
    if (dup2(descriptors[static_cast<std::size_t>(standard) + 1], standard) < 0) _exit(126);
  }
}

void close_all(const HostedDescriptors& descriptors) {
  for (const int descriptor : descriptors) close(descriptor);
}

/// Comes back in the new process, which has lost its parent and so belongs to whoever asked for it.
Request serve() {
  void* const shared =
      mmap(nullptr, sizeof(pid_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) _exit(1);
  auto* const started = static_cast<volatile pid_t*>(shared);
  while (true) {
    auto request = next_request();
    *started = -1;
    const pid_t parent = fork();
    if (parent == 0) {
      const pid_t child = fork();
      if (child == 0) {
        munmap(shared, sizeof(pid_t));
        close(host_socket);
        take(request.descriptors);
        close_all(request.descriptors);
        return request;
      }
      *started = child;
      _exit(0);
    }
    if (parent > 0) waitpid(parent, nullptr, 0);
    close_all(request.descriptors);
    const pid_t answer = *started;
    if (send(host_socket, &answer, sizeof answer, MSG_NOSIGNAL) < 0) _exit(1);
  }
}

int run_when_asked(int /*count*/, char** /*arguments*/, char** /*environment*/) {
  unsetenv("LD_PRELOAD");
  static Request request = serve();
  static std::vector<char*> arguments;
  for (std::size_t at = 0; at < request.arguments.size(); at += std::strlen(arguments.back()) + 1)
    arguments.push_back(request.arguments.data() + at);
  const auto count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  return program_main(count, arguments.data(), environ);
}

}  // namespace

/// Of the C library; a program calls it with its main.
extern "C" int __libc_start_main(Main main, int count, char** arguments, void (*init)(), void (*fini)(),
                                 void (*loader_fini)(), void* stack) {
  program_main = main;
  const auto start = reinterpret_cast<StartMain>(dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(run_when_asked, count, arguments, init, fini, loader_fini, stack);
}
