// Scripts that complete the command line, made of its declaration.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "llmproxy/dialect.h"
#include "server/client_table.h"
#include "server/command_line.h"

namespace llmproxy {
namespace {

// --- What may follow ---------------------------------------------------------

std::vector<std::string> client_names() {
  std::vector<std::string> out;
  for (const ClientRow& row : clients()) out.emplace_back(row.name);
  return out;
}

std::vector<std::string> dialect_names() {
  std::vector<std::string> out;
  for (const Dialect* dialect : dialects()) out.emplace_back(dialect->name);
  return out;
}

/// Words for an argument, or a file.
struct ValueRow {
  std::string_view argument;
  std::vector<std::string> (*words)();  ///< null = the name of a file
};
constexpr std::array kValues = {
    ValueRow{"client", client_names},
    ValueRow{"kind",
             [] {
               return std::vector<std::string>{"request", "response", "stream",
                                               "error"};
             }},
    ValueRow{"--from", dialect_names},
    ValueRow{"--to", dialect_names},
    ValueRow{"shell",
             [] {
               return std::vector<std::string>{"bash", "zsh", "fish"};
             }},
    ValueRow{"program", [] { return std::vector<std::string>{"litellm"}; }},
    ValueRow{"file", nullptr},
    ValueRow{"--config", nullptr},
    ValueRow{"--request", nullptr},
};

const ValueRow* row_of(std::string_view argument) {
  for (const ValueRow& row : kValues) {
    if (row.argument == argument) return &row;
  }
  return nullptr;
}

/// As one types it; the name of a positional.
std::string name_of(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(true) : option.get_name();
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options({})) {
    for (const std::string& name : option->get_lnames())
      out.push_back("--" + name);
  }
  return out;
}

/// Words for the positionals of a command, the names of commands for `help`
/// and the program itself.
std::vector<std::string> positional_words(const CLI::App& root,
                                          const CLI::App& app) {
  std::vector<std::string> out;
  const bool names_command = &app == &root || app.get_name() == "help";
  if (names_command) {
    for (const CLI::App* command : commands_of(root))
      out.push_back(command->get_name());
  }
  for (const CLI::Option* option : app.get_options({})) {
    if (!option->get_positional()) continue;
    const ValueRow* row = row_of(name_of(*option));
    if (row == nullptr || row->words == nullptr) continue;
    for (std::string& word : row->words()) out.push_back(std::move(word));
  }
  return out;
}

bool takes_file(const CLI::App& app) {
  const auto all = app.get_options({});
  return std::any_of(all.begin(), all.end(), [](const CLI::Option* option) {
    return option->get_positional() && name_of(*option) == "file";
  });
}

/// Every option with a value, of all commands.
std::vector<std::string> options_with(const CLI::App& root, bool files) {
  std::vector<std::string> out;
  std::vector<const CLI::App*> apps = commands_of(root);
  apps.push_back(&root);
  for (const CLI::App* app : apps) {
    for (const CLI::Option* option : app->get_options({})) {
      const std::string name = name_of(*option);
      if (option->get_positional() || !takes_value(*option)) continue;
      const ValueRow* row = row_of(name);
      const bool file = row != nullptr && row->words == nullptr;
      if ((row != nullptr && row->words != nullptr) || file != files) continue;
      if (std::find(out.begin(), out.end(), name) == out.end())
        out.push_back(name);
    }
  }
  return out;
}

/// Inside of '...' of all three shells.
std::string single_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? ' ' : c;
  return out;
}

// --- The shells --------------------------------------------------------------

std::string words_of(const CLI::App& root, const CLI::App& app) {
  std::vector<std::string> words = option_names(app);
  for (std::string& word : positional_words(root, app))
    words.push_back(std::move(word));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string bash_script(const CLI::App& app) {
  std::string values;
  for (const ValueRow& row : kValues) {
    if (!row.argument.starts_with('-') || row.words == nullptr) continue;
    values += fmt::format("    {}) words='{}' ;;\n", row.argument,
                          fmt::join(row.words(), " "));
  }
  std::string commands;
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) {
    names.push_back(command->get_name());
    commands += fmt::format("      {}) words='{}'{} ;;\n", command->get_name(),
                            words_of(app, *command),
                            takes_file(*command) ? " files=1" : "");
  }
  return fmt::format(R"(# bash completion of {0}, made by `{0} completions bash`
_llm_proxy() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  local word command='' words='' files=''
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in
    {1}) command=$word; break ;;
    esac
  done
  case $before in
    {2}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    {3}) COMPREPLY=(); return ;;
{4}    *)
      case $command in
{5}      *) words='{6}' ;;
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ $files ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _llm_proxy {0}
)",
                     app.get_name(), fmt::join(names, "|"),
                     fmt::join(options_with(app, true), "|"),
                     fmt::join(options_with(app, false), "|"), values, commands,
                     words_of(app, app));
}

