"""Shows that the tests of fit() notice what they should.

Changes one small thing of lib/chat/fit*.cc, lib/dialects/*/limits.cc or
lib/dialects/models.cc (see mutants.py), compiles that one file, links it with
the rest and runs the unit tests of fit and the golden cases of fit/ and
request/. A mutant that no test notices has survived. The tree itself is not
touched: a copy is built, and each mutant in a folder of its own.

  mutate_fit.py [TREE] [--jobs N] [--only REGEX] [--list]
                [--sample N [--seed S]] [--build DIR]

Exits with 1 when less than 95 % of those that compile are killed. Mutants
that change nothing anybody could see stand in mutate_fit.txt, one a line:

  FILE | LINE OF SOURCE | CHANGE | why it is the same
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import mutants

LEAST_KILLED = 0.95
CASES = ["tests/golden/fit", "tests/golden/request"]


# --- the copy ----------------------------------------------------------------

def copy_tree(tree, copy):
    """What Git knows or would know; what has not changed keeps its time."""
    names = subprocess.run(
        ["git", "-C", tree, "ls-files", "-coz", "--exclude-standard"],
        check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    wanted = {name for name in names if name and (tree / name).is_file()}
    for path in [p for p in copy.rglob("*") if p.is_file()]:
        if str(path.relative_to(copy)) not in wanted:
            path.unlink()
    for name in wanted:
        source, target = tree / name, copy / name
        if target.exists() and source.read_bytes() == target.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def run(command, **options):
    return subprocess.run(command, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          errors="replace", **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode:
        sys.exit(f"mutate_fit: {shlex.join(map(str, command))} fails:\n"
                 + done.stdout[-4000:])
    return done.stdout


class Build:
    """The program without a mutation, and how to make it with one."""

    def __init__(self, tree, folder, jobs):
        self.tree = folder / "tree"
        self.folder = folder / "build"
        self.tree.mkdir(parents=True, exist_ok=True)
        copy_tree(tree, self.tree)
        must(["cmake", "-S", self.tree, "-B", self.folder, "-G", "Ninja",
              "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g0",
              "-DLLMPROXY_BUILD_SERVER=OFF", "-DLLMPROXY_BUILD_EXAMPLES=OFF"])
        must(["cmake", "--build", self.folder, "--target", "fit_mutants",
              "--parallel", str(jobs)])
        commands = json.loads(
            (self.folder / "compile_commands.json").read_text())
        self.compile = {entry["file"]: shlex.split(entry["command"])
                        for entry in commands}
        self.link = self.link_command()
        self.program = self.folder / self.link[self.link.index("-o") + 1]
        started = time.monotonic()
        done = self.test(self.program, 600)
        if done:
            sys.exit(f"mutate_fit: nothing is changed, and yet:\n{done}")
        self.patience = 20 + 10 * (time.monotonic() - started)

    def link_command(self):
        last = must(["ninja", "-C", self.folder, "-t", "commands",
                     "fit_mutants"]).strip().splitlines()[-1]
        words = [w for w in shlex.split(last) if w not in (":", "&&")]
        if shutil.which("ld.gold"):
            words.append("-fuse-ld=gold")
        return words

    def test(self, program, patience):
        """What a test says of the program; empty = all is well."""
        cases = [self.tree / case for case in CASES]
        try:
            done = run([program, *(c for c in cases if c.is_dir())],
                       timeout=patience)
        except subprocess.TimeoutExpired:
            return "it does not end"
        return done.stdout[-2000:] or "it fails" if done.returncode else ""

    def verdict(self, mutant):
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            return self.verdict_in(pathlib.Path(scratch), mutant)

    def verdict_in(self, scratch, mutant):
        original = self.tree / mutant.file
        source = scratch / original.name
        source.write_text(mutant.applied(original.read_text()))
        command = list(self.compile[str(original)])
        command[command.index("-o") + 1] = str(scratch / "mutant.o")
        command[command.index("-c") + 1] = str(source)
        if run(command + ["-w"], cwd=self.folder).returncode:
            return "does not compile"
        # Before the libraries: they are not asked for what is there already.
        link = list(self.link)
        at = link.index("-o")
        link[at:at + 2] = [str(scratch / "mutant.o"), "-o",
                           str(scratch / "program")]
        linked = run(link, cwd=self.folder)
        if linked.returncode:
            sys.exit(f"mutate_fit: {mutant} does not link:\n{linked.stdout}")
        failed = self.test(scratch / "program", self.patience)
        return "killed" if failed else "survived"


# --- which of them -----------------------------------------------------------

def equivalents():
    """Mutants that are no faults, with the reason of each."""
    reasons = {}
    for line in pathlib.Path(__file__).with_suffix(".txt").read_text(
            ).splitlines():
        if line.strip() and not line.startswith("#"):
            file, source, label, reason = line.split(" | ", 3)
            reasons[file.strip(), source.strip(), label.strip()] = reason
    return reasons


def key_of(mutant):
    return mutant.file, mutant.source, mutant.label.strip()


def chosen(arguments, made):
    if arguments.only:
        made = [m for m in made if re.search(arguments.only, str(m))]
    if arguments.sample and arguments.sample < len(made):
        picked = random.Random(arguments.seed).sample(range(len(made)),
                                                      arguments.sample)
        made = [made[i] for i in sorted(picked)]
    return made


def try_all(build, made, jobs):
    """The verdict of each, in their order."""
    verdicts = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for mutant, verdict in zip(made, pool.map(build.verdict, made)):
            verdicts.append(verdict)
            if verdict == "survived":
                print(f"survived  {mutant}", flush=True)
            elif len(verdicts) % 50 == 0:
                print(f"          {len(verdicts)} of {len(made)}", flush=True)
    return verdicts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree", nargs="?", type=pathlib.Path,
                        default=pathlib.Path(__file__).parents[2])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", help="those whose line of --list matches")
    parser.add_argument("--list", action="store_true", help="run nothing")
    parser.add_argument("--sample", type=int, help="as many, by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=pathlib.Path,
                        help="a folder to keep for the next run")
    arguments = parser.parse_args()
    tree = arguments.tree.resolve()

    every = mutants.all_mutants(tree)
    reasons = equivalents()
    for stale in sorted(reasons.keys() - {key_of(m) for m in every}):
        print("no such mutant any more: " + " | ".join(stale))
    made = chosen(arguments, [m for m in every if key_of(m) not in reasons])
    if arguments.list:
        for mutant in made:
            print(mutant)
        print(f"{len(made)} mutants, {len(reasons)} set aside")
        return 0
    if not made:
        sys.exit("mutate_fit: there is nothing to try")
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.build or pathlib.Path(scratch)).resolve()
        build = Build(tree, folder, arguments.jobs)
        verdicts = collections.Counter(try_all(build, made, arguments.jobs))
    killed, survived = verdicts["killed"], verdicts["survived"]
    share = killed / (killed + survived) if killed + survived else 0
    print(f"mutate_fit: {len(made)} tried, {verdicts['does not compile']} do "
          f"not compile, {killed} killed, {survived} survived "
          f"({100 * share:.1f} % killed), {len(reasons)} set aside")
    return 0 if share >= LEAST_KILLED else 1


if __name__ == "__main__":
    sys.exit(main())
