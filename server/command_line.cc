// Declares the commands, runs one, and says what was meant where it is none.
#include "server/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string_view>

#include "llmproxy/suggest.h"

namespace llmproxy {
namespace {

void add_serve_options(CLI::App& app, ServeArguments& arguments) {
  app.add_option("--config", arguments.config_file,
                 "YAML file (or the one LLM_PROXY_CONFIG names); without it "
                 "the demo model and the providers whose keys are in the "
                 "environment");
  app.add_option("--host", arguments.host,
                 "address to listen on (default 127.0.0.1)");
  app.add_option("--port", arguments.port,
                 "port to listen on (default PORT, or 8080); 0 lets the "
                 "system choose")
      ->check(CLI::Range(0, 65535));
  app.add_flag("--allow-anonymous", arguments.allow_anonymous,
               "serve other machines without client keys");
}

void add_translate_options(CLI::App& app, TranslateArguments& arguments) {
  app.add_option("kind", arguments.kind,
                 "what to translate: request, response, stream or error")
      ->required();
  app.add_option(
         "--from", arguments.from,
         "dialect of standard input: the client's for a request, else the "
         "upstream's")
      ->required();
  app.add_option(
         "--to", arguments.to,
         "dialect of standard output: the upstream's for a request, else "
         "the client's")
      ->required();
  app.add_flag("--strict", arguments.strict,
               "refuse what cannot be translated exactly");
  app.add_option("--status", arguments.status,
                 "HTTP status that came with the error (default 500)")
      ->check(CLI::Range(100, 599));
  app.add_option("--request", arguments.request_file,
                 "file with the client's request that is being answered");
  app.add_flag("--head", arguments.head,
               "print request line and headers before the body");
  app.add_option("--model", arguments.model,
                 "model to request from the target");
  app.add_option(
      "--path", arguments.path,
      "path of the client's request, for dialects whose path names the "
      "model");
  app.add_flag("--stream", arguments.stream,
               "the request is for a stream, for dialects whose path says so");
}

/// All that is typed for an option: "-h", "--help".
std::vector<std::string> spellings(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options({})) {
    for (const std::string& name : option->get_lnames())
      out.push_back("--" + name);
    for (const std::string& name : option->get_snames())
      out.push_back("-" + name);
  }
  return out;
}

std::string suggestion(std::string_view word,
                       const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  return did_you_mean(word, views);
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& apps) {
  std::vector<std::string> out;
  out.reserve(apps.size());
  for (const CLI::App* each : apps) out.push_back(each->get_name());
  return out;
}

/// Of a command, or of the program where none was chosen.
std::string usage_of(const CLI::App& app, const CLI::App* command) {
  return command == nullptr
             ? fmt::format("\"{} help\" lists all", app.get_name())
             : fmt::format("\"{} help {}\" says more", app.get_name(),
                           command->get_name());
}

/// What to say of a word that nobody expected.
std::string about_word(const CLI::App& app, const std::string& typed) {
  const auto chosen = app.get_subcommands();
  const CLI::App* command = chosen.empty() ? nullptr : chosen.front();
  const CLI::App& owner = command == nullptr ? app : *command;
  const std::string usage = usage_of(app, command);
  if (typed.starts_with('-')) {
    const std::string name = typed.substr(0, typed.find('='));
    return fmt::format("there is no option {}{}; {}", name,
                       suggestion(name, spellings(owner)), usage);
  }
  if (command != nullptr) {
    return fmt::format("\"{}\" is not expected here; {}", typed, usage);
  }
  const std::vector<std::string> known = names_of(commands_of(app));
  return fmt::format("there is no command \"{}\"{}; {}", typed,
                     suggestion(typed, known), usage);
}

}  // namespace

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

CommandLine::CommandLine()
    : app_("A proxy that translates between the chat APIs of LLM providers.",
           "llm-proxy") {
  app_.require_subcommand(0, 1);
  app_.set_help_flag("-h,--help", "print this help");
  app_.add_flag("-V,-v,--version", wants_version_,
                "print version, commit, compiler and libraries");
  add_serving();
  add_files();
  add_rest();
}

