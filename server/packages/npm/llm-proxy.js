#!/usr/bin/env node
// Starts the program that lies in this package, and ends as it does.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");
const { join } = require("node:path");

const program = join(__dirname, "dist", "bin", "llm-proxy");
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });

// A terminal tells its whole group of Ctrl-C, the program too, which would
// take a second word for "at once".
const passed = ["SIGTERM", "SIGHUP"];
if (process.stdin.isTTY) process.on("SIGINT", () => {});
else passed.push("SIGINT");
for (const signal of passed) process.on(signal, () => child.kill(signal));

child.on("error", (error) => {
  console.error(`llm-proxy: ${program} cannot be started: ${error.message}`);
  console.error("This package is for Linux with glibc, on the processor that " +
    `it was made for; here is ${process.platform}, ${process.arch}.`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  // As a shell says it.
  process.exitCode = signal ? 128 + constants.signals[signal] : code;
});
