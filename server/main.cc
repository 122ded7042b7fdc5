// llm-proxy: reads the command line, runs one command, exits with its code.
#include <CLI/CLI.hpp>

#include "server/commands.h"

namespace {

void add_serve_options(CLI::App& app, llmproxy::ServeArguments& arguments) {
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

void add_translate_options(CLI::App& app,
                           llmproxy::TranslateArguments& arguments) {
  app.add_option("noun", arguments.noun, "request, response, stream or error")
      ->required();
  app.add_option("--from", arguments.from,
                 "dialect of standard input; of the upstream for answers")
      ->required();
  app.add_option("--to", arguments.to,
                 "dialect of standard output; of the client for answers")
      ->required();
  app.add_flag("--strict", arguments.strict,
               "refuse what cannot be carried exactly");
  app.add_option("--status", arguments.status,
                 "HTTP status of the error (default 500)")
      ->check(CLI::Range(100, 599));
  app.add_option("--request", arguments.request_file,
                 "file with the client's request that is being answered");
  app.add_flag("--head", arguments.head,
               "print request line and headers before the body");
  app.add_option("--model", arguments.model, "model to ask for");
  app.add_option("--path", arguments.path,
                 "path of the client's request, where that names the model");
  app.add_flag("--stream", arguments.stream,
               "the request is for a stream, where the path says so");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Speaks every LLM chat API in front of every LLM.", "llm-proxy");
  app.require_subcommand(0, 1);
  llmproxy::ServeArguments serving;
  add_serve_options(app, serving);
  CLI::App* serve = app.add_subcommand("serve", "serve HTTP (the default)");
  add_serve_options(*serve, serving);
  CLI::App* check = app.add_subcommand(
      "check", "say what a configuration means, and why; serve nothing");
  add_serve_options(*check, serving);
  CLI::App* version = app.add_subcommand(
      "version", "print version, commit, compiler and libraries");
  CLI::App* env = app.add_subcommand(
      "env", "print what to set so that a client uses the proxy");
  llmproxy::EnvArguments environment;
  env->add_option("client", environment.client,
                  "claude-code, codex, gemini-cli, openai, anthropic or "
                  "google-genai")
      ->required();
  env->add_option("--model", environment.model, "model to use");
  add_serve_options(*env, environment.serving);
  CLI::App* translate = app.add_subcommand(
      "translate", "translate standard input to standard output");
  llmproxy::TranslateArguments translating;
  add_translate_options(*translate, translating);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? llmproxy::kExitOk : llmproxy::kExitUsage;
  }
  if (*version) return llmproxy::print_version();
  if (*check) return llmproxy::check(serving);
  if (*env) return llmproxy::print_environment(environment);
  if (*translate) return llmproxy::translate(translating);
  return llmproxy::serve(serving);
}
