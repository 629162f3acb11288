#include "system/child_process.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::system;

namespace {

ChildCommand shell(const std::string& script) {
  return {{"/bin/sh", "-c", script}, {}, Output::kept, Output::kept};
}

Ending wait_for(ChildProcess& child) {
  while (!child.ending()) ChildProcess::await_output({&child}, std::chrono::milliseconds(20));
  return *child.ending();
}

/// Waits for a text on standard output.
void wait_for_output(ChildProcess& child, const std::string& text) {
  std::string printed;
  while (printed.find(text) == std::string::npos && !child.ending()) {
    ChildProcess::await_output({&child}, std::chrono::milliseconds(20));
    printed += child.read_out();
  }
}

TEST_CASE("a child's outputs are read apart, with all that it printed before its end") {
  ChildProcess child(shell("printf out; printf err >&2; head -c 30000 /dev/zero; exit 3"));
  std::string out;
  std::string err;
  while (!child.ending()) {
    ChildProcess::await_output({&child}, std::chrono::milliseconds(20));
    out += child.read_out();
    err += child.read_err();
  }
  out += child.read_out();
  err += child.read_err();
  CHECK(out.size() == 30003);
  CHECK(out.starts_with("out"));
  CHECK(err == "err");
  CHECK(child.ending()->exit_code == 3);
  CHECK_FALSE(child.ending()->is_success());
  CHECK(child.ending()->text() == "ended with exit code 3");
}

TEST_CASE("variables are added to those of this program, and win over them") {
  ::setenv("KINDRED_TEST_OWN", "own", 1);
  ::setenv("KINDRED_TEST_BOTH", "own", 1);
  auto command = shell("printf %s \"$KINDRED_TEST_OWN $KINDRED_TEST_BOTH $KINDRED_TEST_GIVEN\"");
  command.environment = {{"KINDRED_TEST_BOTH", "given"}, {"KINDRED_TEST_GIVEN", "a=b c"}};
  ChildProcess child(command);
  CHECK(wait_for(child).is_success());
  CHECK(child.read_out() == "own given a=b c");
}

TEST_CASE("a child that a signal ends says which") {
  ChildProcess child(shell("printf ready; sleep 60"));
  wait_for_output(child, "ready");
  child.send(SIGKILL);
  const auto ending = wait_for(child);
  CHECK(ending.signal == SIGKILL);
  CHECK(ending.text() == "was ended by signal 9 (Killed)");
  child.send(SIGKILL);  // nobody else may get it
}

TEST_CASE("a program that is not there is an error, and output that is not kept is not read") {
  std::string text;
  try {
    const ChildProcess child({{"/no/such/program"}, {}, Output::dropped, Output::dropped});
  } catch (const Error& error) {
    text = error.what();
  }
  CHECK(text == "/no/such/program: error: cannot be started: No such file or directory");
  ChildProcess quiet({{"/bin/sh", "-c", "echo out; echo err >&2"}, {}, Output::dropped, Output::dropped});
  CHECK(wait_for(quiet).is_success());
  CHECK(quiet.read_out() == "");
  CHECK(quiet.read_err() == "");
}

TEST_CASE("how a child has ended is known though this program was started to ignore that") {
  ::signal(SIGCHLD, SIG_IGN);
  ChildProcess child(shell("exit 3"));
  for (int glance = 0; glance < 250 && !child.ending(); ++glance) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  REQUIRE(child.ending());
  CHECK(child.ending()->exit_code == 3);
}

TEST_CASE("a child does not outlive its object") {
  const test::TemporaryFolder folder;
  const auto file = folder / "outlived";
  {
    ChildProcess child(shell("printf ready; sleep 1; touch " + file.string()));
    wait_for_output(child, "ready");
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  CHECK_FALSE(std::filesystem::exists(file));
}

}  // namespace