/// What zsh's _arguments takes for one option or positional.
std::string zsh_argument(const CLI::App& root, const CLI::App& app,
                         const CLI::Option& option) {
  const std::string name = name_of(option);
  const ValueRow* row = row_of(name);
  std::string about;
  for (const char c : option.get_description())
    about += c == '[' || c == ']' || c == ':' || c == '\'' ? ' ' : c;
  std::string action;
  if (row != nullptr) {
    action = row->words == nullptr
                 ? "_files"
                 : fmt::format("({})", fmt::join(row->words(), " "));
  } else if (app.get_name() == "help") {
    action = fmt::format("({})", fmt::join(positional_words(root, app), " "));
  }
  if (option.get_positional())
    return fmt::format("'::{}:{}'", about.substr(0, about.find('\n')), action);
  const std::string value =
      takes_value(option) ? fmt::format(":value:{}", action) : "";
  return fmt::format("'{}[{}]{}'", name, about, value);
}

std::string zsh_arguments(const CLI::App& root, const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options({}))
    out += " \\\n        " + zsh_argument(root, app, *option);
  return out;
}

std::string zsh_script(const CLI::App& app) {
  std::string described;
  std::string cases;
  for (const CLI::App* command : commands_of(app)) {
    described += fmt::format("    '{}:{}'\n", command->get_name(),
                             single_quoted(command->get_description()));
    cases += fmt::format("      {})\n      _arguments{} ;;\n",
                         command->get_name(), zsh_arguments(app, *command));
  }
  return fmt::format(R"(#compdef {0}
# zsh completion of {0}, made by `{0} completions zsh`
_llm_proxy() {{
  local -a commands
  commands=(
{1}  )
  local state line
  _arguments -C{2} \
        '1: :->command' \
        '*:: :->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
{3}      esac ;;
  esac
}}
if [ "$funcstack[1]" = "_llm_proxy" ]; then
  _llm_proxy "$@"
else
  compdef _llm_proxy {0}
fi
)",
                     app.get_name(), described, zsh_arguments(app, app), cases);
}

std::string fish_option(const CLI::App& app, const CLI::App* command,
                        const CLI::Option& option) {
  const std::string when =
      command == nullptr ? "__fish_use_subcommand"
                         : "__fish_seen_subcommand_from " + command->get_name();
  const std::string about = single_quoted(option.get_description());
  const ValueRow* row = row_of(name_of(option));
  std::string words;
  if (row != nullptr && row->words != nullptr)
    words = fmt::format(" -x -a '{}'", fmt::join(row->words(), " "));
  if (row != nullptr && row->words == nullptr) words = " -r -F";
  if (option.get_positional()) {
    if (words.empty()) return {};
    return fmt::format("complete -c {} -n '{}'{} -d '{}'\n", app.get_name(),
                       when, words, about);
  }
  if (words.empty() && takes_value(option)) words = " -x";
  std::string names;
  for (const std::string& name : option.get_lnames()) names += " -l " + name;
  for (const std::string& name : option.get_snames()) names += " -s " + name;
  return fmt::format("complete -c {} -n '{}'{}{} -d '{}'\n", app.get_name(),
                     when, names, words, about);
}

std::string fish_script(const CLI::App& app) {
  std::string out = fmt::format(
      "# fish completion of {0}, made by `{0} completions fish`\n"
      "complete -c {0} -f\n",
      app.get_name());
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) {
    names.push_back(command->get_name());
    out +=
        fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d '{}'\n",
                    app.get_name(), command->get_name(),
                    single_quoted(command->get_description()));
    for (const CLI::Option* option : command->get_options({}))
      out += fish_option(app, command, *option);
  }
  for (const CLI::Option* option : app.get_options({}))
    out += fish_option(app, nullptr, *option);
  out += fmt::format(
      "complete -c {} -n '__fish_seen_subcommand_from help' -a '{}'\n",
      app.get_name(), fmt::join(names, " "));
  return out;
}

struct ShellRow {
  std::string_view name;
  std::string (*write)(const CLI::App& app);
};
constexpr std::array kShells = {
    ShellRow{"bash", bash_script},
    ShellRow{"zsh", zsh_script},
    ShellRow{"fish", fish_script},
};

}  // namespace

std::string completions(const CLI::App& app, const std::string& shell) {
  for (const ShellRow& row : kShells) {
    if (row.name == shell) return row.write(app);
  }
  return {};
}

}  // namespace llmproxy
