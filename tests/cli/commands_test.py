"""What the commands of llm-proxy print: version, help, completions, the manual
page, init, import.

  commands_test.py LLM_PROXY

Prints "N passed, N failed".
"""

import os
import re
import shutil
import subprocess
import sys

from program import folder_with, run

passed = 0
failed = 0
COMMANDS = ["serve", "check", "env", "init", "import", "schema", "translate",
            "completions", "man", "version", "help"]
KEY = "sk-never-to-be-written-0123456789"


def look(name, condition, told=""):
    global passed, failed
    if condition:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {told}")


def version_and_help(binary):
    version = run(binary, ["version"])
    for typed in ("--version", "-V", "-v"):
        ended = run(binary, [typed])
        look(typed, ended.code == 0 and ended.out == version.out, ended.err)
    helped = run(binary, ["help"])
    for typed in ("--help", "-h"):
        look(typed, run(binary, [typed]).out == helped.out)
    for command in COMMANDS:
        look(f"help lists {command}", command in helped.out)
        ended = run(binary, ["help", command])
        look(f"help {command}", ended.code == 0 and "llm-proxy" in ended.out
             and command in ended.out, ended.err)
        own = run(binary, [command, "--help"])
        look(f"{command} --help", own.code == 0, own.err)


# What is typed, and what one of the completions is.
TYPED = [(["ch"], "check"), (["serve", "--po"], "--port"),
         (["env", "cla"], "claude-code"), (["translate", "req"], "request"),
         (["translate", "request", "--from", "cl"], "claude"),
         (["help", "imp"], "import"), (["import", "lite"], "litellm"),
         (["check", "--config", "some"], "some.yaml"),
         (["completions", "f"], "fish")]