void CommandLine::add_serving() {
  add_serve_options(app_, serving_);
  CLI::App* serve = app_.add_subcommand("serve", "serve HTTP (the default)");
  add_serve_options(*serve, serving_);
  CLI::App* check = app_.add_subcommand(
      "check", "check a configuration and explain it; does not serve");
  add_serve_options(*check, serving_);
  CLI::App* env = app_.add_subcommand(
      "env", "print what to set so that a client uses the proxy");
  env->add_option("client", environment_.client,
                  "claude-code, aider, openai, langchain, ...; without it all "
                  "known clients are listed");
  env->add_option("--model", environment_.model,
                  "model that the client shall use");
  add_serve_options(*env, environment_.serving);
}

void CommandLine::add_files() {
  CLI::App* init = app_.add_subcommand(
      "init",
      "write a configuration for the providers whose keys are in the "
      "environment or .env");
  init->add_option("file", starting_.file,
                   "file to write (default llm-proxy.yaml); - = standard "
                   "output");
  init->add_flag("--force", starting_.force, "replace a file that is there");
  CLI::App* import = app_.add_subcommand(
      "import", "convert the configuration of another program");
  import->add_option("program", importing_.program, "litellm")->required();
  import
      ->add_option("file", importing_.file,
                   "configuration file of that program; - = standard input")
      ->required();
  app_.add_subcommand(
      "schema", "print the JSON Schema of the configuration, for editors");
}

void CommandLine::add_rest() {
  CLI::App* translate = app_.add_subcommand(
      "translate", "translate standard input to standard output");
  add_translate_options(*translate, translating_);
  CLI::App* shells = app_.add_subcommand(
      "completions", "print a script that completes this command line");
  shells->add_option("shell", shell_, "bash, zsh or fish")->required();
  app_.add_subcommand("man", "print the manual page, as roff");
  app_.add_subcommand("version",
                      "print version, commit, compiler and libraries");
  CLI::App* help = app_.add_subcommand("help", "print the help of a command");
  help->add_option("command", help_about_, "the command; none = all");
}

int CommandLine::help() const {
  if (help_about_.empty()) {
    // App::help() is that of the command that was chosen, which is this one.
    fmt::print("{}", app_.get_formatter()->make_help(
                         &app_, app_.get_name(), CLI::AppFormatMode::Normal));
    return kExitOk;
  }
  const auto all = commands_of(app_);
  for (const CLI::App* command : all) {
    if (command->get_name() != help_about_) continue;
    fmt::print("{}", command->help(app_.get_name()));
    return kExitOk;
  }
  complain(invalid_request(fmt::format(
      "there is no command \"{}\"{}; {}", help_about_,
      suggestion(help_about_, names_of(all)), usage_of(app_, nullptr))));
  return kExitUsage;
}

int CommandLine::dispatch() const {
  if (wants_version_) return print_version();
  const auto is = [&](const char* name) { return app_.got_subcommand(name); };
  if (is("version")) return print_version();
  if (is("help")) return help();
  if (is("check")) return check(serving_);
  if (is("env")) return print_environment(environment_);
  if (is("translate")) return translate(translating_);
  if (is("init")) return init(starting_);
  if (is("import")) return import_configuration(importing_);
  if (is("schema")) return print_schema();
  if (is("man")) {
    fmt::print("{}", man_page(app_));
    return kExitOk;
  }
  if (!is("completions")) return serve(serving_);
  const std::string script = completions(app_, shell_);
  fmt::print("{}", script);
  if (!script.empty()) return kExitOk;
  complain(invalid_request(fmt::format(
      "there are no completions for \"{}\"; expected bash, zsh or fish",
      shell_)));
  return kExitUsage;
}

int CommandLine::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    const std::vector<std::string> left = app_.remaining(true);
    complain(invalid_request(
        about_word(app_, left.empty() ? std::string() : left.front())));
    return kExitUsage;
  } catch (const CLI::Success& success) {
    app_.exit(success);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const auto chosen = app_.get_subcommands();
    complain(invalid_request(fmt::format(
        "{}; {}", error.what(),
        usage_of(app_, chosen.empty() ? nullptr : chosen.front()))));
    return kExitUsage;
  }
  return dispatch();
}

}  // namespace llmproxy
