// The command line: which commands there are, their options, and what is said
// of what is neither. Completions and the manual page are made of it.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "server/commands.h"

namespace llmproxy {

/// The one place where commands and options are declared.
class CommandLine {
 public:
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// Reads the arguments and runs the command. Returns the exit code.
  int run(int argc, char** argv);

  const CLI::App& app() const { return app_; }

 private:
  void add_serving();
  void add_files();
  void add_rest();
  int help() const;
  int dispatch() const;

  CLI::App app_;
  ServeArguments serving_;
  EnvArguments environment_;
  TranslateArguments translating_;
  InitArguments starting_;
  ImportArguments importing_;
  bool wants_version_ = false;
  std::string help_about_;
  std::string shell_;
};

/// The commands of `app`, in their order.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

/// A script that completes what is typed in `shell` (bash, zsh or fish); ""
/// for another.
std::string completions(const CLI::App& app, const std::string& shell);

/// The manual page llm-proxy(1), as roff.
std::string man_page(const CLI::App& app);

}  // namespace llmproxy