def complete_in_bash(script, folder, words):
    quoted = " ".join(f"'{word}'" for word in ["llm-proxy", *words])
    done = subprocess.run(
        ["bash", "-c", f"source {script}; COMP_WORDS=({quoted}); "
         f"COMP_CWORD={len(words)}; _llm_proxy; "
         "printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, cwd=folder, check=False)
    return done.stdout.split(), done.stderr


def completions(binary):
    folder = folder_with({"some.yaml": ""})
    for shell, check in (("bash", ["-n"]), ("zsh", ["-n"]),
                         ("fish", ["--no-execute"])):
        ended = run(binary, ["completions", shell])
        script = os.path.join(folder, shell)
        with open(script, "w", encoding="utf-8") as file:
            file.write(ended.out)
        for command in COMMANDS:
            look(f"{shell} knows {command}", command in ended.out)
        for option in ("port", "allow-anonymous", "force", "from"):
            look(f"{shell} knows {option}", option in ended.out)
        if shutil.which(shell):
            done = subprocess.run([shell, *check, script], check=False,
                                  capture_output=True, text=True)
            look(f"{shell} reads it", done.returncode == 0, done.stderr)
    for words, wanted in TYPED:
        found, told = complete_in_bash(os.path.join(folder, "bash"), folder,
                                       words)
        look(f"bash completes {words}", wanted in found and not told,
             f"{found} {told}")


def manual(binary):
    ended = run(binary, ["man"])
    look("man begins", ended.out.startswith(".TH LLM\\-PROXY 1"))
    for command in COMMANDS:
        look(f"man has {command}", f".SS llm\\-proxy {command}" in ended.out)
    for word in ("\\-\\-port", "OPENAI_API_KEY", "LLM_PROXY_CONFIG"):
        look(f"man has {word}", word in ended.out)
    for tool in (["groff", "-ww", "-man", "-Tascii", "-z"],
                 ["mandoc", "-T", "lint", "-W", "error"]):
        if not shutil.which(tool[0]):
            continue
        done = subprocess.run(tool, input=ended.out, capture_output=True,
                              text=True, check=False)
        look(f"{tool[0]} reads it", not done.stderr, done.stderr)


KEYS = [
    {}, {"OPENAI_API_KEY": KEY},
    {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
    {"GEMINI_API_KEY": KEY, "DEEPSEEK_API_KEY": KEY, "GROQ_API_KEY": KEY},
    {"AWS_ACCESS_KEY_ID": "AKIA0123456789ABCDEF",
     "AWS_SECRET_ACCESS_KEY": KEY, "AWS_REGION": "eu-west-1"},
    {"OLLAMA_API_BASE": "http://127.0.0.1:11434"},
    {"OPENAI_API_BASE": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": KEY},
]


def init(binary):
    for variables in KEYS:
        name = f"init with {list(variables)}"
        ended = run(binary, ["init"], variables=variables)
        look(name, ended.code == 0, ended.err)
        path = os.path.join(ended.folder, "llm-proxy.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        look(f"{name}: no key", KEY not in text + ended.out + ended.err)
        look(f"{name}: for editors",
             text.startswith("# yaml-language-server: $schema="))
        for variable in variables:
            look(f"{name}: {variable}", "${" + variable + "}" in text, text)
        checked = run(binary, ["check", "--config", path],
                      variables=variables)
        look(f"{name}: check", checked.code == 0, checked.err)
        again = run(binary, ["init", path], variables=variables)
        look(f"{name}: not twice",
             again.code == 2 and "--force" in again.err, again.err)
        with open(path, "a", encoding="utf-8") as file:
            file.write("# mine\n")
        forced = run(binary, ["init", path, "--force"], variables=variables)
        with open(path, encoding="utf-8") as file:
            look(f"{name}: --force", forced.code == 0 and file.read() == text)
        printed = run(binary, ["init", "-"], variables=variables)
        look(f"{name}: -", printed.out == text)
    dotenv = run(binary, ["init"], {".env": f"OPENAI_API_KEY={KEY}\n"})
    look("init with .env", dotenv.code == 0 and "openai" in dotenv.out,
         dotenv.err)
    nowhere = run(binary, ["init", "no/such/folder/x.yaml"])
    look("init nowhere", nowhere.code == 2 and "No such file" in nowhere.err)


LITELLM = """
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
      rpm: 60
  - model_name: gpt-4o
    litellm_params: {model: azure/gpt-4o-eu, api_base: https://e.example/}
  - model_name: claude
    litellm_params:
      model: anthropic/claude-sonnet-4-5
      api_key: os.environ/ANTHROPIC_API_KEY
      temperature: 0.2
  - model_name: eu
    litellm_params:
      model: azure/gpt-4o-eu
      api_base: https://eu.openai.azure.com/
      api_version: "2024-10-21"
      api_key: os.environ/AZURE_API_KEY
  - model_name: local
    litellm_params: {model: ollama/llama3, api_base: "http://localhost:11434"}
  - model_name: "groq/*"
    litellm_params: {model: "groq/*"}
  - model_name: mine
    litellm_params:
      model: openai/my-model
      api_base: http://127.0.0.1:8000/v1
      api_key: none
      extra_headers: {x-team: a}
      timeout: 30
  - model_name: bed
    litellm_params:
      model: bedrock/converse/anthropic.claude-3-haiku-20240307-v1:0
      aws_region_name: us-east-1
      aws_access_key_id: os.environ/AWS_ACCESS_KEY_ID
      aws_secret_access_key: os.environ/AWS_SECRET_ACCESS_KEY
  - model_name: odd
    litellm_params: {model: vertex_ai/gemini-pro}
    model_info: {mode: chat}
litellm_settings: {drop_params: true, num_retries: 3, request_timeout: 600}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: postgres://x
router_settings:
  routing_strategy: least-busy
  model_group_alias: {"gpt-4": "gpt-4o", hidden: {model: claude, hidden: true}}
environment_variables: {A: b}
"""
VARIABLES = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY,
             "AZURE_API_KEY": KEY, "GROQ_API_KEY": KEY,
             "AWS_ACCESS_KEY_ID": "AKIA0123456789ABCDEF",
             "AWS_SECRET_ACCESS_KEY": KEY,
             "LITELLM_MASTER_KEY": "sk-master-0123456789"}
# What the configuration means, as check prints it.
MEANS = ["gpt-4o -> openai as gpt-4o", "claude -> anthropic as claude-sonnet",
         "eu -> azure as gpt-4o-eu", "local -> ollama as llama3",
         "groq/* -> groq as *", "mine -> openai-2 as my-model",
         "bed -> bedrock as anthropic.claude-3-haiku", "gpt-4 -> openai",
         "hidden -> anthropic",
         "https://eu.openai.azure.com/openai/deployments/gpt-4o-eu",
         "http://localhost:11434/v1", "http://127.0.0.1:8000/v1"]
SAID = ["second deployment", "litellm_params.temperature", "vertex_ai",
        "litellm_settings.num_retries", "general_settings.database_url",
        "router_settings.routing_strategy", "environment_variables"]


def import_litellm(binary):
    ended = run(binary, ["import", "litellm", "x.yaml"], {"x.yaml": LITELLM},
                VARIABLES)
    look("import", ended.code == 0, ended.err)
    look("import: no value of a variable", KEY not in ended.out + ended.err)
    for words in SAID:
        look(f"import says {words}", words in ended.err, ended.err)
    piped = run(binary, ["import", "litellm", "-"], entered=LITELLM)
    look("import of standard input", piped.out == ended.out, piped.err)
    checked = run(binary, ["check", "--config", "c.yaml"],
                  {"c.yaml": ended.out}, VARIABLES)
    look("import: check", checked.code == 0, checked.err + ended.out)
    for words in MEANS:
        look(f"import means {words}", words in checked.out, checked.out)
    look("import: the master key", "1 set, hidden" in checked.out)
    look("import: limits", re.search(r"rate_limiting\.enabled +true",
                                     checked.out), checked.out)
    for text, words in [("", "model_list"), ("a: [\n", "never closed"),
                        ("model_list: {}\n", "found keys with values"),
                        ("model_list:\n  - {}\n", "model_name"),
                        ("model_list:\n  - {model_name: a, "
                         "litellm_params: {}}\n", "model is missing")]:
        ended = run(binary, ["import", "litellm", "-"], entered=text)
        look(f"import of {text!r}", ended.code == 2 and words in ended.err,
             ended.err)
    missing = run(binary, ["import", "litellm", "nope"])
    look("import of no file", missing.code == 2 and "nope" in missing.err)


def main():
    binary = os.path.abspath(sys.argv[1])
    for part in (version_and_help, completions, manual, init, import_litellm):
        part(binary)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
