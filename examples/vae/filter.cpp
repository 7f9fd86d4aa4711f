// Files without a name as its input and output: neither waits for the other.
#include "weft/examples/vae/filter.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft/examples/vae/failure.h"

namespace weft {
namespace {

using File = std::unique_ptr<FILE, decltype(&std::fclose)>;

void Require(bool condition, std::string_view what) {
  if (!condition) throw std::system_error(errno, std::generic_category(), std::string(what));
}

File TemporaryFile(std::string_view content) {
  File file(std::tmpfile(), &std::fclose);
  Require(file != nullptr, "create: a temporary file");
  Require(std::fwrite(content.data(), 1, content.size(), file.get()) == content.size() && std::fflush(file.get()) == 0,
          "write: a temporary file");
  std::rewind(file.get());
  return file;
}

std::string ContentOf(FILE* file) {
  std::string content;
  char buffer[65536];
  std::rewind(file);
  while (const size_t count = std::fread(buffer, 1, sizeof buffer, file)) content.append(buffer, count);
  Require(std::ferror(file) == 0, "read: a temporary file");
  return content;
}

}  // namespace

std::string Filtered(const std::vector<std::string>& command, std::string_view input, std::string_view remedy) {
  const File in = TemporaryFile(input), out = TemporaryFile("");
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(out.get()), STDOUT_FILENO);
  pid_t process = 0;
  const int error = posix_spawnp(&process, command[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) {
    throw UsageError(fmt::format("program: {}: got none of that name, expected it in PATH; {}", command[0], remedy));
  }
  if (error != 0) throw std::system_error(error, std::generic_category(), "start: " + command[0]);

  int status = 0;
  while (waitpid(process, &status, 0) < 0) Require(errno == EINTR, "wait: " + command[0]);
  if (status != 0) {
    throw OutputError(fmt::format("program: {}: ended with status {}, expected 0; nothing was written", command[0],
                                  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)));
  }
  return ContentOf(out.get());
}

}  // namespace weft
